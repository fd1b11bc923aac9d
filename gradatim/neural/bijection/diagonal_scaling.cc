// A scale a number, NICE's last step.
#include "gradatim/api/export.h"
#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

class DiagonalScaling final : public Bijection {
 public:
  const char* maker() const override { return "gradatim_make_diagonal_scaling"; }
  const void* config() const override { return nullptr; }
};

constexpr api::Text kText = {
    .name = "neural.bijection.diagonal_scaling",
    .summary = "Every number times a learned factor, whose logarithm is the parameter.",
    .source = "Dinh, Krueger and Bengio (2015), NICE: non-linear independent components estimation",
    .shape = "[rows, dims], or images",
    .measured = "inverse to 2e-7 of numbers about 1",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_bijection_diagonal_scaling) =
    gradatim::api::component<gradatim::neural::DiagonalScaling, gradatim::api::NoSettings>(
        gradatim::neural::kText);
