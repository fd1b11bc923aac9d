// RealNVP's step: one part of the numbers stays, the other is scaled and shifted by a perceptron of
// it.
#include "gradatim/neural/bijection/affine_coupling.h"

#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

using Config = AffineCouplingConfig;

constexpr api::Setting kSettings[] = {width_setting<Config>(), layers_setting<Config>(),
                                      activation_setting<Config>(), mask_setting<Config>(),
                                      bound_setting<Config>()};

constexpr api::Text kText = {
    .name = "neural.bijection.affine_coupling",
    .summary = "One part of the numbers is scaled and shifted by a perceptron of the other.",
    .detail = "The perceptron is told labels and conditions beside the numbers.",
    .source = "Dinh, Sohl-Dickstein and Bengio (2017), Density estimation using Real NVP",
    .shape = "[rows, dims]",
    .measured = "inverse to 1e-6 of numbers about 1",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_bijection_affine_coupling) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::Bijection, gradatim::neural::AffineCouplingConfig>,
    gradatim::neural::AffineCouplingConfig>(gradatim::neural::kText, gradatim::neural::kSettings);
