#include "gradatim/boost/tree/vector_scan.h"

#include <gtest/gtest.h>

#include <vector>

#include "gradatim/core/philox.h"

namespace gradatim::boost {
namespace {

VectorStatistics units_of(int outputs) {
  VectorStatistics statistics;
  statistics.resize(0, outputs, false);
  for (int k = 0; k < outputs; ++k) {
    statistics.fine_units[k] = statistics.coarse_units[k] = {1.0 + k, 0.5 + 0.1 * k};
  }
  return statistics;
}

// Cells of small numbers, so that scores tie; many are empty.
std::vector<std::int64_t> random_cells(std::uint64_t seed, std::int32_t bins, bool missing,
                                       bool packed, int outputs, int lanes) {
  const Philox random(seed, Stream::rows);
  std::vector<std::int64_t> cells((bins + 1) * lanes);
  std::uint64_t draw = 0;
  for (std::int32_t b = 0; b < bins + (missing ? 1 : 0); ++b) {
    if (random.uniform(draw++) < 0.4) continue;
    std::int64_t* cell = cells.data() + b * lanes;
    for (int k = 0; k < outputs; ++k) {
      const auto g = static_cast<std::int64_t>(random.uniform(draw++) * 9.0) - 4;
      const auto h = static_cast<std::int64_t>(random.uniform(draw++) * 3.0);
      cell[packed ? k : 2 * k] = packed ? g * (std::int64_t{1} << 32) + h : g;
      if (!packed) cell[2 * k + 1] = h;
    }
  }
  return cells;
}

template <bool kPacked>
void expect_the_plain_candidate(const NewtonRule& rule, bool missing, std::int32_t bins,
                                int outputs) {
  const VectorStatistics statistics = units_of(outputs);
  const VectorNewton<kPacked> criterion(statistics, rule);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto cells = random_cells(seed, bins, missing, kPacked, outputs, criterion.lanes());
    const Candidate plain = scan_numeric(criterion, cells.data(), bins, 5, FreePair());
    const Candidate fast = scan_numeric(criterion, cells.data(), bins, 5);
    ASSERT_EQ(fast.feature, plain.feature) << seed;
    if (!plain.found()) continue;
    ASSERT_EQ(fast.score, plain.score) << seed;
    ASSERT_EQ(fast.bin, plain.bin) << seed;
    ASSERT_EQ(fast.missing_left, plain.missing_left) << seed;
  }
}

TEST(VectorScan, IsThePlainScanBitForBit) {
  const NewtonRule rules[] = {
      {},
      {.reg_lambda = 0.0, .min_child_weight = 0.0},
      {.reg_lambda = 0.5, .reg_alpha = 1.0},
      {.reg_lambda = 1.0, .min_child_weight = 6.0},
      {.max_delta_step = 0.25},
      {.min_child_weight = 1e9},
  };
  for (const auto& rule : rules) {
    for (const bool missing : {false, true}) {
      for (const std::int32_t bins : {1, 2, 7, 255}) {
        for (const int outputs : {1, 2, 3, 7, 10, 64}) {
          expect_the_plain_candidate<true>(rule, missing, bins, outputs);
          expect_the_plain_candidate<false>(rule, missing, bins, outputs);
        }
      }
    }
  }
}

}  // namespace
}  // namespace gradatim::boost
