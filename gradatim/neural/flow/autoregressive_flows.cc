// Flows of autoregressive steps, which take the numbers forwards and in reverse by turns.
#include "gradatim/neural/architecture/iaf.h"
#include "gradatim/neural/architecture/maf.h"
#include "gradatim/neural/architecture/spline_autoregressive.h"
#include "gradatim/neural/flow/autoregressive.h"
#include "gradatim/neural/flow/spline_map.h"

namespace gradatim::neural {
namespace {

template <class Config, class MakeMap>
Transform* autoregressive_flow(const Config& config, const FlowPlace& place,
                               const MakeMap& make_map, bool inverse) {
  auto chain = std::make_unique<Chain>();
  for (int k = 0; k < config.transforms; ++k) {
    const FlowPlace here{place.scope / "steps" / k, place.sample, place.context, k};
    chain->add(std::make_unique<Autoregressive>(here, conditioner_of(config), make_map(), inverse));
  }
  return chain.release();
}

}  // namespace
}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakeTransform gradatim_make_maf;
gradatim::neural::MakeTransform gradatim_make_iaf;
gradatim::neural::MakeTransform gradatim_make_spline_autoregressive_flow;

gradatim::neural::Transform* gradatim_make_maf(const void* config,
                                               const gradatim::neural::FlowPlace& place) {
  using namespace gradatim::neural;
  const auto& own = *static_cast<const MafConfig*>(config);
  return autoregressive_flow(
      own, place, [&] { return affine_map(own.bound); }, false);
}

gradatim::neural::Transform* gradatim_make_iaf(const void* config,
                                               const gradatim::neural::FlowPlace& place) {
  using namespace gradatim::neural;
  const auto& own = *static_cast<const IafConfig*>(config);
  return autoregressive_flow(
      own, place, [&] { return affine_map(own.bound); }, true);
}

gradatim::neural::Transform* gradatim_make_spline_autoregressive_flow(
    const void* config, const gradatim::neural::FlowPlace& place) {
  using namespace gradatim::neural;
  const auto& own = *static_cast<const SplineAutoregressiveFlowConfig*>(config);
  return autoregressive_flow(
      own, place, [&] { return spline_map(own.bins, own.tail_bound); }, false);
}
}
