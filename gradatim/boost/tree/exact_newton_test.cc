#include "gradatim/boost/tree/exact_newton.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <vector>

#include "gradatim/boost/tree/exact.h"
#include "gradatim/core/philox.h"
#include "gradatim/data/table.h"

namespace gradatim::boost {
namespace {

// Three nodes and rows of none, by way of two splits. A few rows have whole gradients, so that
// scores tie.
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
  std::vector<Fine> fine;
  for (const RowStatistics& row : statistics.rows) fine.push_back(row.fine);
  const WideNewton criterion(statistics, rule);
  const auto rows_of = [&](std::initializer_list<std::int32_t> nodes) {
    std::vector<std::uint32_t> own;
    for (std::int64_t row = 0; row < rows; ++row) {
      if (std::find(nodes.begin(), nodes.end(), node[row]) != nodes.end()) {
        own.push_back(static_cast<std::uint32_t>(row));
      }
    }
    return own;
  };
  const std::vector<std::uint32_t> own[] = {rows_of({0}), rows_of({1}), rows_of({2})};
  const auto some = rows_of({0, 2});
  SortedColumns columns;
  columns.reset(data, rows_of({0, 1, 2}), std::vector<std::int32_t>{0});
  SortedColumns::Split root[] = {{.node = 0, .left_rows = some, .right_rows = own[1]}};
  columns.split(root);
  SortedColumns::Split left[] = {{.node = root[0].left, .left_rows = own[2], .right_rows = own[0]}};
  columns.split(left);
  const std::int32_t number[] = {left[0].right, root[0].right, left[0].left};
  for (std::int32_t n = 0; n < kNodes; ++n) {
    NewtonSum total;
    for (const std::uint32_t row : own[n]) WideNewton::add_row(total, criterion.read(row));
    const auto sorted = columns.rows(number[n], 0);
    const Candidate plain =
        search_exact(criterion, 0, sorted, data.has_missing(0), total, FreePair());
    const Candidate fast = search_exact_newton({total, criterion.units(), criterion.rule()}, fine,
                                               0, sorted, data.has_missing(0));
    ASSERT_EQ(fast.feature, plain.feature);
    ASSERT_EQ(fast.score, plain.score);
    ASSERT_EQ(fast.bin, plain.bin);
    ASSERT_EQ(fast.next, plain.next);
    ASSERT_EQ(fast.missing_left, plain.missing_left);
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
