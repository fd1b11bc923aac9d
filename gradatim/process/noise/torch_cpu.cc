// The normal numbers of torch's CPU generator, one after the other: Mersenne twister; 16 numbers
// and more in blocks of 16 by Box and Muller on uniforms of 24 bits, fewer on uniforms of 53 bits
// with the second of each pair kept.
//
// Not a function of the row: a sample depends on the batch that it is drawn in, as torch's do.
#include <cmath>
#include <numbers>
#include <random>
#include <stdexcept>

#include "gradatim/api/export.h"
#include "gradatim/process/noise.h"

namespace gradatim::process {
namespace {

constexpr std::size_t kBlock = 16;

class TorchSource final : public NoiseSource {
 public:
  explicit TorchSource(std::uint64_t seed) : engine_(static_cast<std::uint32_t>(seed)) {}

  bool in_order() const override { return true; }
  void part(Draw, std::int64_t, std::int64_t, std::int64_t, std::span<double>) const override {
    throw std::logic_error("this noise comes a whole batch at a time");
  }

  void whole(Draw, std::int64_t, std::int64_t, std::span<double> out) override {
    if (out.size() < kBlock) {
      for (double& z : out) z = static_cast<float>(one());
      return;
    }
    for (double& u : out) u = uniform24();
    for (std::size_t i = 0; i + kBlock <= out.size(); i += kBlock) turn(out.subspan(i, kBlock));
    if (out.size() % kBlock == 0) return;
    const auto tail = out.last(kBlock);  // drawn once more
    for (double& u : tail) u = uniform24();
    turn(tail);
  }

 private:
  double uniform24() { return static_cast<double>(engine_() & 0xFFFFFFU) * 0x1p-24; }
  double uniform53() {
    const std::uint64_t high = engine_();
    const std::uint64_t bits = high << 32 | engine_();
    return static_cast<double>(bits & 0x1FFFFFFFFFFFFFULL) * 0x1p-53;
  }

  // The first eight uniforms are radii, the others angles.
  static void turn(std::span<double> block) {
    for (std::size_t j = 0; j < kBlock / 2; ++j) {
      const double radius = std::sqrt(-2.0 * std::log(1.0 - block[j]));
      const double angle = 2.0 * std::numbers::pi * block[j + kBlock / 2];
      block[j] = static_cast<float>(radius * std::cos(angle));
      block[j + kBlock / 2] = static_cast<float>(radius * std::sin(angle));
    }
  }

  double one() {
    if (kept_) {
      kept_ = false;
      return next_;
    }
    const double angle = 2.0 * std::numbers::pi * uniform53();
    const double radius = std::sqrt(-2.0 * std::log1p(-uniform53()));
    next_ = radius * std::sin(angle);
    kept_ = true;
    return radius * std::cos(angle);
  }

  std::mt19937 engine_;  // the standard fixes its numbers
  double next_ = 0.0;
  bool kept_ = false;
};

class TorchNoise final : public Noise {
 public:
  std::unique_ptr<NoiseSource> source(std::uint64_t seed) const override {
    return std::make_unique<TorchSource>(seed);
  }
};

constexpr api::Text kText = {
    .name = "process.noise.torch_cpu",
    .summary = "The numbers of torch's CPU generator for float32, for comparing with diffusers.",
    .detail = "They come in the order of asking, so a row depends on the batch it is sampled in.",
    .source =
        "Matsumoto and Nishimura (1998), Mersenne twister; Box and Muller (1958), A note on the "
        "generation of random normal deviates",
    .shape = "[rows, dims]",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_noise_torch_cpu) =
    gradatim::api::component<gradatim::process::TorchNoise, gradatim::api::NoSettings>(
        gradatim::process::kText);
