// Two half circles, each a chain of normal distributions: (cos u, sin u) and (1 - cos u,
// 1/2 - sin u), u in [0, pi], scikit-learn's make_moons with noise.
#include <cmath>
#include <numbers>

#include "gradatim/api/export.h"
#include "gradatim/process/oracle.h"

namespace gradatim::process {
namespace {

struct MoonsConfig {
  int components = 32;
  double deviation = 0.1;
};

class MoonsOracle final : public MixtureMaker {
 public:
  explicit MoonsOracle(const MoonsConfig& config) : MixtureMaker(made(config)) {}

 private:
  static Mixture made(const MoonsConfig& config) {
    Mixture mixture{.deviations = {config.deviation}, .dims = 2};
    for (int moon = 0; moon < 2; ++moon) {
      for (int k = 0; k < config.components; ++k) {
        const double u = std::numbers::pi * (k + 0.5) / config.components;
        mixture.weights.push_back(1.0);
        mixture.means.push_back(moon == 0 ? std::cos(u) : 1.0 - std::cos(u));
        mixture.means.push_back(moon == 0 ? std::sin(u) : 0.5 - std::sin(u));
        mixture.labels.push_back(moon);
      }
    }
    return mixture;
  }
};

constexpr api::Setting kSettings[] = {
    api::setting<&MoonsConfig::components>(
        {.doc = "Normal distributions a moon.", .range = api::between(1, 1000)}),
    api::setting<&MoonsConfig::deviation>(
        {.doc = "Standard deviation of each.", .range = api::above(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.oracle.two_moons",
    .summary = "Two half circles that reach into each other, with an exact density.",
    .detail = "Labels are the moons, 0 above and 1 below.",
    .source = "Pedregosa et al. (2011), Scikit-learn: machine learning in Python, make_moons",
    .shape = "[rows, 2]",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_oracle_two_moons) =
    gradatim::api::component<gradatim::process::MoonsOracle, gradatim::process::MoonsConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
