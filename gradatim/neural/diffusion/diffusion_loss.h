// The loss of a field on a batch: the mean of weight |F - target|^2 over rows and numbers and,
// where variances are learned, of what the step costs (variance_loss.h).
#pragma once

#include <optional>

#include "gradatim/neural/diffusion/step_cost.h"
#include "gradatim/neural/nn/net.h"
#include "gradatim/neural/train/batches.h"

namespace gradatim::neural {

/// Rows [first, first + rows) of a batch as tensors over its memory, or on the device.
struct BatchTensors {
  NetInput input;
  Tensor target, weight;  // [rows, ...], [rows, 1, ...]
  std::optional<StepCosts> steps = {};
  double step_weight = 0.0;
};
BatchTensors tensors_of(Batch& batch, const NetworkShape& shape, std::int64_t first,
                        std::int64_t rows, at::Device device);

/// The loss alone.
double loss_of(Net& net, const BatchTensors& batch);
/// The sum of losses of some rows over `all` rows; adds the gradients.
double learn(Net& net, const BatchTensors& batch, std::int64_t all);

}  // namespace gradatim::neural
