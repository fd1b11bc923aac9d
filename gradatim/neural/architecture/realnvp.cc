// RealNVP of rows.
#include "gradatim/neural/architecture/realnvp.h"

#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

using Config = RealNvpConfig;

constexpr api::Setting kSettings[] = {
    couplings_setting<Config>(),  width_setting<Config>(), layers_setting<Config>(),
    activation_setting<Config>(), mask_setting<Config>(),  bound_setting<Config>(),
};

constexpr api::Text kText = {
    .name = "neural.architecture.realnvp",
    .summary = "Affine couplings by turns, for rows of numbers.",
    .detail =
        "Each scales and shifts one part of a row by a perceptron of the other, labels and "
        "conditions. "
        "Images are refused; rows of their pixels are not.",
    .source = "Dinh, Sohl-Dickstein and Bengio (2017), Density estimation using Real NVP",
    .shape = "[rows, dims]",
    .errors = "GRD-1191 samples that are images",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_architecture_realnvp) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::Architecture, gradatim::neural::RealNvpConfig>,
    gradatim::neural::RealNvpConfig>(gradatim::neural::kText, gradatim::neural::kSettings);
