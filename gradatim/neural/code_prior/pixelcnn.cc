// The gated PixelCNN over the places of codes.
#include "gradatim/neural/code_prior/pixelcnn.h"

#include "gradatim/api/export.h"
#include "gradatim/neural/quantizer.h"

namespace gradatim::neural {
namespace {

using C = PixelCnnPriorConfig;

constexpr api::Setting kSettings[] = {
    api::setting<&C::width>(
        {.doc = "Channels of a layer, and numbers that tell a code; the books of a place must "
                "divide them.",
         .range = api::between(1, 65536)}),
    api::setting<&C::layers>({.doc = "Gated layers of each level.", .range = api::between(1, 256)}),
    api::setting<&C::first_kernel>(
        {.doc = "Height and width of the first convolution, odd.", .range = api::between(3, 63)}),
    api::setting<&C::kernel>(
        {.doc = "Height and width of the later ones, odd.", .range = api::between(3, 63)}),
    api::setting<&C::dropout>(
        {.doc = "Share of the numbers that training leaves out, of each that a layer adds.",
         .range = api::between(0.0, 0.9)}),
};

constexpr api::Part kParts[] = {
    {"training", "neural.training", "neural.training.adamw", "How parameters are found."},
};

constexpr api::Text kText = {
    .name = "neural.code_prior.pixelcnn",
    .summary =
        "Masked convolutions over the codes above a place and to the left of it (gated "
        "PixelCNN).",
    .detail =
        "A vertical stack sees the rows above, a horizontal one the codes to the left; both pass "
        "through gates tanh x sigmoid, which a label shifts. The books of a place follow one "
        "another in groups of channels, as colours do. Each level has a network of its own, which "
        "is told the codes of all coarser ones. A level of one row is a stack in one dimension.",
    .source =
        "van den Oord et al. (2016), Conditional image generation with PixelCNN decoders; levels: "
        "Razavi, van den Oord and Vinyals (2019), Generating diverse high-fidelity images with "
        "VQ-VAE-2",
    .shape = "codes: [rows, length], labels: [rows]; out: ln P, [rows, length]",
    .errors = "GRD-1157 books that do not divide the width, an even kernel, or no codes",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_code_prior_pixelcnn) =
    gradatim::api::component<gradatim::neural::PriorBy<gradatim::neural::PixelCnnPriorConfig>,
                             gradatim::neural::PixelCnnPriorConfig>(gradatim::neural::kText,
                                                                    gradatim::neural::kSettings,
                                                                    gradatim::neural::kParts);
