// Numbers in another order.
#include "gradatim/neural/bijection/permutation.h"

#include "gradatim/api/export.h"
#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

constexpr api::Setting kSettings[] = {
    api::setting<&PermutationConfig::order>(
        {.doc = "Drawn: by the step's place in the flow and the number of numbers alone, so that "
                "a file needs not keep it; or reverse."}),
};

constexpr api::Text kText = {
    .name = "neural.bijection.permutation",
    .summary = "The numbers of a row in another order, which is fixed.",
    .source =
        "Papamakarios, Pavlakou and Murray (2017), Masked autoregressive flow for density "
        "estimation",
    .shape = "[rows, dims], or images, flattened",
    .measured = "inverse to 0 of numbers about 1",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_bijection_permutation) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::Bijection, gradatim::neural::PermutationConfig>,
    gradatim::neural::PermutationConfig>(gradatim::neural::kText, gradatim::neural::kSettings);
