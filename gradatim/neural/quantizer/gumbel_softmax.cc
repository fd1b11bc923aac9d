// Codes drawn by chance, in a way that has gradients.
#include "gradatim/neural/quantizer/gumbel_softmax.h"

#include "gradatim/neural/quantizer.h"

namespace gradatim::neural {
namespace {

using Config = GumbelSoftmaxConfig;

constexpr api::Setting kSettings[] = {
    codes_setting<Config>(),
    api::setting<&Config::hard>(
        {.doc = "Whether the decoder sees the vector of one code in training, with the gradient of "
                "the mixture of all, or that mixture itself."}),
    api::setting<&Config::temperature>(
        {.doc = "Of the draws at the first step of training; small ones are nearly of one code.",
         .range = api::above(0.0)}),
    api::setting<&Config::last_temperature>(
        {.doc = "At the last step; between them it changes by an equal factor a step.",
         .range = api::above(0.0)}),
    api::setting<&Config::kl_weight>(
        {.doc = "Weight of the divergence of a vector's distribution of codes from a uniform one.",
         .range = api::at_least(0.0)}),
};

constexpr api::Text kText = {
    .name = "neural.quantizer.gumbel_softmax",
    .summary =
        "Codes drawn from a distribution that a vector says, relaxed so that it has "
        "gradients.",
    .detail =
        "A linear layer gives the logits of codes. In training Gumbel noise is added and a softmax "
        "of a falling temperature mixes the vectors of codes. A trained model takes the likeliest "
        "code. Needs memory for a number a vector and code.",
    .source =
        "Jang, Gu and Poole (2017), Categorical reparameterization with Gumbel-softmax; Maddison, "
        "Mnih and Teh (2017), The concrete distribution",
    .shape = "z: [vectors, dims]; codes: [vectors, 1]",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_quantizer_gumbel_softmax) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::Quantizer, gradatim::neural::GumbelSoftmaxConfig>,
    gradatim::neural::GumbelSoftmaxConfig>(gradatim::neural::kText, gradatim::neural::kSettings);
