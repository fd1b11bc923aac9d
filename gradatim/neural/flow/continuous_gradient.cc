#include "gradatim/neural/flow/continuous_gradient.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "gradatim/core/error.h"

namespace gradatim::neural {
namespace {

// -ln N(x; 0, 1), the sum over rows.
double end_loss(const Tensor& x) {
  const double squares = x.square().sum(at::kDouble).item<double>();
  GRADATIM_CHECK(std::isfinite(squares), NumericError, 4030,
                 "the flow left the finite numbers on its way from data to noise; take more "
                 "solver_steps, a kinetic_weight, or a lower learning_rate");
  return 0.5 * squares + 0.5 * static_cast<double>(x.numel()) * std::log(2.0 * std::numbers::pi);
}

// The derivatives of numbers of the network's, collected parameter by parameter.
class Collected {
 public:
  explicit Collected(Net& net) {
    for (const auto& item : net.parameters().items()) values_.push_back(item.value);
  }

  /// Adds `factor` times those of `what`; returns the derivative by x.
  Tensor add(const Tensor& what, const Tensor& x, double factor) {
    std::vector<Tensor> inputs = values_;
    inputs.push_back(x);
    auto all = torch::autograd::grad({what}, inputs, {}, std::nullopt, false, true);
    const Tensor by_x = all.back();
    all.pop_back();
    if (sums_.empty()) sums_.resize(all.size());
    for (std::size_t k = 0; k < all.size(); ++k) {
      if (!all[k].defined()) continue;
      if (sums_[k].defined()) {
        sums_[k].add_(all[k], factor);
      } else {
        sums_[k] = all[k] * factor;
      }
    }
    return by_x.defined() ? by_x : at::zeros_like(x);
  }
  static Tensor by_state(const Tensor& what, const Tensor& x) {
    return torch::autograd::grad({what}, {x}).front();
  }
  std::vector<Tensor> take() { return std::move(sums_); }

 private:
  std::vector<Tensor> values_, sums_;
};

Tensor leaf(const Tensor& x) { return x.detach().requires_grad_(); }

}  // namespace

FlowGradients checkpointed_gradients(const FlowPass& flow, const Tableau& method,
                                     std::int64_t steps, const Tensor& x) {
  const at::NoGradGuard plain;
  const double h = 1.0 / static_cast<double>(steps);
  std::vector<Tensor> states{x};
  for (std::int64_t k = 0; k < steps; ++k) {
    states.push_back(moved(flow, method, states.back(), static_cast<double>(k) * h, h));
  }
  FlowGradients made{.loss = end_loss(states.back()), .data = states.back()};
  states.pop_back();
  Collected collected(flow.net);
  for (std::int64_t k = steps - 1; k >= 0; --k) {
    const at::AutoGradMode graph(true);
    const Tensor from = leaf(states.back());
    const auto [to, cost] = step(flow, method, from, static_cast<double>(k) * h, h);
    made.loss += cost.item<double>();
    made.data = collected.add((to * made.data).sum() + cost, from, 1.0);
    states.pop_back();
  }
  made.parameters = collected.take();
  return made;
}

FlowGradients adjoint_gradients(const FlowPass& flow, const Tableau& method, std::int64_t steps,
                                const Tensor& x) {
  const at::NoGradGuard plain;
  const double h = 1.0 / static_cast<double>(steps);
  Tensor state = x;
  for (std::int64_t k = 0; k < steps; ++k) {
    state = moved(flow, method, state, static_cast<double>(k) * h, h);
  }
  FlowGradients made{.loss = end_loss(state), .data = state};
  Collected collected(flow.net);
  const auto stages = static_cast<std::size_t>(method.stages);
  for (std::int64_t k = steps; k > 0; --k) {
    std::vector<Tensor> velocities,
        pulls;  // pull: d(adjoint . v + cost) / dx, the way back of the adjoint
    for (std::size_t i = 0; i < stages; ++i) {
      Tensor y = state, adjoint = made.data;
      for (std::size_t j = 0; j < i; ++j) {
        y = at::add(y, velocities[j], -h * method.inner[i][j]);
        adjoint = at::add(adjoint, pulls[j], h * method.inner[i][j]);
      }
      const at::AutoGradMode graph(true);
      const Tensor here = leaf(y);
      const auto [velocity, cost] =
          flow.slope(here, (static_cast<double>(k) - method.place[i]) * h);
      const Tensor pulled = (velocity * adjoint).sum() + cost;
      const double weight = h * method.weight[i];
      made.loss += weight * cost.item<double>();
      pulls.push_back(weight == 0.0 ? Collected::by_state(pulled, here)
                                    : collected.add(pulled, here, weight));
      velocities.push_back(velocity.detach());
    }
    for (std::size_t i = 0; i < stages; ++i) {
      state = at::add(state, velocities[i], -h * method.weight[i]);
      made.data = at::add(made.data, pulls[i], h * method.weight[i]);
    }
  }
  made.parameters = collected.take();
  return made;
}

}  // namespace gradatim::neural
