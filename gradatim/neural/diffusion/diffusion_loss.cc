#include "gradatim/neural/diffusion/diffusion_loss.h"

#include "gradatim/neural/nn/sums.h"
#include "gradatim/neural/size.h"
#include "gradatim/neural/train/batch_objective.h"

namespace gradatim::neural {

BatchTensors tensors_of(Batch& batch, const NetworkShape& shape, std::int64_t first,
                        std::int64_t rows, at::Device device) {
  BatchTensors made{input_of(batch, shape, first, rows, device), {}, {}};
  std::vector<std::int64_t> ones(to_size(made.input.x.dim()), 1);
  ones[0] = rows;
  made.target = rows_of(batch.target, first, made.input.x.sizes().vec(), device);
  made.weight = rows_of(batch.weight, first, ones, device);
  return made;
}

namespace {

struct Parts {
  Tensor error;      // of the prediction
  Tensor variances;  // behind it, or undefined
};

Parts parts_of(const Tensor& output, const BatchTensors& batch) {
  const std::int64_t channels = batch.target.size(1);
  if (output.size(1) == channels) return {output - batch.target, {}};
  return {output.narrow(1, 0, channels) - batch.target, output.narrow(1, channels, channels)};
}

}  // namespace

double loss_of(Net& net, const BatchTensors& batch) {
  const auto [error, variances] = parts_of(net.forward(batch.input), batch);
  const double loss = (error.square() * batch.weight).mean().item<double>();
  if (!batch.steps) return loss;
  const Cost cost = step_cost(error, variances, *batch.steps);
  return loss + batch.step_weight * cost.cost.mean(at::kDouble).item<double>();
}

double learn(Net& net, const BatchTensors& batch, std::int64_t all) {
  const auto [error, variances] = parts_of(net.run(batch.input), batch);
  const double numbers = static_cast<double>(all * (batch.target.numel() / batch.target.size(0)));
  const Tensor weighted = error * batch.weight;
  double loss = sum_of_products(weighted.contiguous(), error.contiguous()) / numbers;
  const Tensor gradient = weighted.mul_(2.0 / numbers);
  if (!batch.steps) {
    net.backward(gradient);
    return loss;
  }
  const Cost cost = step_cost(error, variances, *batch.steps);
  loss += cost.cost.sum(at::kDouble).item<double>() * (batch.step_weight / numbers);
  net.backward(at::cat({gradient, cost.gradient * (batch.step_weight / numbers)}, 1));
  return loss;
}

}  // namespace gradatim::neural
