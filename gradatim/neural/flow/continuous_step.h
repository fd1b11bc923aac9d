// A Runge-Kutta step of a continuous flow: states move by dx/dt = v(x, t), and what the flow costs
// adds up beside them,
//
//   cost = -tr dv/dx + kinetic |v|^2 + jacobian |dv/dx|^2,
//
// whose first term is the likelihood's (Chen et al. 2018) and the others keep the flow straight and
// smooth (Finlay et al. 2020). tr and |.|^2 are sums over directions z: z^T (dv/dx) z and |(dv/dx)
// z|^2, of the basis or, in the mean, of random signs.
#pragma once

#include <array>
#include <cstdint>

#include "gradatim/neural/model/continuous_flow.h"
#include "gradatim/neural/nn/net.h"

namespace gradatim::neural {

/// Coefficients of an explicit method; stages that follow have no weight on later ones.
struct Tableau {
  int stages = 0;
  std::array<double, 6> place = {};
  std::array<std::array<double, 5>, 6> inner = {};  // row i: slopes in the state of stage i
  std::array<double, 6> weight = {};
};
Tableau tableau_of(RungeKutta method);

/// A flow as it is asked about some rows.
struct FlowPass {
  Net& net;
  std::vector<std::int64_t> sample;  // shape of one
  Tensor labels;                     // [rows], or undefined
  Tensor directions;                 // [directions, rows or 1, dims]
  double share = 1.0;                // of one direction: 1, or one over their number
  double kinetic = 0.0, jacobian = 0.0;

  /// v(x, t) of x [rows, dims].
  Tensor velocity(const Tensor& x, double t) const;
  struct Slope {
    Tensor velocity;  // [rows, dims]
    Tensor cost;      // one number: the sum over rows
  };
  /// Under an active gradient mode both know how to go back.
  Slope slope(const Tensor& x, double t) const;

 private:
  NetInput input(const Tensor& x, double t) const;
};

/// Where states x [rows, dims] at t are at t + h.
Tensor moved(const FlowPass& flow, const Tableau& method, const Tensor& x, double t, double h);
/// The same with what the step costs; under an active gradient mode both know how to go back.
FlowPass::Slope step(const FlowPass& flow, const Tableau& method, const Tensor& x, double t,
                     double h);

}  // namespace gradatim::neural
