#include "gradatim/neural/latent/discriminator.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <numeric>

#include "gradatim/core/error.h"

namespace gradatim::neural {
namespace {

constexpr std::int64_t kSize = 4, kMostTimes = 8, kGroups = 8;
constexpr double kSlope = 0.2;

}  // namespace

Discriminator::Discriminator(const KlConfig& config, const Scope& scope,
                             const std::vector<std::int64_t>& sample) {
  GRADATIM_CHECK(sample.size() == 3, UsageError, 1202,
                 "a discriminator sees patches of images, and the samples are rows; leave "
                 "adversarial_weight out");
  // Two more layers each take a line off what is halved.
  const std::int64_t side = std::min(sample[1], sample[2]) >> config.discriminator_layers;
  GRADATIM_CHECK(side >= 3, UsageError, 1202,
                 "discriminator_layers {} are too many for images of [{}]: halved so often, they "
                 "must keep 3 pixels on a side",
                 config.discriminator_layers, fmt::join(sample, ", "));
  const std::int64_t base = config.discriminator_channels;
  std::int64_t in = sample[0], out = base;
  for (std::int64_t k = 0; k <= config.discriminator_layers + 1; ++k) {
    const bool last = k == config.discriminator_layers + 1;
    Convolution layer(scope / "convs" / k, in, last ? 1 : out, kSize);
    layer.stride = k < config.discriminator_layers ? 2 : 1;
    layer.padding = 1;
    convolutions_.push_back(std::move(layer));
    if (k > 0 && !last) norms_.emplace_back(scope / "norms" / k, out, std::gcd(out, kGroups), 1e-5);
    in = out;
    out = std::min(2 * out, kMostTimes * base);
  }
}

Tensor Discriminator::operator()(const Tensor& x) const {
  Tensor h = x.contiguous(at::MemoryFormat::ChannelsLast);
  for (std::size_t k = 0; k < convolutions_.size(); ++k) {
    h = convolutions_[k](h);
    if (k + 1 == convolutions_.size()) break;
    h = at::leaky_relu(k == 0 ? h : norms_[k - 1](h), kSlope);
  }
  return h;
}

Tensor discriminator_loss(const Tensor& real, const Tensor& decoded) {
  return 0.5 * (at::relu(1.0 - real).mean() + at::relu(1.0 + decoded).mean());
}

Tensor generator_loss(const Tensor& decoded) { return decoded.mean().neg(); }

}  // namespace gradatim::neural
