// The standard normal distribution.
#include "gradatim/api/export.h"
#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

class GaussianBase final : public BaseDensity {
 public:
  const char* maker() const override { return "gradatim_make_gaussian_base"; }
  const void* config() const override { return nullptr; }
};

constexpr api::Text kText = {
    .name = "neural.base.gaussian",
    .summary = "Independent standard normal numbers.",
    .source = "Rezende and Mohamed (2015), Variational inference with normalizing flows",
    .shape = "[rows, dims]",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_base_gaussian) =
    gradatim::api::component<gradatim::neural::GaussianBase, gradatim::api::NoSettings>(
        gradatim::neural::kText);
