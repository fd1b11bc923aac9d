// The standard logistic distribution, NICE's prior.
#include "gradatim/api/export.h"
#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

class LogisticBase final : public BaseDensity {
 public:
  const char* maker() const override { return "gradatim_make_logistic_base"; }
  const void* config() const override { return nullptr; }
};

constexpr api::Text kText = {
    .name = "neural.base.logistic",
    .summary = "Independent standard logistic numbers.",
    .detail =
        "ln p(z) = -ln(1 + e^z) - ln(1 + e^-z) of each number; heavier tails than normal ones.",
    .source = "Dinh, Krueger and Bengio (2015), NICE: non-linear independent components estimation",
    .shape = "[rows, dims]",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_base_logistic) =
    gradatim::api::component<gradatim::neural::LogisticBase, gradatim::api::NoSettings>(
        gradatim::neural::kText);
