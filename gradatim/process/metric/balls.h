// The balls around the rows of a sample that reach to their k-th neighbour.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/process/metric/metric.h"

namespace gradatim::process {

struct BallsConfig {
  int neighbours = 5;
};

/// Squared radii of the balls of a's rows. NumericError GRD-4023 where a has too few.
inline std::vector<double> squared_radii(const SamplePair& pair, const BallsConfig& config) {
  GRADATIM_CHECK(pair.rows_a() > config.neighbours, NumericError, 4023,
                 "the first sample has {} rows, and {} neighbours of each are asked for",
                 pair.rows_a(), config.neighbours);
  std::vector<double> radii, squares;
  for (std::int64_t i = 0; i < pair.rows_a(); ++i) {
    squares.clear();
    for (std::int64_t j = 0; j < pair.rows_a(); ++j) {
      if (i == j) continue;
      squares.push_back(squared_distance(pair.a.data() + i * pair.dims,
                                         pair.a.data() + j * pair.dims, pair.dims));
    }
    const auto last = squares.begin() + config.neighbours - 1;
    std::nth_element(squares.begin(), last, squares.end());
    radii.push_back(*last);
  }
  return radii;
}

/// How many of b's rows lie in the ball of a's row i.
inline std::int64_t inside(const SamplePair& pair, std::int64_t i, double squared_radius) {
  std::int64_t count = 0;
  for (std::int64_t j = 0; j < pair.rows_b(); ++j) {
    const double square =
        squared_distance(pair.a.data() + i * pair.dims, pair.b.data() + j * pair.dims, pair.dims);
    count += square <= squared_radius ? 1 : 0;
  }
  return count;
}

}  // namespace gradatim::process
