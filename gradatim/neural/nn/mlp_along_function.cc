#include "gradatim/neural/nn/mlp_along_function.h"

#include "gradatim/neural/size.h"

namespace gradatim::neural {

AlongPass::AlongPass(const AlongShape& shape, const float* parameters, Tensor first, Tensor shift,
                     Tensor z)
    : shape_(shape),
      parameters_(parameters),
      first_(std::move(first)),
      shift_(std::move(shift)),
      z_(std::move(z)),
      along_(shape.layers) {}

AlongInput AlongPass::input() const {
  return {.x = first_.const_data_ptr<float>(),
          .shift = shift_.defined() ? shift_.const_data_ptr<float>() : nullptr,
          .rows = first_.size(0),
          .dims = shape_.dims,
          .directions = z_.const_data_ptr<float>(),
          .count = z_.size(0),
          .alike = z_.size(1) == 1};
}

std::pair<Tensor, Tensor> AlongPass::forward(bool keep) {
  const Tensor out = at::empty({first_.size(0), shape_.dims}, at::kFloat);
  const Tensor products = at::empty({z_.size(0), first_.size(0), shape_.dims}, at::kFloat);
  along_.forward(parameters_, input(), keep, out.data_ptr<float>(), products.data_ptr<float>());
  return {out, products};
}

AlongPass::Gradients AlongPass::backward(const Tensor& by_output, const Tensor& by_products) {
  const std::int64_t rows = first_.size(0);
  const auto given = [](const Tensor& gradient, at::IntArrayRef sizes) {
    return gradient.defined() ? gradient.contiguous() : at::zeros(sizes, at::kFloat);
  };
  const Tensor output = given(by_output, {rows, shape_.dims});
  const Tensor products = given(by_products, {z_.size(0), rows, shape_.dims});
  Gradients made{
      at::empty({rows, shape_.dims}, at::kFloat), {}, at::zeros({shape_.parameters}, at::kFloat)};
  if (shift_.defined()) made.shift = at::empty_like(shift_);
  along_.backward(
      parameters_, input(), output.const_data_ptr<float>(), products.const_data_ptr<float>(),
      {made.parameters.data_ptr<float>(), to_size(shape_.parameters)}, made.state.data_ptr<float>(),
      made.shift.defined() ? made.shift.data_ptr<float>() : nullptr);
  return made;
}

std::vector<Tensor> AlongFunction::forward(Context* context, const AlongShape& shape,
                                           const float* parameters, const Tensor& /*x*/,
                                           const Tensor& first, const std::optional<Tensor>& shift,
                                           const Tensor& z, at::TensorList parts) {
  const auto pass = c10::make_intrusive<AlongPass>(shape, parameters, first,
                                                   shift ? shift->detach() : Tensor(), z);
  const auto [out, products] = pass->forward(true);
  context->saved_data["pass"] = c10::IValue::make_capsule(pass);
  context->saved_data["parts"] = parts.vec();
  return {out, products};
}

std::vector<Tensor> AlongFunction::backward(Context* context,
                                            const std::vector<Tensor>& gradients) {
  const auto pass =
      c10::static_intrusive_pointer_cast<AlongPass>(context->saved_data["pass"].toCapsule());
  const auto found = pass->backward(gradients[0], gradients[1]);
  // In the order of forward()'s arguments: shape, parameters, x, first, shift, z, parts.
  std::vector<Tensor> made{{}, {}, found.state, {}, found.shift, {}};
  const auto parts = context->saved_data["parts"].toTensorVector();
  for (const Tensor& part : parts) {
    const std::int64_t place = part.const_data_ptr<float>() - pass->parameters();
    made.push_back(found.parameters.narrow(0, place, part.numel()).view(part.sizes()));
  }
  return made;
}

}  // namespace gradatim::neural
