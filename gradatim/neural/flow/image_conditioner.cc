#include "gradatim/neural/flow/image_conditioner.h"

namespace gradatim::neural {

ImageConditioner::ImageConditioner(const Scope& scope, std::int64_t in, std::int64_t context,
                                   std::int64_t out, const ImageConditionerConfig& config)
    : kind_(config.kind) {
  const bool blocks = kind_ == ImageConditionerKind::residual;
  const std::int64_t width = config.width;
  const int hidden = blocks ? 2 * config.layers : config.layers - 1;
  layers_.emplace_back(scope / "layers" / 0, in, width, 3);
  for (int k = 1; k <= hidden; ++k) {
    layers_.emplace_back(scope / "layers" / k, width, width, blocks ? 3 : 1);
  }
  layers_.emplace_back(scope / "layers" / (hidden + 1), width, out, blocks ? 1 : 3, true);
  if (context > 0) {
    told_ = scope.add("context.weight", {width, context}, Init::of_inputs(context));
  }
}

Tensor ImageConditioner::operator()(const Tensor& x, const Tensor& context) const {
  // oneDNN's quicker order, which all that follows keeps.
  Tensor h = layers_.front()(x.contiguous(at::MemoryFormat::ChannelsLast));
  if (told_.defined()) h = h + at::linear(context, told_).unsqueeze(2).unsqueeze(3);
  if (kind_ == ImageConditionerKind::residual) {
    for (std::size_t k = 1; k + 2 < layers_.size(); k += 2) {
      h = h + layers_[k + 1](at::relu(layers_[k](at::relu(h))));
    }
  } else {
    for (std::size_t k = 1; k + 1 < layers_.size(); ++k) h = layers_[k](at::relu(h));
  }
  return layers_.back()(at::relu(h));
}

}  // namespace gradatim::neural
