// Spline couplings, and the flow of them.
#include "gradatim/neural/bijection/spline_coupling.h"

#include "gradatim/neural/architecture/spline.h"
#include "gradatim/neural/flow/coupling.h"
#include "gradatim/neural/flow/lu_linear.h"
#include "gradatim/neural/flow/permutation.h"
#include "gradatim/neural/flow/spline_map.h"

extern "C" {

gradatim::neural::MakeTransform gradatim_make_spline_coupling;
gradatim::neural::MakeTransform gradatim_make_spline;

gradatim::neural::Transform* gradatim_make_spline_coupling(
    const void* config, const gradatim::neural::FlowPlace& place) {
  using namespace gradatim::neural;
  const auto& own = *static_cast<const SplineCouplingConfig*>(config);
  return new Coupling(place, own.mask, conditioner_of(own), spline_map(own.bins, own.tail_bound));
}

gradatim::neural::Transform* gradatim_make_spline(const void* config,
                                                  const gradatim::neural::FlowPlace& place) {
  using namespace gradatim::neural;
  const auto& own = *static_cast<const SplineConfig*>(config);
  auto chain = std::make_unique<Chain>();
  for (int k = 0; k < own.couplings; ++k) {
    const auto at = [&](const char* name) {
      return FlowPlace{place.scope / name / k, place.sample, place.context, k};
    };
    chain->add(std::make_unique<Coupling>(at("couplings"), own.mask, conditioner_of(own),
                                          spline_map(own.bins, own.tail_bound)));
    if (k % 2 == 0 || place.dims() == 1) continue;
    if (own.mixing == Mixing::lu_linear) {
      chain->add(std::make_unique<LuLinear>(at("linear"), true));
    } else if (own.mixing == Mixing::permutation) {
      chain->add(std::make_unique<Permutation>(at("permutations"), Order::drawn));
    }
  }
  return chain.release();
}
}
