#include "gradatim/boost/tree/exact_newton.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "gradatim/core/philox.h"
#include "gradatim/data/table.h"

namespace gradatim::boost {
namespace {

struct FreePairOfNode {
  FreePair operator()(std::int32_t /*node*/) const { return {}; }
};

// Three nodes and rows of none. A few rows have whole gradients, so that scores tie.
void expect_the_plain_candidates(std::uint64_t seed, std::int64_t rows, bool missing,
                                 std::int64_t distinct, const NewtonRule& rule) {
  constexpr std::int32_t kNodes = 3;
  const Philox random(seed, Stream::rows);
  std::vector<double> x(rows);
  std::vector<float> g(rows), h(rows);
  std::vector<std::int32_t> node(rows);
  for (std::int64_t row = 0; row < rows; ++row) {
    x[row] = std::floor(random.uniform(5 * row) * static_cast<double>(distinct));
    if (missing && random.uniform(5 * row + 1) < 0.2) {
      x[row] = std::numeric_limits<double>::quiet_NaN();
    }
    g[row] = static_cast<float>(random.uniform(5 * row + 2)) - 0.5F;
    h[row] = static_cast<float>(random.uniform(5 * row + 3));
    if (rows < 100) {
      g[row] = g[row] < 0.0F ? -1.0F : 1.0F;
      h[row] = 1.0F;
    }
    node[row] = static_cast<std::int32_t>(random.uniform(5 * row + 4) * (kNodes + 1)) - 1;
  }
  BinOptions options;
  options.exact = true;
  const BinnedData data(data::Table({data::numeric_column("x", std::move(x))}), {}, options);
  Statistics statistics;
  quantise(g, h, {}, {}, statistics);
  const WideNewton criterion(statistics, rule);
  std::vector<WideNewton::Sum> totals(kNodes);
  for (std::int64_t row = 0; row < rows; ++row) {
    if (node[row] != kNoNode)
      WideNewton::add_row(totals[node[row]], criterion.read(static_cast<std::uint32_t>(row)));
  }
  const FreePairOfNode pair;
  const auto plain = internal::ExactFeature(data, criterion, 0, std::span<const std::int32_t>(node),
                                            std::span<const WideNewton::Sum>(totals), pair)
                         .search();
  const auto fast =
      search_exact_newton(data, criterion, 0, node, std::span<const WideNewton::Sum>(totals));
  ASSERT_EQ(fast.size(), plain.size());
  for (std::size_t n = 0; n < plain.size(); ++n) {
    ASSERT_EQ(fast[n].feature, plain[n].feature);
    ASSERT_EQ(fast[n].score, plain[n].score);
    ASSERT_EQ(fast[n].bin, plain[n].bin);
    ASSERT_EQ(fast[n].next, plain[n].next);
    ASSERT_EQ(fast[n].missing_left, plain[n].missing_left);
  }
}

TEST(ExactNewton, IsThePlainSearchBitForBit) {
  const NewtonRule rules[] = {{},
                              {.reg_lambda = 0.0, .min_child_weight = 0.0},
                              {.reg_alpha = 2.0},
                              {.min_child_weight = 60.0},
                              {.min_child_weight = 1e9}};
  for (const auto& rule : rules) {
    for (const bool missing : {false, true}) {
      for (const std::int64_t distinct : {1, 2, 5, 300, 1000000}) {
        for (std::uint64_t seed = 0; seed < 50; ++seed) {
          expect_the_plain_candidates(seed, 24, missing, distinct, rule);
        }
        expect_the_plain_candidates(1, 1500, missing, distinct, rule);
      }
    }
  }
}

}  // namespace
}  // namespace gradatim::boost
