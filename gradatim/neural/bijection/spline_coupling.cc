// A coupling by splines: one part of the numbers stays, each of the others goes through a curve
// that a perceptron draws from it.
#include "gradatim/neural/bijection/spline_coupling.h"

#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

using Config = SplineCouplingConfig;

constexpr api::Setting kSettings[] = {width_setting<Config>(),      layers_setting<Config>(),
                                      activation_setting<Config>(), mask_setting<Config>(),
                                      bins_setting<Config>(),       tail_bound_setting<Config>()};

constexpr api::Text kText = {
    .name = "neural.bijection.spline_coupling",
    .summary =
        "One part of the numbers goes through rational-quadratic splines that a perceptron "
        "of the other draws.",
    .detail =
        "Splines are the identity beyond the bound. The perceptron is told labels and conditions "
        "beside the numbers.",
    .source = "Durkan, Bekasov, Murray and Papamakarios (2019), Neural spline flows",
    .shape = "[rows, dims], or images, flattened",
    .measured = "inverse to 5e-6 of numbers about 1, to less where a curve is flat",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_bijection_spline_coupling) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::Bijection, gradatim::neural::SplineCouplingConfig>,
    gradatim::neural::SplineCouplingConfig>(gradatim::neural::kText, gradatim::neural::kSettings);
