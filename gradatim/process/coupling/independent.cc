// partner[i] = i: noise and data were drawn independently.
#include <numeric>

#include "gradatim/api/export.h"
#include "gradatim/process/coupling.h"

namespace gradatim::process {
namespace {

class IndependentCoupling final : public Coupling {
 public:
  bool independent() const override { return true; }

 protected:
  void choose(const Batch&, std::span<std::int32_t> partner) const override {
    std::iota(partner.begin(), partner.end(), 0);
  }
};

constexpr api::Text kText = {
    .name = "process.coupling.independent",
    .summary = "Every data row keeps the noise that it was drawn with.",
    .source = "Lipman et al. (2023), Flow matching for generative modeling",
    .shape = "noise, data: [rows, dims]",
    .errors = "GRD-1155 shapes do not fit; GRD-4024 a number is not finite",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_coupling_independent) =
    gradatim::api::component<gradatim::process::IndependentCoupling, gradatim::api::NoSettings>(
        gradatim::process::kText);
