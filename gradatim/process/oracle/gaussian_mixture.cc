// Normal distributions of your own: weights, means and deviations.
#include "gradatim/api/export.h"
#include "gradatim/process/oracle.h"

namespace gradatim::process {
namespace {

struct MixtureConfig {
  int dims = 1;
  api::List<double, 256> weights = {0.3, 0.7};
  api::List<double, 2048> means = {-1.0, 1.0};
  api::List<double, 2048> deviations = {0.15, 0.3};
};

class GaussianMixtureOracle final : public MixtureMaker {
 public:
  explicit GaussianMixtureOracle(const MixtureConfig& config)
      : MixtureMaker({{config.weights.begin(), config.weights.end()},
                      {config.means.begin(), config.means.end()},
                      {config.deviations.begin(), config.deviations.end()},
                      config.dims}) {}
};

constexpr api::Setting kSettings[] = {
    api::setting<&MixtureConfig::dims>({.doc = "Dimensions.", .range = api::between(1, 2048)}),
    api::setting<&MixtureConfig::weights>(
        {.doc = "A weight for each component; they are scaled to add up to 1.",
         .range = api::above(0.0)}),
    api::setting<&MixtureConfig::means>(
        {.doc = "The mean of each component, its dimensions side by side."}),
    api::setting<&MixtureConfig::deviations>(
        {.doc = "Standard deviations: one, one a component, or one a component and dimension.",
         .range = api::above(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.oracle.gaussian_mixture",
    .summary = "A mixture of normal distributions of your own.",
    .detail = "Labels are its components, from 0.",
    .source = "Bishop (2006), Pattern recognition and machine learning, section 2.3.9",
    .errors = "GRD-1133 the lists do not fit together",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_oracle_gaussian_mixture) =
    gradatim::api::component<gradatim::process::GaussianMixtureOracle,
                             gradatim::process::MixtureConfig>(gradatim::process::kText,
                                                               gradatim::process::kSettings);
