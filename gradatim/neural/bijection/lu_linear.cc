// A learned matrix by its triangular factors.
#include "gradatim/neural/bijection/lu_linear.h"

#include "gradatim/api/export.h"
#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

constexpr api::Setting kSettings[] = {
    api::setting<&LuLinearConfig::bias>({.doc = "Whether a learned vector is added."}),
};

constexpr api::Text kText = {
    .name = "neural.bijection.lu_linear",
    .summary = "A learned matrix L U, and a vector: every number sees every other.",
    .detail =
        "L has ones on its diagonal and U exponentials, so that the matrix has an inverse whatever "
        "is learned; that is by triangular systems. It begins as the identity.",
    .source =
        "Oliva et al. (2018), Transformation autoregressive networks; Kingma and Dhariwal "
        "(2018), Glow: generative flow with invertible 1x1 convolutions",
    .shape = "[rows, dims], or images, flattened",
    .errors = "GRD-4032 an inverse beyond the range of floats",
    .measured = "inverse to 5e-6 of numbers about 1",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_bijection_lu_linear) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::Bijection, gradatim::neural::LuLinearConfig>,
    gradatim::neural::LuLinearConfig>(gradatim::neural::kText, gradatim::neural::kSettings);
