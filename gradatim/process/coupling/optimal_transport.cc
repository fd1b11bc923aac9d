// The permutation of least sum |noise_i - data_partner(i)|^2.
#include <algorithm>

#include "gradatim/api/export.h"
#include "gradatim/process/coupling.h"
#include "gradatim/process/metric/point_assignment.h"

namespace gradatim::process {
namespace {

class OptimalTransport final : public Coupling {
 protected:
  void choose(const Batch& batch, std::span<std::int32_t> partner) const override {
    std::ranges::copy(assign_points(batch.noise, batch.data, batch.dims), partner.begin());
  }
};

constexpr api::Text kText = {
    .name = "process.coupling.optimal_transport",
    .summary = "The one-to-one pairs of least squared distance in the batch, exactly.",
    .detail =
        "Straightens paths, the more the larger the batch. It disregards labels: for a conditional "
        "model take conditional_optimal_transport.",
    .source =
        "Tong et al. (2024), Improving and generalizing flow-based generative models with "
        "minibatch optimal transport; Pooladian et al. (2023), Multisample flow matching: "
        "straightening flows with minibatch couplings",
    .shape = "noise, data: [rows, dims]",
    .errors = "GRD-1155 shapes do not fit; GRD-4024 a number is not finite",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_coupling_optimal_transport) =
    gradatim::api::component<gradatim::process::OptimalTransport, gradatim::api::NoSettings>(
        gradatim::process::kText);
