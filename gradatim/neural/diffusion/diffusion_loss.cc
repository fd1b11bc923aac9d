#include "gradatim/neural/diffusion/diffusion_loss.h"

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

double loss_of(Net& net, const NetworkShape& shape, Batch& batch, at::Device device) {
  const BatchTensors all = tensors_of(batch, shape, 0, batch.rows, device);
  const Tensor error = net.forward(all.input) - all.target;
  return (error.square() * all.weight).mean().item<double>();
}

Tensor learn(Net& net, const BatchTensors& batch, std::int64_t all) {
  const Tensor error = net.run(batch.input) - batch.target;
  const double numbers = static_cast<double>(all * (batch.target.numel() / batch.target.size(0)));
  const Tensor weighted = error * batch.weight;
  const Tensor loss = at::dot(weighted.flatten(), error.flatten()) / numbers;
  net.backward(weighted.mul_(2.0 / numbers));
  return loss;
}

}  // namespace gradatim::neural
