// Arms that wind outwards, each a chain of normal distributions at even distances: radius
// sqrt(s) at the angle 2 pi turns sqrt(s), s even in (0, 1].
#include <cmath>
#include <numbers>

#include "gradatim/api/export.h"
#include "gradatim/process/oracle.h"

namespace gradatim::process {
namespace {

struct SpiralConfig {
  int arms = 2;
  int components = 64;
  double turns = 1.5;
  double deviation = 0.03;
};

class SpiralOracle final : public MixtureMaker {
 public:
  explicit SpiralOracle(const SpiralConfig& config) : MixtureMaker(made(config)) {}

 private:
  static Mixture made(const SpiralConfig& config) {
    constexpr double kCircle = 2.0 * std::numbers::pi;
    Mixture mixture{.deviations = {config.deviation}, .dims = 2};
    for (int arm = 0; arm < config.arms; ++arm) {
      for (int k = 0; k < config.components; ++k) {
        const double radius = std::sqrt((k + 1.0) / config.components);
        const double angle = kCircle * (config.turns * radius + double(arm) / config.arms);
        mixture.weights.push_back(1.0);
        mixture.means.push_back(radius * std::cos(angle));
        mixture.means.push_back(radius * std::sin(angle));
        mixture.labels.push_back(arm);
      }
    }
    return mixture;
  }
};

constexpr api::Setting kSettings[] = {
    api::setting<&SpiralConfig::arms>({.doc = "Arms.", .range = api::between(1, 16)}),
    api::setting<&SpiralConfig::components>(
        {.doc = "Normal distributions an arm.", .range = api::between(1, 1000)}),
    api::setting<&SpiralConfig::turns>(
        {.doc = "How often an arm goes round.", .range = api::at_least(0.0)}),
    api::setting<&SpiralConfig::deviation>(
        {.doc = "Standard deviation of each.", .range = api::above(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.oracle.spiral",
    .summary = "Arms that wind outwards to radius 1, with an exact density.",
    .detail = "Labels are the arms.",
    .source =
        "Grathwohl et al. (2019), FFJORD: free-form continuous dynamics for scalable "
        "reversible generative models, section 4.1",
    .shape = "[rows, 2]",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_oracle_spiral) =
    gradatim::api::component<gradatim::process::SpiralOracle, gradatim::process::SpiralConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
