// RealNVP of rows: affine couplings by turns.
#include "gradatim/neural/architecture/realnvp.h"

#include <fmt/format.h>

#include "gradatim/core/error.h"
#include "gradatim/neural/flow/coupling.h"

extern "C" {

gradatim::neural::MakeTransform gradatim_make_realnvp;

gradatim::neural::Transform* gradatim_make_realnvp(const void* config,
                                                   const gradatim::neural::FlowPlace& place) {
  using namespace gradatim::neural;
  const auto& own = *static_cast<const RealNvpConfig*>(config);
  GRADATIM_CHECK(place.sample.size() == 1, UsageError, 1191,
                 "neural.architecture.realnvp takes rows of numbers, and a sample is {}: give "
                 "images as rows of their pixels, or take neural.architecture.nice",
                 fmt::join(place.sample, " x "));
  auto chain = std::make_unique<Chain>();
  for (int k = 0; k < own.couplings; ++k) {
    const FlowPlace here{place.scope / "couplings" / k, place.sample, place.context, k};
    chain->add(
        std::make_unique<Coupling>(here, own.mask, conditioner_of(own), affine_map(own.bound)));
  }
  return chain.release();
}
}
