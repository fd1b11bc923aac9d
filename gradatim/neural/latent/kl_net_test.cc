// The networks of neural.kl_autoencoder: diffusers' numbers, gradients, and decoding in stripes.
#include "gradatim/neural/latent/kl_net.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "gradatim/core/normal.h"
#include "gradatim/neural/checkpoint/diffusers_autoencoder.h"
#include "gradatim/neural/nn/unet_layers.h"

namespace gradatim::neural {
namespace {

namespace fs = std::filesystem;

Tensor kl_normal(std::uint32_t draws, std::vector<std::int64_t> sizes) {
  std::vector<double> numbers(static_cast<std::size_t>(c10::multiply_integers(sizes)));
  normals(Philox(5, Stream::data, draws), 0, numbers);
  return at::tensor(at::ArrayRef<double>(numbers), at::kDouble).to(at::kFloat).view(sizes);
}

double kl_apart(const Tensor& ours, const Tensor& theirs) {
  return ((ours - theirs).abs().max() / theirs.abs().max()).item<double>();
}

KlConfig small_config() {
  KlConfig config;
  config.channels = {8, 16, 12};
  config.latent_channels = 3;
  config.norm_groups = 4;
  return config;
}

struct SmallNet {
  explicit SmallNet(const KlConfig& config = small_config(),
                    const std::vector<std::int64_t>& sample = {2, 24, 20})
      : net(make_kl_net(config, Scope(parameters), sample)) {
    parameters.pack();
    parameters.init(3);
  }
  Parameters parameters;
  std::unique_ptr<KlNet> net;
};

Tensor array_of(const SafetensorsFile& file, const std::string& name) {
  auto numbers = file.read<float>(name);
  return at::from_blob(numbers.data(), file.view(name).shape, at::kFloat).clone();
}

TEST(KlNet, IsTheAutoencoderOfTheTinyPipeline) {
  const char* named = std::getenv("GRADATIM_FIXTURES");
  const fs::path folder = fs::path(named != nullptr ? named : "../shared/fixtures") / "tiny_sd";
  if (!fs::exists(folder)) {
    GTEST_SKIP() << folder << " is not at hand: name its parent in GRADATIM_FIXTURES";
  }
  const SafetensorsFile expected((folder / "ref.safetensors").string());
  const auto path = autoencoder_folder((folder / "model" / "vae").string());
  ASSERT_TRUE(path.has_value());
  const KlParts parts = load_autoencoder(read_autoencoder_folder(*path));
  const at::NoGradGuard plain;
  const Posterior found = parts.net->encode(array_of(expected, "vae.img"));
  EXPECT_LT(kl_apart(found.mean, array_of(expected, "vae.mean")), 1e-5);
  EXPECT_LT(kl_apart(found.log_variance, array_of(expected, "vae.logvar")), 1e-5);
  const Tensor mean = array_of(expected, "vae.mean");
  const Tensor image = array_of(expected, "vae.dec_of_mean");
  EXPECT_LT(kl_apart(parts.net->decode(mean), image), 1e-5);
  EXPECT_LT(kl_apart(parts.net->decode_in_stripes(mean, 500), image), 1e-4);
}

TEST(KlNet, LatentsAreHalvedOnceForEachLevelButTheLast) {
  const SmallNet small;
  EXPECT_EQ(small.net->latent(), (std::vector<std::int64_t>{3, 6, 5}));
  const at::NoGradGuard plain;
  const Posterior found = small.net->encode(kl_normal(0, {2, 2, 24, 20}));
  EXPECT_EQ(found.mean.sizes(), at::IntArrayRef({2, 3, 6, 5}));
  EXPECT_EQ(small.net->decode(found.mean).sizes(), at::IntArrayRef({2, 2, 24, 20}));
}

TEST(KlNet, StripesOfAnyHeightDecodeTheSameImage) {
  for (const bool attention : {true, false}) {
    KlConfig config = small_config();
    config.middle_attention = attention;
    const SmallNet small(config);
    const at::NoGradGuard plain;
    // Far from 0, where a variance by squares would lose its digits.
    for (const auto& item : small.parameters.items()) {
      if (item.name.ends_with("conv_in.bias") || item.name.ends_with("conv1.bias")) {
        item.value.add_(20.0);
      }
    }
    const Tensor z = kl_normal(1, {3, 3, 6, 5});
    const Tensor whole = small.net->decode(z);
    for (const std::int64_t pixels : {1, 19, 60, 130, 480, 10000}) {
      EXPECT_LT(kl_apart(small.net->decode_in_stripes(z, pixels), whole), 1e-4) << pixels;
    }
  }
}

TEST(KlNet, BlocksWithoutATimeAreTheirPlainForm) {
  const auto gradients = [](bool fused) {
    SmallNet small;
    small.parameters.require_gradients(true);
    std::optional<PlainLayers> plain;
    if (!fused) plain.emplace();
    Tensor loss;
    {
      const at::AutoGradMode graph(true);
      const Posterior found = small.net->encode(kl_normal(2, {2, 2, 24, 20}));
      loss = small.net->decode(found.draw(kl_normal(3, {2, 3, 6, 5}))).square().sum() +
             found.divergence().sum();
    }
    torch::autograd::backward({loss});
    return std::pair(loss.detach(), small.parameters.gradients().clone());
  };
  const at::NoGradGuard plain;
  const auto ours = gradients(true), theirs = gradients(false);
  EXPECT_LT(kl_apart(ours.first, theirs.first), 1e-5);
  EXPECT_LT(kl_apart(ours.second, theirs.second), 1e-4);
}

TEST(KlNet, GradientsAreThoseOfDifferences) {
  for (const bool images : {true, false}) {
    const std::vector<std::int64_t> sample =
        images ? std::vector<std::int64_t>{2, 8, 12} : std::vector<std::int64_t>{5};
    SmallNet small(small_config(), sample);
    auto sizes = sample;
    sizes.insert(sizes.begin(), 2);
    auto latent = small.net->latent();
    latent.insert(latent.begin(), 2);
    const Tensor x = kl_normal(4, sizes), noise = kl_normal(5, latent);
    const auto loss = [&] {
      const Posterior found = small.net->encode(x);
      return (small.net->decode(found.draw(noise)) - x).square().sum() +
             0.1 * found.divergence().sum();
    };
    small.parameters.require_gradients(true);
    {
      const at::AutoGradMode graph(true);
      const Tensor value = loss();
      const at::NoGradGuard plain;
      torch::autograd::backward({value});
    }
    const at::NoGradGuard plain;
    for (const char* part : {"encoder.", "decoder.", "quant_conv.", "post_quant_conv."}) {
      const Tensor direction = at::zeros_like(small.parameters.values());
      std::uint32_t draws = 10;
      for (const auto& item : small.parameters.items()) {
        if (!item.name.starts_with(part)) continue;
        direction.narrow(0, item.offset, item.value.numel())
            .copy_(kl_normal(draws++, {item.value.numel()}));
      }
      if (draws == 10) continue;  // rows have no such layers
      direction.div_(direction.norm());
      const double slope = (direction * small.parameters.gradients()).sum().item<double>();
      const double step = 0.01;
      const auto at_step = [&](double times) {
        small.parameters.values().add_(direction, times * step);
        const double value = loss().item<double>();
        small.parameters.values().add_(direction, -times * step);
        return value;
      };
      const double change = (at_step(1.0) - at_step(-1.0)) / (2.0 * step);
      EXPECT_NEAR(change, slope, 0.02 * std::abs(slope) + 0.02) << part << images;
    }
  }
}

TEST(Posterior, DivergenceIsThatOfItsDraws) {
  const Posterior found{at::tensor({0.5, -1.2, 0.0}, at::kFloat).view({1, 3}),
                        at::tensor({0.3, -1.0, 0.0}, at::kFloat).view({1, 3})};
  constexpr std::int64_t kDraws = 200000;
  const Tensor noise = kl_normal(6, {kDraws, 3}), z = found.draw(noise);
  // ln q(z) - ln p(z); what is under both roots goes away.
  const Tensor nats =
      0.5 * (z.square() - noise.square() - found.log_variance).sum(1).to(at::kDouble);
  EXPECT_NEAR(nats.mean().item<double>(), found.divergence().item<double>(), 0.02);
  const Posterior normal{at::zeros({1, 3}), at::zeros({1, 3})};
  EXPECT_EQ(normal.divergence().item<double>(), 0.0);
}

TEST(Posterior, LogarithmsOfVariancesAreHeld) {
  SmallNet small;
  const at::NoGradGuard plain;
  for (const auto& item : small.parameters.items()) {
    if (item.name != "quant_conv.bias") continue;
    item.value.narrow(0, 3, 1).fill_(-1e6);
    item.value.narrow(0, 4, 1).fill_(1e6);
  }
  const Tensor held = small.net->encode(kl_normal(7, {1, 2, 24, 20})).log_variance;
  EXPECT_EQ(held.select(1, 0).max().item<double>(), -30.0);
  EXPECT_EQ(held.select(1, 1).min().item<double>(), 20.0);
}

}  // namespace
}  // namespace gradatim::neural
