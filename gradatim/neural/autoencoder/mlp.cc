// An autoencoder of rows of numbers: perceptrons on both sides of so many codes a row.
#include "gradatim/neural/autoencoder/mlp.h"

#include "gradatim/api/export.h"
#include "gradatim/neural/quantizer.h"

namespace gradatim::neural {
namespace {

using Config = MlpAutoencoderConfig;

constexpr api::Setting kSettings[] = {
    api::setting<&Config::width>(
        {.doc = "Units of a hidden layer.", .range = api::between(1, 65536)}),
    api::setting<&Config::layers>(
        {.doc = "Hidden layers of the encoder, and of the decoder.", .range = api::between(1, 64)}),
    api::setting<&Config::codes_each>(
        {.doc = "Places of codes that a row becomes.", .range = api::between(1, 4096)}),
    api::setting<&Config::code_width>(
        {.doc = "Numbers of the vector that a code stands for.", .range = api::between(1, 4096)}),
};

constexpr api::Text kText = {
    .name = "neural.autoencoder.mlp",
    .summary = "Perceptrons that take a row of numbers to a few codes, and back.",
    .detail = "Hidden layers have ReLU. Images are taken as the row of their pixels.",
    .source =
        "Hinton and Salakhutdinov (2006), Reducing the dimensionality of data with neural "
        "networks; van den Oord, Vinyals and Kavukcuoglu (2017), Neural discrete "
        "representation learning",
    .shape = "[rows, dims] -> [rows, codes_each] codes",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_autoencoder_mlp) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::Autoencoder, gradatim::neural::MlpAutoencoderConfig>,
    gradatim::neural::MlpAutoencoderConfig>(gradatim::neural::kText, gradatim::neural::kSettings);
