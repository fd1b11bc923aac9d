// Every number to one of a few levels.
#include "gradatim/neural/quantizer/finite_scalar.h"

#include "gradatim/neural/quantizer.h"

namespace gradatim::neural {
namespace {

using Config = FiniteScalarConfig;

constexpr api::Setting kSettings[] = {
    api::setting<&Config::levels>(
        {.doc = "Levels of each number; a vector is brought to as many numbers by a linear layer, "
                "and back by another, where it has more or fewer.",
         .range = api::between(2, 4096)}),
};

constexpr api::Text kText = {
    .name = "neural.quantizer.finite_scalar",
    .summary = "A few numbers, each rounded to one of its levels.",
    .detail =
        "There is no codebook to learn and no loss: numbers are bounded by a hyperbolic tangent "
        "and rounded, with a straight-through gradient. All of a vector's levels together are one "
        "code, of as many as the product of the levels.",
    .source = "Mentzer et al. (2024), Finite scalar quantization: VQ-VAE made simple",
    .shape = "z: [vectors, dims]; codes: [vectors, 1]",
    .errors = "GRD-1147 more than 16777216 codes",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_quantizer_finite_scalar) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::Quantizer, gradatim::neural::FiniteScalarConfig>,
    gradatim::neural::FiniteScalarConfig>(gradatim::neural::kText, gradatim::neural::kSettings);
