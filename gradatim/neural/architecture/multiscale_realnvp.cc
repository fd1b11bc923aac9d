// RealNVP for images: checkerboard couplings, a squeeze, channel couplings, at every scale.
#include "gradatim/neural/architecture/multiscale_realnvp.h"

#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

using Config = MultiscaleRealnvpConfig;

constexpr api::Setting kSettings[] = {
    levels_setting<Config>(),
    api::setting<&Config::couplings>(
        {.doc = "Checkerboard couplings of a scale, and channel couplings behind its squeeze. The "
                "last scale has no squeeze, and one checkerboard coupling more.",
         .range = api::between(1, 1024)}),
    map_setting<Config>(),
    image_conditioner_setting<Config>(),
    channels_setting<Config>(),
    image_layers_setting<Config>(),
    bound_setting<Config>()};

constexpr api::Text kText = {
    .name = "neural.architecture.multiscale_realnvp",
    .summary = "Checkerboard couplings, a squeeze and channel couplings, at several scales.",
    .detail =
        "Behind every coupling is an activation norm, where the paper has batch normalisation: "
        "what a sample's density is then does not depend on the rest of a batch.",
    .source = "Dinh, Sohl-Dickstein and Bengio (2017), Density estimation using Real NVP",
    .shape = "[rows, channels, height, width]",
    .errors =
        "GRD-1191 a sample is no image, or an image that cannot be halved as often as there are "
        "levels",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_architecture_multiscale_realnvp) =
    gradatim::api::component<gradatim::neural::MadeBy<gradatim::neural::Architecture,
                                                      gradatim::neural::MultiscaleRealnvpConfig>,
                             gradatim::neural::MultiscaleRealnvpConfig>(
        gradatim::neural::kText, gradatim::neural::kSettings);
