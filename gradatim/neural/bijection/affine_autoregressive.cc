// The step of masked autoregressive flows and of inverse ones: every number is scaled and shifted
// by a masked perceptron of those in front of it.
#include "gradatim/neural/bijection/affine_autoregressive.h"

#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

using Config = AffineAutoregressiveConfig;

constexpr api::Setting kSettings[] = {width_setting<Config>(), layers_setting<Config>(),
                                      activation_setting<Config>(), bound_setting<Config>(),
                                      inverse_setting<Config>()};

constexpr api::Text kText = {
    .name = "neural.bijection.affine_autoregressive",
    .summary = "Every number is scaled and shifted by a masked perceptron of those in front of it.",
    .detail =
        "One pass says the parameters of all numbers, so that the density is quick; the inverse "
        "takes a pass a number. Steps of odd places take the numbers in reverse. All hidden units "
        "are told labels and conditions.",
    .source =
        "Papamakarios, Pavlakou and Murray (2017), Masked autoregressive flow for density "
        "estimation; inverse: Kingma et al. (2016), Improved variational inference with "
        "inverse autoregressive flow; masks: Germain et al. (2015), MADE",
    .shape = "[rows, dims], or images, flattened",
    .measured = "inverse to 1e-6 of numbers about 1",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_bijection_affine_autoregressive) =
    gradatim::api::component<gradatim::neural::MadeBy<gradatim::neural::Bijection,
                                                      gradatim::neural::AffineAutoregressiveConfig>,
                             gradatim::neural::AffineAutoregressiveConfig>(
        gradatim::neural::kText, gradatim::neural::kSettings);
