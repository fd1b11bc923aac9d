// Codebooks one behind the other.
#include "gradatim/neural/quantizer.h"
#include "gradatim/neural/quantizer/books.h"

namespace gradatim::neural {
namespace {

using Config = ResidualQuantizerConfig;

constexpr api::Setting kSettings[] = {
    books_setting<Config>(),      codes_setting<Config>(),     learned_setting<Config>(),
    commitment_setting<Config>(), normalise_setting<Config>(), start_iterations_setting<Config>(),
    decay_setting<Config>(),      epsilon_setting<Config>(),   restart_below_setting<Config>(),
};

constexpr api::Text kText = {
    .name = "neural.quantizer.residual",
    .summary = "Codebooks one behind the other, each of what those before have left over.",
    .detail =
        "A vector is the sum of one code of each book. The first books hold what is coarse, so "
        "leading codes alone are a coarser vector.",
    .source =
        "Zeghidour et al. (2021), SoundStream: an end-to-end neural audio codec; Lee et al. "
        "(2022), Autoregressive image generation using residual quantization",
    .shape = "z: [vectors, dims]; codes: [vectors, books]",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_quantizer_residual) =
    gradatim::api::component<gradatim::neural::MadeBy<gradatim::neural::Quantizer,
                                                      gradatim::neural::ResidualQuantizerConfig>,
                             gradatim::neural::ResidualQuantizerConfig>(
        gradatim::neural::kText, gradatim::neural::kSettings);
