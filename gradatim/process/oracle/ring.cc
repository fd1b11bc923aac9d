// Normal distributions even on a circle.
#include <cmath>
#include <numbers>

#include "gradatim/api/export.h"
#include "gradatim/process/oracle.h"

namespace gradatim::process {
namespace {

struct RingConfig {
  int components = 8;
  double radius = 1.0;
  double deviation = 0.1;
};

class RingOracle final : public MixtureMaker {
 public:
  explicit RingOracle(const RingConfig& config) : MixtureMaker(made(config)) {}

 private:
  static Mixture made(const RingConfig& config) {
    Mixture mixture{.deviations = {config.deviation}, .dims = 2};
    for (int k = 0; k < config.components; ++k) {
      const double angle = 2.0 * std::numbers::pi * k / config.components;
      mixture.weights.push_back(1.0);
      mixture.means.push_back(config.radius * std::cos(angle));
      mixture.means.push_back(config.radius * std::sin(angle));
    }
    return mixture;
  }
};

constexpr api::Setting kSettings[] = {
    api::setting<&RingConfig::components>(
        {.doc = "How many normal distributions.", .range = api::between(1, 10000)}),
    api::setting<&RingConfig::radius>(
        {.doc = "Radius of the circle.", .range = api::at_least(0.0)}),
    api::setting<&RingConfig::deviation>(
        {.doc = "Standard deviation of each.", .range = api::above(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.oracle.ring",
    .aliases = "process.oracle.eight_gaussians",
    .summary = "Normal distributions even on a circle, eight by default.",
    .detail = "Labels are the components, counter-clockwise from the right.",
    .source =
        "Tong et al. (2024), Improving and generalizing flow-based generative models with "
        "minibatch optimal transport, section 5",
    .shape = "[rows, 2]",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_oracle_ring) =
    gradatim::api::component<gradatim::process::RingOracle, gradatim::process::RingConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
