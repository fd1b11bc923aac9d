// The weighted average that most metrics are, exact and in parallel.
#pragma once

#include <algorithm>
#include <vector>

#include "gradatim/boost/metric/metric.h"
#include "gradatim/core/error.h"
#include "gradatim/core/exact_sum.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {

/// The exact sum of w f(row) over rows, divided by the sum of w.
template <class F>
double weighted_average(const MetricInput& input, F&& f) {
  constexpr std::int64_t kBlock = 8192;
  const std::int64_t rows = input.rows();
  struct Sums {
    ExactSum value, weight;
  };
  std::vector<Sums> blocks((rows + kBlock - 1) / kBlock);
  parallel_for(rows, kBlock, [&](std::int64_t begin, std::int64_t end) {
    Sums& sums = blocks[begin / kBlock];
    for (std::int64_t row = begin; row < end; ++row) {
      const double w = input.weight_of(row);
      sums.value.add(w * f(row));
      sums.weight.add(w);
    }
  });
  Sums all;
  for (const auto& block : blocks) {
    all.value.add(block.value);
    all.weight.add(block.weight);
  }
  const double weight = all.weight.value();
  if (!(weight > 0.0)) throw NumericError(4010, "a metric needs rows with a positive weight");
  return all.value.value() / weight;
}

}  // namespace gradatim::boost
