// Which rows a round learns from, and what they then weigh.
//
// uniform: each row with probability subsample. goss (Ke and others, 2017): the top_rate of the
// rows with the largest gradients, and of the others a share that makes other_rate of all, which
// weigh (1 - top_rate) / other_rate more. gradient_based (minimal variance sampling, Ibragimov and
// Gusev, 2019): with s = sqrt(g^2 + lambda h^2), each row with probability p = min(1, s / mu) and a
// weight of 1 / p; mu makes the p sum up to subsample of the rows. All are unbiased, and pure
// functions of (seed, draw) and the gradients, whatever the number of ranks: thresholds are found
// in integers, and equal gradients are ranked by row.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/row_choice.h"
#include "gradatim/dist/shard.h"

namespace gradatim::boost {

enum class SamplingMethod { uniform, goss, gradient_based };

struct SamplingConfig {
  SamplingMethod method = SamplingMethod::uniform;
  double subsample = 1.0;
  double top_rate = 0.2;
  double other_rate = 0.1;
  double mvs_lambda = 0.1;
};

/// UsageError GRD-1003 where top_rate + other_rate is above 1.
void check(const SamplingConfig& config);

/// Gradients of all outputs [outputs][rows] and weights, empty or [rows].
struct SampledGradients {
  std::span<const float> g, h, weight;
  std::int64_t rows = 0;
  int outputs = 1;
  dist::Shard shard = {};
};

struct RowSample {
  bool every = true;                // every row
  std::vector<std::uint32_t> rows;  // or these, ascending
  std::vector<float> weight;        // [all rows], 0 where not drawn; empty: as they were

  /// As members are fitted to them (row_choice.h).
  std::span<const std::uint32_t> chosen() const { return every || !rows.empty() ? rows : no_row(); }
};

/// NumericError GRD-4001 where a gradient or hessian that the method looks at is not finite.
RowSample draw_rows(const SamplingConfig& config, const SampledGradients& gradients,
                    std::uint64_t seed, std::uint32_t draw);

}  // namespace gradatim::boost
