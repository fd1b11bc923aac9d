// Glow's normalisation: a scale and a shift a channel that begin by data.
#include "gradatim/api/export.h"
#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

class ActivationNorm final : public Bijection {
 public:
  const char* maker() const override { return "gradatim_make_activation_norm"; }
  const void* config() const override { return nullptr; }
};

constexpr api::Text kText = {
    .name = "neural.bijection.activation_norm",
    .summary = "Every channel, or number of a row, is shifted and scaled by learned numbers.",
    .detail =
        "They begin so that the first data leave with mean 0 and deviation 1, and are parameters "
        "from then on: a saved model keeps them.",
    .source = "Kingma and Dhariwal (2018), Glow: generative flow with invertible 1x1 convolutions",
    .shape = "[rows, dims], or images",
    .measured = "inverse to 1e-6 of numbers about 1",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_bijection_activation_norm) =
    gradatim::api::component<gradatim::neural::ActivationNorm, gradatim::api::NoSettings>(
        gradatim::neural::kText);
