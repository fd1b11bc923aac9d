// The loss of a classifier on a batch: the mean over rows of -sum_k q_k ln p_k, p the softmax of
// the scores, q 1 at the label, or a little less, and the rest spread evenly.
#pragma once

#include "gradatim/neural/nn/net.h"

namespace gradatim::neural {

/// The sum of losses of some rows over `all` rows; adds the gradients, d loss / d score =
/// (p - q) / all.
double learn_labels(Net& net, const NetInput& input, const Tensor& labels, double smoothing,
                    std::int64_t all);

}  // namespace gradatim::neural
