// Parts of a vector, each with a codebook of its own.
#include "gradatim/neural/quantizer.h"
#include "gradatim/neural/quantizer/books.h"

namespace gradatim::neural {
namespace {

using Config = ProductQuantizerConfig;

constexpr api::Setting kSettings[] = {
    books_setting<Config>(),      codes_setting<Config>(),     learned_setting<Config>(),
    commitment_setting<Config>(), normalise_setting<Config>(), start_iterations_setting<Config>(),
    decay_setting<Config>(),      epsilon_setting<Config>(),   restart_below_setting<Config>(),
};

constexpr api::Text kText = {
    .name = "neural.quantizer.product",
    .summary = "Vectors in equal parts, each of which has a codebook of its own.",
    .detail = "With k codes a book, b books tell k^b vectors apart, for the price of b searches.",
    .source =
        "Jegou, Douze and Schmid (2011), Product quantization for nearest neighbor search; codes "
        "learn as van den Oord, Vinyals and Kavukcuoglu (2017) have it",
    .shape = "z: [vectors, dims]; codes: [vectors, books]",
    .errors = "GRD-1147 books do not divide the numbers of a vector",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_quantizer_product) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::Quantizer, gradatim::neural::ProductQuantizerConfig>,
    gradatim::neural::ProductQuantizerConfig>(gradatim::neural::kText, gradatim::neural::kSettings);
