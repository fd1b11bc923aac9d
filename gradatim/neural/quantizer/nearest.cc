// The nearest of vectors that learn by gradient.
#include "gradatim/neural/quantizer.h"
#include "gradatim/neural/quantizer/books.h"

namespace gradatim::neural {
namespace {

using Config = NearestConfig;

constexpr api::Setting kSettings[] = {
    codes_setting<Config>(),
    commitment_setting<Config>(),
    normalise_setting<Config>(),
    start_iterations_setting<Config>(),
};

constexpr api::Text kText = {
    .name = "neural.quantizer.nearest",
    .summary = "The nearest vector of a codebook that learns by gradient.",
    .detail =
        "What the encoder put out is replaced by the code's vector, whose gradient goes straight "
        "through to the encoder. Codes are drawn to the vectors that they stand for by a loss, "
        "vectors to their codes by the commitment. Codes that nothing is near to are never moved.",
    .source =
        "van den Oord, Vinyals and Kavukcuoglu (2017), Neural discrete representation learning",
    .shape = "z: [vectors, dims]; codes: [vectors, 1]",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_quantizer_nearest) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::Quantizer, gradatim::neural::NearestConfig>,
    gradatim::neural::NearestConfig>(gradatim::neural::kText, gradatim::neural::kSettings);
