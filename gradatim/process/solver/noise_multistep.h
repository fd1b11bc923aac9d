// Multistep methods on predictions of the noise: x_b = (alpha_b / alpha_a) x_a + sum w_j E_j with
// the last `order` predictions, continued by a polynomial in a variable that the method chooses.
#pragma once

#include <vector>

#include "gradatim/process/solver.h"

namespace gradatim::process {

class NoiseMultistep : public LinearSolver {
 protected:
  explicit NoiseMultistep(int order) : order_(order) {}
  virtual std::vector<double> weights(const Path& path, const PathPoint& a, const PathPoint& b,
                                      std::span<const PathPoint> nodes) const = 0;

  void lay(Planner& plan) const final {
    for (int i = 0; i < plan.steps(); ++i) {
      const PathPoint& a = plan.point(i);
      const PathPoint& b = plan.point(i + 1);
      plan.ask(a).let(slot(i), noise_of(a));
      if (a.alpha == 0.0) {  // no finite ratio to begin the integral at: first order
        plan.let(kState, jump(a, b)).reach(i + 1);
        continue;
      }
      const auto w = weights(plan.path(), a, b, plan.behind(i, order_));
      Sum next = Sum().add(b.alpha / a.alpha, kState).add(w[0], noise_of(a));
      for (std::size_t j = 1; j < w.size(); ++j) next.add(w[j], slot(i - static_cast<int>(j)));
      plan.let(kState, std::move(next)).reach(i + 1);
    }
  }

 private:
  int slot(int i) const { return 1 + i % order_; }
  int order_;
};

}  // namespace gradatim::process
