// RealNVP's step at one scale: the pixels of one colour of a chessboard stay, the others move.
#include "gradatim/neural/bijection/checkerboard_coupling.h"

#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

using Config = CheckerboardCouplingConfig;

constexpr api::Setting kSettings[] = {map_setting<Config>(), image_conditioner_setting<Config>(),
                                      channels_setting<Config>(), image_layers_setting<Config>(),
                                      bound_setting<Config>()};

constexpr api::Text kText = {
    .name = "neural.bijection.checkerboard_coupling",
    .summary = "Every second pixel is moved by convolutions of the others.",
    .detail = "Labels and conditions shift the channels behind the first convolution.",
    .source = "Dinh, Sohl-Dickstein and Bengio (2017), Density estimation using Real NVP",
    .shape = "[rows, channels, height, width]",
    .errors = "GRD-1191 a sample is no image",
    .measured = "inverse to 2e-6 of numbers about 1",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_bijection_checkerboard_coupling) =
    gradatim::api::component<gradatim::neural::MadeBy<gradatim::neural::Bijection,
                                                      gradatim::neural::CheckerboardCouplingConfig>,
                             gradatim::neural::CheckerboardCouplingConfig>(
        gradatim::neural::kText, gradatim::neural::kSettings);
