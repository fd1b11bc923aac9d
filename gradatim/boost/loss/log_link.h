// What losses share whose score is the logarithm of a mean that is above 0.
#pragma once

#include <algorithm>

#include "gradatim/boost/loss/elementwise.h"
#include "gradatim/boost/order_statistics.h"
#include "gradatim/core/math.h"

namespace gradatim::boost {

template <class Formula>
class LogLinkLoss : public RegressionLoss<Formula> {
 public:
  using RegressionLoss<Formula>::RegressionLoss;
  /// Scores are logarithms: their size has nothing to do with the labels' unit.
  double scale(std::span<const float> /*label*/) const override { return 1.0; }
  void transform(std::span<const double> scores, int /*outputs*/,
                 std::span<double> out) const override {
    std::copy(scores.begin(), scores.end(), out.begin());
    math::exp_all(out.first(scores.size()));
  }

 protected:
  /// The logarithm of the mean is the best constant of all of them.
  double constant(std::span<const float> label, std::span<const float> weight,
                  int /*k*/) const override {
    return math::log(std::max(weighted_mean(label, weight), 1e-12));
  }
};

}  // namespace gradatim::boost
