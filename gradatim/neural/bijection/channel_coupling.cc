// The step of RealNVP behind a squeeze, and of Glow: half of the channels stays, the other moves.
#include "gradatim/neural/bijection/channel_coupling.h"

#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

using Config = ChannelCouplingConfig;

constexpr api::Setting kSettings[] = {map_setting<Config>(), image_conditioner_setting<Config>(),
                                      channels_setting<Config>(), image_layers_setting<Config>(),
                                      bound_setting<Config>()};

constexpr api::Text kText = {
    .name = "neural.bijection.channel_coupling",
    .summary = "Half of the channels is moved by convolutions of the other half.",
    .detail = "Labels and conditions shift the channels behind the first convolution.",
    .source =
        "Dinh, Sohl-Dickstein and Bengio (2017), Density estimation using Real NVP; Kingma and "
        "Dhariwal (2018), Glow: generative flow with invertible 1x1 convolutions",
    .shape = "[rows, channels, height, width], channels at least 2",
    .errors = "GRD-1191 a sample is no image, or has one channel",
    .measured = "inverse to 2e-6 of numbers about 1",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_bijection_channel_coupling) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::Bijection, gradatim::neural::ChannelCouplingConfig>,
    gradatim::neural::ChannelCouplingConfig>(gradatim::neural::kText, gradatim::neural::kSettings);
