// z of (purpose, step, row, element) by Philox and Box-Muller: any part can be drawn alone, so a
// row is the same in every batch.
#include "gradatim/api/export.h"
#include "gradatim/core/normal.h"
#include "gradatim/process/noise.h"

namespace gradatim::process {
namespace {

class PhiloxSource final : public NoiseSource {
 public:
  explicit PhiloxSource(std::uint64_t seed) : seed_(seed) {}
  void part(Draw draw, std::int64_t row, std::int64_t dims, std::int64_t element,
            std::span<double> out) const override {
    const auto blocks = static_cast<std::uint64_t>((dims + 3) / 4);  // a row
    normals(Philox(seed_, draw.purpose, draw.step),
            4 * blocks * static_cast<std::uint64_t>(row) + static_cast<std::uint64_t>(element),
            out);
  }

  void whole(Draw draw, std::int64_t row, std::int64_t dims, std::span<double> out) override {
    normal_rows(Philox(seed_, draw.purpose, draw.step), static_cast<std::uint64_t>(row),
                static_cast<std::size_t>(dims), out);
  }

 private:
  std::uint64_t seed_;
};

class PhiloxNoise final : public Noise {
 public:
  std::unique_ptr<NoiseSource> source(std::uint64_t seed) const override {
    return std::make_unique<PhiloxSource>(seed);
  }
};

constexpr api::Text kText = {
    .name = "process.noise.philox",
    .summary = "Noise as a pure function of seed, purpose, step, row and element.",
    .detail = "A row's noise does not depend on the batch that it is sampled in.",
    .source =
        "Salmon et al. (2011), Parallel random numbers: as easy as 1, 2, 3; Box and Muller "
        "(1958), A note on the generation of random normal deviates",
    .shape = "[rows, dims]",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_noise_philox) =
    gradatim::api::component<gradatim::process::PhiloxNoise, gradatim::api::NoSettings>(
        gradatim::process::kText);
