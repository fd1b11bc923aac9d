#include "gradatim/boost/tree/sparse_histogram.h"

#include <gtest/gtest.h>

#include <numeric>

#include "gradatim/boost/sparse_testing.h"
#include "gradatim/boost/testing.h"
#include "gradatim/boost/tree/criterion.h"
#include "gradatim/boost/tree/partition.h"

namespace gradatim::boost {
using namespace testing;
namespace {

constexpr std::int64_t kRows = 6000;

Statistics random_statistics(Random& r) {
  std::vector<float> g(kRows);
  std::vector<float> h(kRows);
  for (auto& x : g) x = static_cast<float>(r.normal());
  for (auto& x : h) x = static_cast<float>(r.uniform() + 0.1);
  Statistics statistics;
  quantise(g, h, {}, {}, statistics);
  return statistics;
}

std::vector<std::uint32_t> share_of_rows(double share, Random& r) {
  std::vector<std::uint32_t> rows;
  for (std::uint32_t row = 0; row < kRows; ++row) {
    if (r.uniform() < share) rows.push_back(row);
  }
  return rows;
}

TEST(SparseHistogram, EveryCellIsThatOfTheTableWrittenOut) {
  Random r(1);
  const auto pair = random_sparse({.rows = kRows, .columns = 40}, r);
  const BinnedData sparse(pair.sparse, {}, {});
  const BinnedData dense(pair.dense, {}, {});
  const Statistics statistics = random_statistics(r);
  const WideNewton criterion(statistics, {});
  std::vector<std::int32_t> features(40);
  std::iota(features.begin(), features.end(), 0);
  std::vector<std::vector<std::int64_t>> scratch;
  for (const double share : {1.1, 0.7, 0.2, 0.001}) {
    const auto rows = share_of_rows(share, r);
    std::vector<std::int64_t> expected(dense.cells() * 2);
    std::vector<std::int64_t> found(sparse.cells() * 2, 12345);
    const HistogramTask dense_task{rows, expected.data()};
    const HistogramTask sparse_task{rows, found.data()};
    build_histograms(dense, criterion, features, {&dense_task, 1}, scratch);
    build_sparse_histograms(sparse, criterion, features, {&sparse_task, 1});
    for (const std::int32_t f : features) {
      complete_default(sparse, f, 2, found.data());
      for (std::int64_t c = 0; c < 2 * (sparse.features()[f].bins + 1); ++c) {
        ASSERT_EQ(found[sparse.first_cell(f) * 2 + c], expected[dense.first_cell(f) * 2 + c]);
      }
    }
  }
}

TEST(SparsePartition, RowsGoWhereTheyGoInTheTableWrittenOut) {
  Random r(2);
  for (const double density : {0.01, 0.2}) {
    const auto pair = random_sparse({.rows = kRows, .columns = 1, .density = density}, r);
    const BinnedData sparse(pair.sparse, {}, {});
    const BinnedData dense(pair.dense, {}, {});
    for (const double share : {0.6, 0.01}) {
      auto rows = share_of_rows(share, r);
      if (rows.size() > kSeparateRows) rows.resize(kSeparateRows);
      std::vector<std::uint8_t> left_bins(sparse.features()[0].bins + 1);
      for (auto& left : left_bins) left = r.uniform() < 0.5 ? 1 : 0;
      std::vector<std::uint32_t> expected(rows.size());
      const auto left = separate_rows(dense.column(0), left_bins, rows, expected.data());
      EXPECT_EQ(separate_sparse_rows(sparse.sparse_column(0), left_bins, rows, rows.data()), left);
      EXPECT_EQ(rows, expected);
    }
  }
}

TEST(SparsePartition, NoRowsAndNoEntriesAreFine) {
  const SparseColumn column{.default_bin = 1};
  std::vector<std::uint32_t> out(2);
  EXPECT_EQ(separate_sparse_rows(column, std::vector<std::uint8_t>{0, 1}, {}, out.data()), 0);
  EXPECT_EQ(separate_sparse_rows(column, std::vector<std::uint8_t>{0, 1},
                                 std::vector<std::uint32_t>{3, 9}, out.data()),
            2);
}

}  // namespace
}  // namespace gradatim::boost
