#include "gradatim/neural/flow/flow_net.h"

#include <fmt/format.h>

#include "gradatim/core/error.h"
#include "gradatim/neural/library.h"

namespace gradatim::neural {

FlowNet::FlowNet(const Maker& steps, const BaseDensity& base, const FlowShape& shape)
    : shape_(shape) {
  constexpr std::int64_t kMost = std::int64_t{1} << 24;  // orders of numbers lie in memory
  GRADATIM_CHECK(shape.dims() <= kMost, UsageError, 1191,
                 "a flow takes samples of at most {} numbers; these have {}", kMost, shape.dims());
  const Scope root(parameters_);
  const FlowPlace first{root / "steps", shape.sample, shape.context()};
  steps_.reset(neural_function<MakeTransform>(steps.maker())(steps.config(), first));
  out_shape_ = steps_->out_shape(shape.sample);
  const FlowPlace last{root / "base", {shape.dims()}, shape.context()};
  base_.reset(neural_function<MakeBase>(base.maker())(base.config(), last));
  if (!shape.dequantizes) return;
  dequantizer_ =
      std::make_unique<Dequantizer>(root / "dequantizer", shape.dims(), DequantizerConfig{});
}

Tensor FlowNet::log_prob(const Tensor& x, const Tensor& context) const {
  const Moved moved = steps_->forward(x, context);
  return add_log_det(base_->log_prob(moved.x.flatten(1), context), moved.log_det);
}

Tensor FlowNet::encode(const Tensor& x, const Tensor& context) const {
  return steps_->forward(x, context).x.flatten(1);
}

Tensor FlowNet::decode(const Tensor& z, const Tensor& context) const {
  std::vector<std::int64_t> sizes{z.size(0)};
  sizes.insert(sizes.end(), out_shape_.begin(), out_shape_.end());
  return steps_->inverse(z.view(sizes), context).x;
}

std::unique_ptr<FlowNet> make_flow(const Maker& steps, const BaseDensity& base,
                                   const FlowShape& shape, at::Device device) {
  auto net = std::make_unique<FlowNet>(steps, base, shape);
  net->parameters().pack(device);
  net->parameters().init(shape.seed);
  return net;
}

std::unique_ptr<FlowNet> load_flow(const Maker& steps, const BaseDensity& base,
                                   const FlowShape& shape, const SafetensorsFile& file,
                                   const std::string& prefix) {
  auto net = std::make_unique<FlowNet>(steps, base, shape);
  net->parameters().check(file, prefix);
  net->parameters().pack();
  net->parameters().load(file, prefix);
  return net;
}

}  // namespace gradatim::neural
