// The loss of a classifier on a batch: the mean over rows of -sum_k q_k ln p_k, q 1 at the label,
// or a little less, and the rest spread evenly.
//
// p is the softmax of
//
//   ln (share of the class) + alpha / sqrt(alpha^2 + sigma^2) net(x_t, t):
//
// where no signal is left, the label is as likely as its share, and the gradient by x_t falls as
// alpha does. Guidance multiplies it by sigma^2 / alpha, so that what a network errs there must not
// be left over.
#pragma once

#include "gradatim/neural/nn/net.h"

namespace gradatim::neural {

/// ln p, [rows, classes], of what the network puts out; log_shares [classes], signal [rows].
Tensor log_chances_of(const Tensor& output, const Tensor& log_shares, const Tensor& signal);

/// What some rows of a batch learn.
struct LabelTensors {
  NetInput input;
  Tensor signal, labels;  // [rows]
};

/// The sum of losses of some rows over `all` rows; adds the gradients, d loss / d output =
/// signal (p - q) / all.
double learn_labels(Net& net, const LabelTensors& rows, const Tensor& log_shares, double smoothing,
                    std::int64_t all);

}  // namespace gradatim::neural
