// y = x + g(x), g a perceptron that shrinks distances.
#include "gradatim/neural/bijection/residual.h"

#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

using Config = ResidualConfig;

constexpr api::Setting kSettings[] = {width_setting<Config>(),     layers_setting<Config>(),
                                      lipschitz_setting<Config>(), trace_setting<Config>(),
                                      terms_setting<Config>(),     iterations_setting<Config>()};

constexpr api::Text kText = {
    .name = "neural.bijection.residual",
    .summary = "A sample plus a perceptron of it that shrinks distances.",
    .detail =
        "Every matrix of the perceptron is divided by a bound of its largest singular value, "
        "which is a function of the matrix alone. The inverse is found by fixed-point iteration. "
        "Where ln |det| is estimated, the estimate of a sample is the same whenever it is asked "
        "for, and its error is as large as that of one random vector.",
    .source =
        "Behrmann et al. (2019), Invertible residual networks; Chen et al. (2019), Residual flows "
        "for invertible generative modeling",
    .shape = "[rows, dims], or images, flattened",
    .errors =
        "GRD-4032 an inverse leaves the range of floats; GRD-4033 an inverse does not converge",
    .measured = "inverse to 1e-6 of numbers about 1",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_bijection_residual) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::Bijection, gradatim::neural::ResidualConfig>,
    gradatim::neural::ResidualConfig>(gradatim::neural::kText, gradatim::neural::kSettings);
