// Normal distributions with diagonal covariances, whose means, deviations and weights are learned.
#include "gradatim/neural/base/mixture.h"

#include "gradatim/api/export.h"
#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

constexpr api::Setting kSettings[] = {
    api::setting<&MixtureBaseConfig::components>(
        {.doc = "Normal distributions.", .range = api::between(1, 4096)}),
    api::setting<&MixtureBaseConfig::spread>(
        {.doc = "Standard deviation of the means that training begins with.",
         .range = api::between(0.0, 100.0)}),
};

constexpr api::Text kText = {
    .name = "neural.base.mixture",
    .summary = "Normal distributions whose means, deviations and weights are learned.",
    .detail = "Labels and conditions shift the weights, each by learned numbers.",
    .source =
        "Izmailov et al. (2020), Semi-supervised learning with normalizing flows; Papamakarios, "
        "Pavlakou and Murray (2017), Masked autoregressive flow for density estimation",
    .shape = "[rows, dims]",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_base_mixture) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::BaseDensity, gradatim::neural::MixtureBaseConfig>,
    gradatim::neural::MixtureBaseConfig>(gradatim::neural::kText, gradatim::neural::kSettings);
