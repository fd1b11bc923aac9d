// The softmax loss's gradients and hessians, several rows to a vector instruction.
#pragma once

#include "gradatim/boost/loss/loss.h"

namespace gradatim::boost {

/// p is softmax() of a row's scores; g_k = p_k - y_k, h_k = max(2 p_k (1 - p_k), 1e-16).
void softmax_gradients(const GradientBlock& block);

}  // namespace gradatim::boost
