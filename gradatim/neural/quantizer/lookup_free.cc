// Signs of a few numbers.
#include "gradatim/neural/quantizer/lookup_free.h"

#include "gradatim/neural/quantizer.h"

namespace gradatim::neural {
namespace {

using Config = LookupFreeConfig;

constexpr api::Setting kSettings[] = {
    api::setting<&Config::bits>(
        {.doc = "Numbers whose signs are the code; a vector is brought to as many by a linear "
                "layer, and back by another, where it has more or fewer.",
         .range = api::between(1, 24)}),
    commitment_setting<Config>(),
    api::setting<&Config::entropy>(
        {.doc = "Weight of the entropy of signs, mean over bits: that a vector is sure of its "
                "code, and that all codes are used.",
         .range = api::at_least(0.0)}),
    api::setting<&Config::diversity>(
        {.doc = "Weight, within that, of the use of all codes.", .range = api::at_least(0.0)}),
    api::setting<&Config::temperature>(
        {.doc = "How far from 0 a number must be before its sign is sure.",
         .range = api::above(0.0)}),
    api::setting<&Config::decay>(
        {.doc = "What an update keeps of the moving average of signs, by which their diversity is "
                "judged.",
         .range = api::between(0.0, 0.999999)}),
};

constexpr api::Text kText = {
    .name = "neural.quantizer.lookup_free",
    .summary = "Signs of a few numbers are the bits of a code.",
    .detail =
        "A bit is 1 with probability sigmoid(4 z / temperature). Vectors should be sure (low "
        "entropy of each) and codes be used alike (high entropy of the mean), bit by bit. The mean "
        "is a moving average, so that the loss of a batch is the sum of its parts.",
    .source =
        "Yu et al. (2024), Language model beats diffusion: tokenizer is key to visual generation",
    .shape = "z: [vectors, dims]; codes: [vectors, 1]",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_quantizer_lookup_free) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::Quantizer, gradatim::neural::LookupFreeConfig>,
    gradatim::neural::LookupFreeConfig>(gradatim::neural::kText, gradatim::neural::kSettings);
