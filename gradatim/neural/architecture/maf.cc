// A masked autoregressive flow.
#include "gradatim/neural/architecture/maf.h"

#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

using Config = MafConfig;

constexpr api::Setting kSettings[] = {
    transforms_setting<Config>(), width_setting<Config>(), layers_setting<Config>(),
    activation_setting<Config>(), bound_setting<Config>(),
};

constexpr api::Text kText = {
    .name = "neural.architecture.maf",
    .summary =
        "Affine autoregressive steps: a quick density, and samples by a pass a number and step.",
    .source =
        "Papamakarios, Pavlakou and Murray (2017), Masked autoregressive flow for density "
        "estimation",
    .shape = "[rows, dims], or images, flattened",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_architecture_maf) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::Architecture, gradatim::neural::MafConfig>,
    gradatim::neural::MafConfig>(gradatim::neural::kText, gradatim::neural::kSettings);
