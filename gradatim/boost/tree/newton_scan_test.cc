#include "gradatim/boost/tree/newton_scan.h"

#include <gtest/gtest.h>

#include <vector>

#include "gradatim/core/philox.h"

namespace gradatim::boost {
namespace {

struct Histogram {
  std::vector<std::int64_t> cells;
  std::int32_t bins = 0;
};

// Packed cells of small numbers, so that scores tie; many are empty.
Histogram random_histogram(std::uint64_t seed, std::int32_t bins, bool missing, int lanes) {
  const Philox random(seed, Stream::rows);
  Histogram out{std::vector<std::int64_t>((bins + 1) * lanes), bins};
  for (std::int32_t b = 0; b < bins + (missing ? 1 : 0); ++b) {
    if (random.uniform(3 * b) < 0.4) continue;
    const auto g = static_cast<std::int64_t>(random.uniform(3 * b + 1) * 9.0) - 4;
    const auto h = static_cast<std::int64_t>(random.uniform(3 * b + 2) * 3.0) + 1;
    if (lanes == 1) {
      out.cells[b] = g * (std::int64_t{1} << 32) + h;
    } else {
      out.cells[2 * b] = g;
      out.cells[2 * b + 1] = h;
    }
  }
  return out;
}

template <class Criterion>
void expect_the_plain_candidate(const NewtonRule& rule, bool missing, std::int32_t bins) {
  const Statistics statistics;
  const Criterion criterion(statistics, rule);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto h = random_histogram(seed, bins, missing, criterion.lanes());
    const Candidate plain = scan_numeric(criterion, h.cells.data(), h.bins, 5, FreePair());
    const Candidate fast = scan_numeric(criterion, h.cells.data(), h.bins, 5);
    ASSERT_EQ(fast.feature, plain.feature) << seed;
    if (!plain.found()) continue;
    ASSERT_EQ(fast.score, plain.score) << seed;
    ASSERT_EQ(fast.bin, plain.bin) << seed;
    ASSERT_EQ(fast.missing_left, plain.missing_left) << seed;
  }
}

TEST(NewtonScan, IsThePlainScanBitForBit) {
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
      for (const std::int32_t bins : {1, 2, 7, 255, 600}) {
        expect_the_plain_candidate<PackedNewton>(rule, missing, bins);
        expect_the_plain_candidate<WideNewton>(rule, missing, bins);
      }
    }
  }
}

}  // namespace
}  // namespace gradatim::boost
