// NICE: couplings by turns, and a scale a number.
#include "gradatim/neural/architecture/nice.h"

#include "gradatim/neural/flow/coupling.h"
#include "gradatim/neural/flow/diagonal_scaling.h"

extern "C" {

gradatim::neural::MakeTransform gradatim_make_nice;

gradatim::neural::Transform* gradatim_make_nice(const void* config,
                                                const gradatim::neural::FlowPlace& place) {
  using namespace gradatim::neural;
  const auto& own = *static_cast<const NiceConfig*>(config);
  // As its paper begins; that the couplings already move something is worth some updates.
  ConditionerConfig conditioner = conditioner_of(own);
  conditioner.identity = false;
  auto chain = std::make_unique<Chain>();
  for (int k = 0; k < own.couplings; ++k) {
    const FlowPlace here{place.scope / "couplings" / k, place.sample, place.context, k};
    chain->add(std::make_unique<Coupling>(here, own.mask, conditioner, additive_map()));
  }
  const FlowPlace last{place.scope / "scaling", place.sample, place.context};
  chain->add(std::make_unique<DiagonalScaling>(last));
  return chain.release();
}
}
