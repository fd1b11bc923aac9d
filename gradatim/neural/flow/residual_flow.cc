// Residual flows: activation norms and residual steps by turns.
#include "gradatim/neural/architecture/residual.h"
#include "gradatim/neural/flow/activation_norm.h"
#include "gradatim/neural/flow/residual.h"

extern "C" {

gradatim::neural::MakeTransform gradatim_make_residual_flow;

gradatim::neural::Transform* gradatim_make_residual_flow(const void* config,
                                                         const gradatim::neural::FlowPlace& place) {
  using namespace gradatim::neural;
  const auto& own = *static_cast<const ResidualFlowConfig*>(config);
  const ResidualConfig step{own.width, own.layers, own.lipschitz,
                            own.trace, own.terms,  own.iterations};
  auto chain = std::make_unique<Chain>();
  for (int k = 0; k < own.blocks; ++k) {
    const FlowPlace here{place.scope / "blocks" / k, place.sample, place.context, k};
    chain->add(std::make_unique<ActivationNorm>(
        FlowPlace{here.scope / "norm", place.sample, place.context}));
    chain->add(std::make_unique<Residual>(here, step));
  }
  return chain.release();
}
}
