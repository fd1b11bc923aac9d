// An inverse autoregressive flow.
#include "gradatim/neural/architecture/iaf.h"

#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

using Config = IafConfig;

constexpr api::Setting kSettings[] = {
    transforms_setting<Config>(), width_setting<Config>(), layers_setting<Config>(),
    activation_setting<Config>(), bound_setting<Config>(),
};

constexpr api::Text kText = {
    .name = "neural.architecture.iaf",
    .summary =
        "Inverse affine autoregressive steps: quick samples, and a density by a pass a number and "
        "step.",
    .source =
        "Kingma et al. (2016), Improved variational inference with inverse autoregressive flow",
    .shape = "[rows, dims], or images, flattened",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_architecture_iaf) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::Architecture, gradatim::neural::IafConfig>,
    gradatim::neural::IafConfig>(gradatim::neural::kText, gradatim::neural::kSettings);
