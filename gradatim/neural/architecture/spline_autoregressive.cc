// A neural spline flow of autoregressive steps.
#include "gradatim/neural/architecture/spline_autoregressive.h"

#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

using Config = SplineAutoregressiveFlowConfig;

constexpr api::Setting kSettings[] = {
    transforms_setting<Config>(), width_setting<Config>(), layers_setting<Config>(),
    activation_setting<Config>(), bins_setting<Config>(),  tail_bound_setting<Config>(),
};

constexpr api::Text kText = {
    .name = "neural.architecture.spline_autoregressive",
    .summary =
        "Autoregressive steps by splines: a quick density, and samples by a pass a number and "
        "step.",
    .source = "Durkan, Bekasov, Murray and Papamakarios (2019), Neural spline flows",
    .shape = "[rows, dims], or images, flattened",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_architecture_spline_autoregressive) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::Architecture,
                             gradatim::neural::SplineAutoregressiveFlowConfig>,
    gradatim::neural::SplineAutoregressiveFlowConfig>(gradatim::neural::kText,
                                                      gradatim::neural::kSettings);
