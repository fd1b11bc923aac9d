// A neural spline flow of couplings.
#include "gradatim/neural/architecture/spline.h"

#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

using Config = SplineConfig;

constexpr api::Setting kSettings[] = {
    couplings_setting<Config>(),
    width_setting<Config>(),
    layers_setting<Config>(),
    activation_setting<Config>(),
    mask_setting<Config>(),
    bins_setting<Config>(),
    tail_bound_setting<Config>(),
    api::setting<&Config::mixing>({.doc =
                                       "What stands behind every second coupling, so that others "
                                       "meet: a learned matrix, a drawn order, or nothing."}),
};

constexpr api::Text kText = {
    .name = "neural.architecture.spline",
    .summary = "Spline couplings by turns, and a learned matrix behind every second.",
    .detail = "Between two matrices every number goes through a spline once.",
    .source = "Durkan, Bekasov, Murray and Papamakarios (2019), Neural spline flows",
    .shape = "[rows, dims], or images, flattened",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_architecture_spline) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::Architecture, gradatim::neural::SplineConfig>,
    gradatim::neural::SplineConfig>(gradatim::neural::kText, gradatim::neural::kSettings);
