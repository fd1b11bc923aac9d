// The split search of vector criteria without constraints, by vectors: a vector instruction scores
// several outputs of a place. The same candidate as the plain scan_numeric(), bit for bit.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "gradatim/boost/tree/criterion.h"
#include "gradatim/boost/tree/split.h"
#include "gradatim/boost/tree/vector_criterion.h"

namespace gradatim::boost {

/// Where a scan stands: the sums of all rows, and of those that went left before the first bin.
/// Lanes as in a cell; those beyond are zero.
struct VectorSums {
  static constexpr int kMost = VectorNewton<true>::kMostLanes + 8;  // whole vectors may be read
  alignas(64) std::array<std::int64_t, kMost> total{}, left{};
};

struct VectorPlace {
  double score = -std::numeric_limits<double>::infinity();
  std::int32_t bin = 0;
};

namespace internal {

/// What the kernel knows of a criterion.
struct VectorScan {
  const double* unit_g;
  const double* unit_h;
  int outputs, lanes;
  bool packed;
  NewtonRule rule;  // without max_delta_step
};

/// Adds `count` cells to `sum`.
void sum_cells(const VectorScan& scan, const std::int64_t* cells, std::int32_t count,
               std::int64_t* sum);
/// The best of `count` places, each behind a cell that is not empty; `sums.left` grows by them.
VectorPlace best_place(const VectorScan& scan, const std::int64_t* cells, std::int32_t count,
                       VectorSums& sums);

}  // namespace internal

template <bool kPacked>
Candidate scan_numeric(const VectorNewton<kPacked>& criterion, const std::int64_t* cells,
                       std::int32_t bins, std::int32_t feature) {
  if (criterion.rule().max_delta_step != 0.0) {
    return scan_numeric(criterion, cells, bins, feature, FreePair());
  }
  const int lanes = criterion.lanes();
  const internal::VectorScan scan{
      criterion.unit_g(), criterion.unit_h(), criterion.outputs(), lanes, kPacked,
      criterion.rule()};
  VectorSums sums;
  internal::sum_cells(scan, cells, bins + 1, sums.total.data());
  const VectorPlace apart = internal::best_place(scan, cells, bins - 1, sums);
  Candidate best;
  best.score = apart.score;
  best.bin = apart.bin;
  const std::int64_t* missing_cell = cells + std::int64_t{bins} * lanes;
  if (!criterion.empty(missing_cell)) {
    std::copy_n(missing_cell, lanes, sums.left.begin());
    const VectorPlace with = internal::best_place(scan, cells, bins - 1, sums);
    if (with.score > best.score || (with.score == best.score && with.bin < best.bin)) {
      best.score = with.score;
      best.bin = with.bin;
      best.missing_left = true;
    }
    auto alone = criterion.make();
    auto present = criterion.make();
    criterion.add(alone, missing_cell);
    criterion.add(present, sums.total.data());
    criterion.subtract(present, alone);
    if (criterion.admissible(alone) && criterion.admissible(present)) {
      const double score = criterion.score(alone) + criterion.score(present);
      if (score > best.score) {
        best.score = score;
        best.bin = -1;
        best.missing_left = true;
      }
    }
  }
  if (best.score > -std::numeric_limits<double>::infinity()) best.feature = feature;
  return best;
}

}  // namespace gradatim::boost
