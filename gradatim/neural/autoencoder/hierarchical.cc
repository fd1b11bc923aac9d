// Two levels of codes, as VQ-VAE-2's: the fine ones are told what the coarse ones already say.
#include "gradatim/neural/autoencoder/hierarchical.h"

#include "gradatim/api/export.h"
#include "gradatim/neural/quantizer.h"

namespace gradatim::neural {
namespace {

using Config = HierarchicalAutoencoderConfig;

constexpr api::Setting kSettings[] = {
    api::setting<&Config::channels>(
        {.doc = "Channels of both coarse images; one step finer there are half as many.",
         .range = api::between(2, 8192)}),
    api::setting<&Config::downsamplings>(
        {.doc = "How often images are halved to the fine level, one code a pixel.",
         .range = api::between(1, 8)}),
    api::setting<&Config::top_downsamplings>(
        {.doc = "How often that is halved again to the coarse level.",
         .range = api::between(1, 8)}),
    api::setting<&Config::residual_layers>(
        {.doc = "Residual blocks of each encoder and decoder.", .range = api::between(0, 64)}),
    api::setting<&Config::residual_channels>(
        {.doc = "Channels inside a residual block.", .range = api::between(1, 8192)}),
    api::setting<&Config::code_width>(
        {.doc = "Numbers of the vector that a code stands for.", .range = api::between(1, 4096)}),
};

constexpr api::Text kText = {
    .name = "neural.autoencoder.hierarchical",
    .summary = "Codes at two levels: coarse ones for the whole, fine ones for what is left.",
    .detail =
        "The fine encoder's image is halved again and becomes coarse codes; these, decoded, and "
        "the "
        "image together become fine codes; the decoder sees both. Height and width must be "
        "multiples of 2 to the number of all halvings.",
    .source =
        "Razavi, van den Oord and Vinyals (2019), Generating diverse high-fidelity images "
        "with VQ-VAE-2",
    .shape = "[rows, channels, height, width] -> coarse codes, then fine codes, row by row",
    .errors = "GRD-1205 samples of another shape",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_autoencoder_hierarchical) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::Autoencoder,
                             gradatim::neural::HierarchicalAutoencoderConfig>,
    gradatim::neural::HierarchicalAutoencoderConfig>(gradatim::neural::kText,
                                                     gradatim::neural::kSettings);
