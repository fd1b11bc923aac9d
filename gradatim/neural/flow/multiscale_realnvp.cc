// RealNVP for images: at every scale checkerboard couplings, a squeeze and channel couplings, an
// activation norm behind each; the last scale has checkerboard couplings alone.
#include "gradatim/neural/architecture/multiscale_realnvp.h"

#include "gradatim/neural/flow/activation_norm.h"
#include "gradatim/neural/flow/image_coupling.h"
#include "gradatim/neural/flow/multi_scale.h"
#include "gradatim/neural/flow/squeeze.h"

namespace gradatim::neural {
namespace {

template <class Step>
void add_couplings(Chain& chain, const MultiscaleRealnvpConfig& config, const FlowPlace& place,
                   int count) {
  for (int k = 0; k < count; ++k) {
    const FlowPlace here{place.scope / k, place.sample, place.context, k};
    chain.add(std::make_unique<Step>(here, image_conditioner_of(config),
                                     map_of(config.map, config.bound)));
    chain.add(std::make_unique<ActivationNorm>(
        FlowPlace{here.scope / "norm", place.sample, place.context}));
  }
}

}  // namespace
}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakeTransform gradatim_make_multiscale_realnvp;

gradatim::neural::Transform* gradatim_make_multiscale_realnvp(
    const void* config, const gradatim::neural::FlowPlace& place) {
  using namespace gradatim::neural;
  const auto& own = *static_cast<const MultiscaleRealnvpConfig*>(config);
  check_images(place, "multiscale_realnvp");
  auto levels = std::make_unique<MultiScale>(place, own.levels, own.levels - 1);
  for (int level = 0; level < own.levels; ++level) {
    auto chain = std::make_unique<Chain>();
    const bool last = level + 1 == own.levels;
    const Scope scope = place.scope / "levels" / level;
    FlowPlace here{scope / "checkerboard", levels->sample(), place.context};
    add_couplings<CheckerboardCoupling>(*chain, own, here, own.couplings + (last ? 1 : 0));
    if (!last) {
      auto squeeze = std::make_unique<Squeeze>(here);
      here = {scope / "channels", squeeze->out_shape(here.sample), place.context};
      chain->add(std::move(squeeze));
      add_couplings<ChannelCoupling>(*chain, own, here, own.couplings);
    }
    levels->add(std::move(chain));
  }
  return levels.release();
}
}
