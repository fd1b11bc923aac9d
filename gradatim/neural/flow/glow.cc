// Glow: levels of a squeeze and steps of activation norm, 1 x 1 convolution and coupling.
#include "gradatim/neural/architecture/glow.h"

#include "gradatim/core/error.h"
#include "gradatim/neural/flow/activation_norm.h"
#include "gradatim/neural/flow/coupling.h"
#include "gradatim/neural/flow/image_coupling.h"
#include "gradatim/neural/flow/invertible_convolution.h"
#include "gradatim/neural/flow/multi_scale.h"
#include "gradatim/neural/flow/squeeze.h"

namespace gradatim::neural {
namespace {

std::unique_ptr<Transform> glow_coupling(const GlowConfig& config, const FlowPlace& place) {
  auto map = map_of(config.map, config.bound);
  if (place.sample.size() == 3) {
    return std::make_unique<ChannelCoupling>(place, image_conditioner_of(config), std::move(map));
  }
  const ConditionerConfig dense{config.width, config.layers, Activation::relu};
  return std::make_unique<Coupling>(place, Mask::halves, dense, std::move(map));
}

void add_glow_step(Chain& chain, const GlowConfig& config, const FlowPlace& place) {
  const auto part = [&](const char* name) {
    FlowPlace here = place;
    here.scope = place.scope / name;
    return here;
  };
  chain.add(std::make_unique<ActivationNorm>(part("norm")));
  chain.add(std::make_unique<InvertibleConvolution>(part("convolution")));
  chain.add(glow_coupling(config, part("coupling")));
}

std::unique_ptr<Transform> glow_of_images(const GlowConfig& config, const FlowPlace& place) {
  auto levels = std::make_unique<MultiScale>(place, config.levels, config.levels);
  for (int level = 0; level < config.levels; ++level) {
    auto chain = std::make_unique<Chain>();
    FlowPlace here = place;
    here.sample = levels->sample();
    auto squeeze = std::make_unique<Squeeze>(here);
    here.sample = squeeze->out_shape(here.sample);
    chain->add(std::move(squeeze));
    for (int k = 0; k < config.depth; ++k) {
      here.scope = place.scope / "levels" / level / k;
      here.number = level * config.depth + k;
      add_glow_step(*chain, config, here);
    }
    levels->add(std::move(chain));
  }
  return levels;
}

std::unique_ptr<Transform> glow_of_rows(const GlowConfig& config, const FlowPlace& place) {
  auto chain = std::make_unique<Chain>();
  for (int k = 0; k < config.depth; ++k) {
    add_glow_step(*chain, config, {place.scope / "steps" / k, place.sample, place.context, k});
  }
  return chain;
}

}  // namespace
}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakeTransform gradatim_make_glow;

gradatim::neural::Transform* gradatim_make_glow(const void* config,
                                                const gradatim::neural::FlowPlace& place) {
  using namespace gradatim::neural;
  const auto& own = *static_cast<const GlowConfig*>(config);
  const bool rows = place.sample.size() == 1;
  return (rows ? glow_of_rows(own, place) : glow_of_images(own, place)).release();
}
}
