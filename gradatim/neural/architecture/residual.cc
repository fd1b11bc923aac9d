// Residual flows: activation norms and residual steps by turns.
#include "gradatim/neural/architecture/residual.h"

#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

using Config = ResidualFlowConfig;

constexpr api::Setting kSettings[] = {
    api::setting<&Config::blocks>({.doc = "Residual steps, an activation norm in front of each.",
                                   .range = api::between(1, 1024)}),
    width_setting<Config>(),
    layers_setting<Config>(),
    lipschitz_setting<Config>(),
    trace_setting<Config>(),
    terms_setting<Config>(),
    iterations_setting<Config>()};

constexpr api::Text kText = {
    .name = "neural.architecture.residual",
    .summary = "Residual steps of perceptrons that shrink distances, with activation norms.",
    .detail =
        "No part of a sample is left as it is: a step moves every number by all others. Sampling "
        "solves an equation a step.",
    .source =
        "Behrmann et al. (2019), Invertible residual networks; Chen et al. (2019), Residual flows "
        "for invertible generative modeling",
    .shape = "[rows, dims], or images, flattened",
    .errors =
        "GRD-4032 an inverse leaves the range of floats; GRD-4033 an inverse does not converge",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_architecture_residual) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::Architecture, gradatim::neural::ResidualFlowConfig>,
    gradatim::neural::ResidualFlowConfig>(gradatim::neural::kText, gradatim::neural::kSettings);
