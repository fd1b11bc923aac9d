// AdamW and the moving average in one pass over memory.
#pragma once

#include <cstdint>

namespace gradatim::neural::kernel {

/// What an update multiplies by; the corrections of the moments' beginnings are in `step` and
/// `root`.
struct AdamwFactors {
  float gradient;                  // that holds the gradient's norm
  float keep;                      // 1 - learning_rate * weight_decay
  float square;                    // beta2
  float other_mean, other_square;  // 1 - beta1, 1 - beta2
  float step;                      // learning_rate / (1 - beta1^t)
  float root;                      // 1 / sqrt(1 - beta2^t)
  float epsilon;
  float follow;  // 1 - the average's decay
};
struct AdamwNumbers {
  float *value, *gradient, *mean, *square;
  float* average;  // or null
};

/// Updates `count` numbers from each of these on, and sets gradients to 0.
void adamw(const AdamwNumbers& numbers, std::int64_t count, const AdamwFactors& factors);

}  // namespace gradatim::neural::kernel
