// What a continuous flow's loss is on some rows, and its gradients: two ways to integrate
// backwards.
//
//   loss = sum over rows of -ln N(x(1); 0, 1) + integral of the cost (continuous_step.h)
//
// checkpointed: states between steps are kept; each step is computed again with its graph, the last
// one first. The gradient is that of the discretised loss, to rounding, with one step's graph in
// memory (Gholami et al. 2019; Zhuang et al. 2020). adjoint: nothing is kept; states, and the
// gradient by them, run back as one differential equation (Chen et al. 2018), and the gradient is
// as good as the steps are small.
#pragma once

#include <vector>

#include "gradatim/neural/flow/continuous_step.h"

namespace gradatim::neural {

struct FlowGradients {
  double loss = 0.0;               // the sum over rows
  std::vector<Tensor> parameters;  // one a parameter of the network, whose gradients are untouched
  Tensor data;                     // [rows, dims]
};

/// Of data x [rows, dims] by so many even steps; the parameters must require gradients.
/// NumericError GRD-4030 where the flow leaves the finite numbers.
FlowGradients checkpointed_gradients(const FlowPass& flow, const Tableau& method,
                                     std::int64_t steps, const Tensor& x);
FlowGradients adjoint_gradients(const FlowPass& flow, const Tableau& method, std::int64_t steps,
                                const Tensor& x);

}  // namespace gradatim::neural
