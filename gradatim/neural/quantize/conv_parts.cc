#include "gradatim/neural/quantize/conv_parts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "gradatim/core/error.h"
#include "gradatim/neural/nn/precision.h"

namespace gradatim::neural {
namespace {

Tensor channels_last_of(const Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

std::int64_t half_of(const ConvPlan& plan) { return std::max<std::int64_t>(1, plan.channels / 2); }

}  // namespace

Doubling::Doubling(const Scope& scope, std::int64_t in, std::int64_t out)
    : weight(scope.add("weight", {in, out, 4, 4}, Init::of_inputs(out * 16))),
      bias(scope.add("bias", {out}, Init::of_inputs(out * 16))) {}

Tensor Doubling::operator()(const Tensor& x) const {
  return at::conv_transpose2d(x, weight, bias, {2, 2}, {1, 1});
}

ResidualStack::ResidualStack(const Scope& scope, std::int64_t channels, std::int64_t inner,
                             std::int64_t count) {
  for (std::int64_t k = 0; k < count; ++k) {
    first_.emplace_back(scope / k / "conv1", channels, inner, 3);
    second_.emplace_back(scope / k / "conv2", inner, channels, 1);
  }
}

Tensor ResidualStack::operator()(Tensor x) const {
  for (std::size_t k = 0; k < first_.size(); ++k) {
    // The sum is x's own, and what relu made of it was a copy.
    x = second_[k](first_[k](at::relu(x)).relu_()).add_(x);
  }
  return at::relu(x);
}

ConvEncoder::ConvEncoder(const Scope& scope, const ConvPlan& plan)
    : last_(scope / "conv_out", plan.downsamplings == 1 ? half_of(plan) : plan.channels,
            plan.channels, 3),
      residual_(scope / "residual", plan.channels, plan.residual_channels, plan.residual_layers) {
  std::int64_t in = plan.image;
  for (std::int64_t k = 0; k < plan.downsamplings; ++k) {
    const std::int64_t out = k == 0 ? half_of(plan) : plan.channels;
    halvings_.emplace_back(scope / "halvings" / k, in, out, 4);
    halvings_.back().stride = 2;
    halvings_.back().padding = 1;
    in = out;
  }
}

Tensor ConvEncoder::operator()(const Tensor& x) const {
  Tensor h = channels_last_of(x);
  for (const auto& halving : halvings_) h = halving(h).relu_();
  return residual_(last_(h));
}

ConvDecoder::ConvDecoder(const Scope& scope, const ConvPlan& plan, std::int64_t in)
    : first_(scope / "conv_in", in, plan.channels, 3),
      residual_(scope / "residual", plan.channels, plan.residual_channels, plan.residual_layers) {
  for (std::int64_t k = 0; k < plan.downsamplings; ++k) {
    const bool last = k + 1 == plan.downsamplings;
    const std::int64_t from = last && k > 0 ? half_of(plan) : plan.channels;
    const std::int64_t to = last                          ? plan.image
                            : k + 2 == plan.downsamplings ? half_of(plan)
                                                          : plan.channels;
    doublings_.emplace_back(scope / "doublings" / k, from, to);
  }
}

Tensor ConvDecoder::operator()(const Tensor& x) const {
  Tensor h = residual_(first_(x));
  for (std::size_t k = 0; k < doublings_.size(); ++k) {
    h = doublings_[k](h);
    if (k + 1 < doublings_.size()) h.relu_();
  }
  return h;
}

Tensor vectors_of(const Tensor& image) {
  const Tensor last = channels_last_of(image).permute({0, 2, 3, 1});
  return last.reshape({-1, last.size(3)});
}

Tensor image_of(const Tensor& vectors, const CodeShape::Level& places) {
  return vectors.view({-1, places.height, places.width, vectors.size(1)}).permute({0, 3, 1, 2});
}

CodeShape::Level places_of_images(const char* component, const std::vector<std::int64_t>& sample,
                                  std::int64_t downsamplings) {
  const std::int64_t unit = std::int64_t{1} << downsamplings;
  GRADATIM_CHECK(sample.size() == 3 && sample[1] % unit == 0 && sample[2] % unit == 0, UsageError,
                 1205,
                 "{} with {} halvings takes images whose height and width are multiples of {}; "
                 "samples are [{}]",
                 component, downsamplings, unit, fmt::join(sample, ", "));
  return {sample[1] / unit, sample[2] / unit};
}

}  // namespace gradatim::neural
