// The distribution D_m over rows that AdaBoost keeps.
//
// Sums are of integers or exact, so that D does not depend on threads or ranks. Rows are this
// rank's, sums and shares those of all ranks' rows.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/core/exact_sum.h"
#include "gradatim/core/math.h"
#include "gradatim/core/parallel.h"
#include "gradatim/dist/shard.h"

namespace gradatim::boost {

class RowDistribution {
 public:
  /// Proportional to the weights, or uniform where there are none.
  RowDistribution(std::int64_t rows, std::span<const float> weight, const dist::Shard& shard = {});

  std::int64_t rows() const { return static_cast<std::int64_t>(d_.size()); }
  double operator[](std::int64_t row) const { return d_[row]; }

  /// sum D f(row), exactly.
  template <class F>
  double mean(F&& f) const {
    std::vector<ExactSum> sums(blocks());
    each_block([&](std::int64_t begin, std::int64_t end) {
      ExactSum& sum = sums[begin / kBlock];
      for (std::int64_t row = begin; row < end; ++row) sum.add(d_[row] * f(row));
    });
    return total(sums);
  }
  /// The share of D on the rows where `holds(row)`, in steps of 2^-50.
  template <class F>
  double share(F&& holds) const {
    struct Count {
      std::int64_t some = 0;
      std::int64_t all = 0;
    };
    std::vector<Count> counts(blocks());
    each_block([&](std::int64_t begin, std::int64_t end) {
      Count count;
      for (std::int64_t row = begin; row < end; ++row) {
        const auto steps = static_cast<std::int64_t>(d_[row] * 0x1p50 + 0.5);
        count.all += steps;
        count.some += steps & -static_cast<std::int64_t>(holds(row));  // no branch to mispredict
      }
      counts[begin / kBlock] = count;
    });
    Count sum;
    for (const Count& count : counts) {
      sum.some += count.some;
      sum.all += count.all;
    }
    std::int64_t both[] = {sum.some, sum.all};
    shard_.group->all_reduce(std::span<std::int64_t>(both), dist::Reduction::sum);
    sum = {both[0], both[1]};
    return static_cast<double>(sum.some) / static_cast<double>(sum.all);
  }
  /// D <- D f(row), where f is known to keep the sum.
  template <class F>
  void multiply(F&& f) {
    each_block([&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) d_[row] *= f(row);
      find_largest(begin, end);
    });
    settle();
  }
  /// D <- D e^{f(row)} / Z.
  template <class F>
  void tilt(F&& f) {
    each_block([&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) d_[row] *= math::exp(f(row));
    });
    normalise();
  }
  /// D proportional to the weights (all 1 if empty) times e^{f(row)}, however large f is.
  template <class F>
  void set(std::span<const float> weight, F&& f) {
    each_block([&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) d_[row] = f(row);
      largest_[begin / kBlock] = *std::max_element(d_.begin() + begin, d_.begin() + end);
    });
    exponentiate(weight, largest_of_all());
    normalise();
  }

  /// How often as many draws with replacement as all ranks have rows hit each row; a pure function
  /// of (seed, number).
  std::vector<std::int32_t> draw(std::uint64_t seed, std::uint32_t number) const;
  /// Integers with D = integer * unit, the largest at most 2^30. Gives the unit.
  double fixed_point(std::vector<std::int32_t>& integers) const;
  /// N D as float32: weights of mean 1.
  void weights(std::vector<float>& weight) const;

 private:
  static constexpr std::int64_t kBlock = 4096;

  std::size_t blocks() const { return static_cast<std::size_t>((rows() + kBlock - 1) / kBlock); }
  template <class F>
  void each_block(F&& f) const {
    parallel_for(rows(), kBlock, f);
  }
  double total(std::span<const ExactSum> sums) const;
  double largest_of_all() const;
  void find_largest(std::int64_t begin, std::int64_t end) {
    largest_[begin / kBlock] = *std::max_element(d_.begin() + begin, d_.begin() + end);
  }
  /// Notes the largest of all; NumericError GRD-4002 where it is no number.
  void settle();
  void exponentiate(std::span<const float> weight, double most);
  void normalise();

  dist::Shard shard_;
  std::vector<double> d_;
  std::vector<double> largest_;  // of each block
  double most_ = 0.0;
};

}  // namespace gradatim::boost
