// Every number goes through a spline that a masked perceptron draws from those in front of it.
#include "gradatim/neural/bijection/spline_autoregressive.h"

#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

using Config = SplineAutoregressiveConfig;

constexpr api::Setting kSettings[] = {width_setting<Config>(),      layers_setting<Config>(),
                                      activation_setting<Config>(), bins_setting<Config>(),
                                      tail_bound_setting<Config>(), inverse_setting<Config>()};

constexpr api::Text kText = {
    .name = "neural.bijection.spline_autoregressive",
    .summary =
        "Every number goes through a rational-quadratic spline that a masked perceptron of "
        "those in front of it draws.",
    .detail =
        "One pass says the parameters of all numbers, so that the density is quick; the inverse "
        "takes a pass a number. Steps of odd places take the numbers in reverse. All hidden units "
        "are told labels and conditions. Splines are the identity beyond the bound.",
    .source =
        "Durkan, Bekasov, Murray and Papamakarios (2019), Neural spline flows; masks: "
        "Germain et al. (2015), MADE",
    .shape = "[rows, dims], or images, flattened",
    .measured = "inverse to 5e-6 of numbers about 1, to less where a curve is flat",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_bijection_spline_autoregressive) =
    gradatim::api::component<gradatim::neural::MadeBy<gradatim::neural::Bijection,
                                                      gradatim::neural::SplineAutoregressiveConfig>,
                             gradatim::neural::SplineAutoregressiveConfig>(
        gradatim::neural::kText, gradatim::neural::kSettings);
