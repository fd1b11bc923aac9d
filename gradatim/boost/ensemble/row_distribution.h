// The distribution D_m over rows that AdaBoost keeps.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/core/exact_sum.h"
#include "gradatim/core/math.h"

namespace gradatim::boost {

class RowDistribution {
 public:
  /// Proportional to the weights, or uniform where there are none.
  RowDistribution(std::int64_t rows, std::span<const float> weight);

  std::int64_t rows() const { return static_cast<std::int64_t>(d_.size()); }
  double operator[](std::int64_t row) const { return d_[row]; }

  /// sum D f(row), exactly; with an indicator it is a probability.
  template <class F>
  double mean(F&& f) const {
    ExactSum sum;
    for (std::int64_t row = 0; row < rows(); ++row) sum.add(d_[row] * f(row));
    return sum.value();
  }
  /// D <- D e^{f(row)} / Z.
  template <class F>
  void tilt(F&& f) {
    for (std::int64_t row = 0; row < rows(); ++row) d_[row] *= math::exp(f(row));
    normalise();
  }

  /// How often rows() draws with replacement hit each row; a pure function of (seed, number).
  std::vector<std::int32_t> draw(std::uint64_t seed, std::uint32_t number) const;
  /// Integers with D = integer * unit, the largest at most 2^30.
  std::vector<std::int32_t> fixed_point(double& unit) const;
  /// N D as float32: weights of mean 1.
  std::vector<float> weights() const;

 private:
  void normalise();
  std::vector<double> d_;
};

}  // namespace gradatim::boost
