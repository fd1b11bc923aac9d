// The last `order` predictions of the data, continued by a polynomial, and the linear rest solved
// exactly: x_b = (sigma_b / sigma_a) x_a + sum w_j D_j (planner.h, data_weights). eta = 1 solves
// the reverse SDE the same way.
#pragma once

#include "gradatim/process/solver.h"
#include "gradatim/process/solver/continuation_settings.h"

namespace gradatim::process {

template <int kOrder>
struct MultistepConfig {
  int order = kOrder;
  double eta = 0.0;
  Basis basis = Basis::gain;
  double data_scale = 0.5;
};

template <int kOrder>
class Multistep final : public LinearSolver {
 public:
  explicit Multistep(const MultistepConfig<kOrder>& config) : config_(config) {}

 protected:
  void lay(Planner& plan) const override {
    const Continuation how{config_.basis, config_.data_scale};
    for (int i = 0; i < plan.steps(); ++i) {
      const PathPoint& a = plan.point(i);
      const PathPoint& b = plan.point(i + 1);
      const auto weights = data_weights(a, b, plan.behind(i, config_.order), how, config_.eta);
      Sum next = carried(a, b, config_.eta);
      next.add(weights[0], kAnswer);
      for (std::size_t j = 1; j < weights.size(); ++j) {
        next.add(weights[j], slot(i - static_cast<int>(j)));
      }
      plan.ask(a).let(kState, std::move(next));
      if (config_.order > 1 && i + 1 < plan.steps()) plan.let(slot(i), Sum().add(1.0, kAnswer));
      plan.reach(i + 1);
    }
  }

 private:
  int slot(int i) const { return 1 + i % config_.order; }
  MultistepConfig<kOrder> config_;
};

template <int kOrder>
inline constexpr api::Setting kMultistepSettings[] = {
    order_setting<MultistepConfig<kOrder>>(),
    api::setting<&MultistepConfig<kOrder>::eta>(
        {.doc = "Noise drawn anew: 0 solves the probability-flow ODE, 1 the reverse SDE.",
         .range = api::between(0.0, 1.0)}),
    basis_setting<MultistepConfig<kOrder>>(),
    data_scale_setting<MultistepConfig<kOrder>>(),
};

}  // namespace gradatim::process
