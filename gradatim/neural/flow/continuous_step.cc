#include "gradatim/neural/flow/continuous_step.h"

#include <vector>

namespace gradatim::neural {

Tableau tableau_of(RungeKutta method) {
  switch (method) {
    case RungeKutta::midpoint: return {2, {0.0, 0.5}, {{{}, {0.5}}}, {0.0, 1.0}};
    case RungeKutta::heun: return {2, {0.0, 1.0}, {{{}, {1.0}}}, {0.5, 0.5}};
    case RungeKutta::rk4:
      return {4,
              {0.0, 0.5, 0.5, 1.0},
              {{{}, {0.5}, {0.0, 0.5}, {0.0, 0.0, 1.0}}},
              {1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0}};
    case RungeKutta::dopri5:
      return {
          6,
          {0.0, 0.2, 0.3, 0.8, 8.0 / 9.0, 1.0},
          {{{},
            {1.0 / 5.0},
            {3.0 / 40.0, 9.0 / 40.0},
            {44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0},
            {19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0},
            {9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0}}},
          {35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0}};
  }
  return {};
}

NetInput FlowPass::input(const Tensor& x, double t) const {
  std::vector<std::int64_t> sizes{x.size(0)};
  sizes.insert(sizes.end(), sample.begin(), sample.end());
  const std::int64_t times = net.row_by_row() && !at::GradMode::is_enabled() ? 1 : x.size(0);
  return {x.view(sizes), at::full({times}, t, x.options().requires_grad(false)), labels};
}

Tensor FlowPass::velocity(const Tensor& x, double t) const {
  return net.forward(input(x, t)).reshape(x.sizes());
}

FlowPass::Slope FlowPass::slope(const Tensor& x, double t) const {
  const Along along = net.along(input(x, t), directions);
  Slope made{along.output.reshape(x.sizes()), (along.products * directions).sum() * -share};
  if (kinetic > 0.0) made.cost = made.cost + made.velocity.square().sum() * kinetic;
  if (jacobian > 0.0) made.cost = made.cost + along.products.square().sum() * (jacobian * share);
  return made;
}

namespace {

// x + h * what `coefficients` make of the slopes.
template <class Coefficients>
Tensor reached(const Tensor& x, double h, const Coefficients& coefficients,
               const std::vector<Tensor>& slopes) {
  Tensor y = x;
  for (std::size_t j = 0; j < slopes.size(); ++j) {
    if (coefficients[j] != 0.0) y = at::add(y, slopes[j], h * coefficients[j]);
  }
  return y;
}

}  // namespace

Tensor moved(const FlowPass& flow, const Tableau& method, const Tensor& x, double t, double h) {
  std::vector<Tensor> slopes;
  for (std::size_t i = 0; i < static_cast<std::size_t>(method.stages); ++i) {
    slopes.push_back(
        flow.velocity(reached(x, h, method.inner[i], slopes), t + method.place[i] * h));
  }
  return reached(x, h, method.weight, slopes);
}

FlowPass::Slope step(const FlowPass& flow, const Tableau& method, const Tensor& x, double t,
                     double h) {
  std::vector<Tensor> slopes;
  Tensor cost = at::zeros({}, x.options().requires_grad(false));
  for (std::size_t i = 0; i < static_cast<std::size_t>(method.stages); ++i) {
    const Tensor y = reached(x, h, method.inner[i], slopes);
    const double at = t + method.place[i] * h;
    if (method.weight[i] == 0.0) {  // its cost does not count
      slopes.push_back(flow.velocity(y, at));
      continue;
    }
    const FlowPass::Slope here = flow.slope(y, at);
    slopes.push_back(here.velocity);
    cost = cost + here.cost * (h * method.weight[i]);
  }
  return {reached(x, h, method.weight, slopes), cost};
}

}  // namespace gradatim::neural
