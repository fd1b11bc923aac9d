// A transformer over the sequence of codes.
#include "gradatim/neural/code_prior/transformer.h"

#include "gradatim/api/export.h"
#include "gradatim/neural/quantizer.h"

namespace gradatim::neural {
namespace {

using C = TransformerPriorConfig;

constexpr api::Setting kSettings[] = {
    api::setting<&C::width>(
        {.doc = "Numbers of a place within the network.", .range = api::between(1, 65536)}),
    api::setting<&C::layers>({.doc = "Blocks.", .range = api::between(1, 1024)}),
    api::setting<&C::heads>(
        {.doc = "Heads of attention; they must divide the width.", .range = api::between(1, 1024)}),
    api::setting<&C::dropout>(
        {.doc = "Share of the numbers that training leaves out, of each that a block adds.",
         .range = api::between(0.0, 0.9)}),
    api::setting<&C::tied>({.doc = "Whether a code is recognised by the vector that tells it, "
                                   "instead of one of its own."}),
};

constexpr api::Part kParts[] = {
    {"training", "neural.training", "neural.training.adamw", "How parameters are found."},
};

constexpr api::Text kText = {
    .name = "neural.code_prior.transformer",
    .summary = "A transformer that sees the codes so far and says the next one's probabilities.",
    .detail =
        "Codes are one sequence, the coarsest level first. A place sees the code before it, its "
        "own learned place and, by attention, all that came earlier; the label stands in front. "
        "Blocks normalise what they take (pre-LN). Sampling keeps keys and values, and every "
        "thread takes rows of its own through all places.",
    .source =
        "Radford et al. (2019), Language models are unsupervised multitask learners; for codes: "
        "Esser, Rombach and Ommer (2021), Taming transformers for high-resolution image synthesis",
    .shape = "codes: [rows, length], labels: [rows]; out: ln P, [rows, length]",
    .errors = "GRD-1157 heads that do not divide the width, or no codes",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_code_prior_transformer) =
    gradatim::api::component<gradatim::neural::PriorBy<gradatim::neural::TransformerPriorConfig>,
                             gradatim::neural::TransformerPriorConfig>(gradatim::neural::kText,
                                                                       gradatim::neural::kSettings,
                                                                       gradatim::neural::kParts);
