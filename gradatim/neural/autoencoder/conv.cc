// A convolutional residual autoencoder of images, as VQ-VAE's.
#include "gradatim/neural/autoencoder/conv.h"

#include "gradatim/api/export.h"
#include "gradatim/neural/quantizer.h"

namespace gradatim::neural {
namespace {

using Config = ConvAutoencoderConfig;

constexpr api::Setting kSettings[] = {
    api::setting<&Config::channels>(
        {.doc = "Channels of the coarse image; one step finer there are half as many.",
         .range = api::between(2, 8192)}),
    api::setting<&Config::downsamplings>(
        {.doc = "How often images are halved; there is a code for each pixel that is left.",
         .range = api::between(1, 8)}),
    api::setting<&Config::residual_layers>(
        {.doc = "Residual blocks of the encoder, and of the decoder.",
         .range = api::between(0, 64)}),
    api::setting<&Config::residual_channels>(
        {.doc = "Channels inside a residual block.", .range = api::between(1, 8192)}),
    api::setting<&Config::code_width>(
        {.doc = "Numbers of the vector that a code stands for.", .range = api::between(1, 4096)}),
};

constexpr api::Text kText = {
    .name = "neural.autoencoder.conv",
    .summary = "Convolutions that halve images, residual blocks, and the way back.",
    .detail =
        "Encoder: 4 x 4 convolutions of stride 2, one 3 x 3, residual blocks (ReLU, 3 x 3, ReLU, "
        "1 x 1), and 1 x 1 to the code's vector; the decoder mirrors it with transposed "
        "convolutions. Height and width must be multiples of 2 to the number of halvings.",
    .source =
        "van den Oord, Vinyals and Kavukcuoglu (2017), Neural discrete representation "
        "learning",
    .shape = "[rows, channels, height, width] -> [rows, height / 2^d, width / 2^d] codes",
    .errors = "GRD-1205 samples of another shape",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_autoencoder_conv) =
    gradatim::api::component<gradatim::neural::MadeBy<gradatim::neural::Autoencoder,
                                                      gradatim::neural::ConvAutoencoderConfig>,
                             gradatim::neural::ConvAutoencoderConfig>(gradatim::neural::kText,
                                                                      gradatim::neural::kSettings);
