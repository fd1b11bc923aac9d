// Glow: at every scale, steps of activation norm, 1 x 1 convolution and coupling.
#include "gradatim/neural/architecture/glow.h"

#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

using Config = GlowConfig;

constexpr api::Setting kSettings[] = {
    levels_setting<Config>(),
    api::setting<&GlowConfig::depth>(
        {.doc = "Steps of a scale, each an activation norm, a convolution and a coupling.",
         .range = api::between(1, 1024)}),
    map_setting<Config>(),
    image_conditioner_setting<Config>(),
    channels_setting<Config>(),
    image_layers_setting<Config>(),
    bound_setting<Config>()};

constexpr api::Text kText = {
    .name = "neural.architecture.glow",
    .summary =
        "Steps of activation norm, invertible 1 x 1 convolution and coupling, at several scales.",
    .detail =
        "Every scale begins with a squeeze. Of rows there is one scale: a matrix stands for the "
        "convolution, a perceptron of so many layers for the conditioner.",
    .source = "Kingma and Dhariwal (2018), Glow: generative flow with invertible 1x1 convolutions",
    .shape = "[rows, channels, height, width], or [rows, dims]",
    .errors = "GRD-1191 an image that cannot be halved as often as there are levels",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_architecture_glow) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::Architecture, gradatim::neural::GlowConfig>,
    gradatim::neural::GlowConfig>(gradatim::neural::kText, gradatim::neural::kSettings);
