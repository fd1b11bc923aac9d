#include "gradatim/neural/diffusion/diffusion_loss.h"

namespace gradatim::neural {

BatchTensors tensors_of(Batch& batch, const NetworkShape& shape, std::int64_t first,
                        std::int64_t rows, at::Device device) {
  std::vector<std::int64_t> sizes{rows}, ones{rows};
  sizes.insert(sizes.end(), shape.sample.begin(), shape.sample.end());
  ones.resize(sizes.size(), 1);
  const std::int64_t dims = c10::multiply_integers(shape.sample);
  const auto view = [&](auto* numbers, at::IntArrayRef extent, at::ScalarType type) {
    return at::from_blob(numbers, extent, type).to(device);
  };
  BatchTensors made;
  made.input.x = view(batch.x.data() + first * dims, sizes, at::kFloat);
  made.input.t = view(batch.t.data() + first, {rows}, at::kFloat);
  if (shape.classes > 0) made.input.labels = view(batch.labels.data() + first, {rows}, at::kLong);
  made.target = view(batch.target.data() + first * dims, sizes, at::kFloat);
  made.weight = view(batch.weight.data() + first, ones, at::kFloat);
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
