#include "gradatim/boost/tree/sorted_columns.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "gradatim/core/philox.h"
#include "gradatim/data/table.h"

namespace gradatim::boost {
namespace {

using Ids = std::vector<std::uint32_t>;
using Pairs = std::vector<std::pair<std::uint32_t, std::uint32_t>>;  // row, bin

constexpr std::int64_t kRows = 700;
const Philox kRandom(3, Stream::rows);

// Ties, and in one of two columns missing cells.
BinnedData random_data() {
  std::vector<double> x(kRows), y(kRows);
  for (std::int64_t row = 0; row < kRows; ++row) {
    x[row] = std::floor(kRandom.uniform(3 * row) * 90.0);
    y[row] = kRandom.uniform(3 * row + 1);
    if (kRandom.uniform(3 * row + 2) < 0.3) y[row] = std::numeric_limits<double>::quiet_NaN();
  }
  BinOptions options;
  options.exact = true;
  return {data::Table(
              {data::numeric_column("x", std::move(x)), data::numeric_column("y", std::move(y))}),
          {},
          options};
}

Pairs pairs(std::span<const SortedRow> rows) {
  Pairs out;
  for (const SortedRow& row : rows) out.emplace_back(row.row, row.bin);
  return out;
}

void expect_rows_of(const Ids& ids, const BinnedData& data, const SortedColumns& columns,
                    std::int32_t node) {
  for (const std::int32_t feature : {0, 1}) {
    Pairs expected;
    for (const SortedRow& row : data.sorted_rows(feature)) {
      if (std::find(ids.begin(), ids.end(), row.row) != ids.end()) {
        expected.emplace_back(row.row, row.bin);
      }
    }
    EXPECT_EQ(pairs(columns.rows(node, feature)), expected) << node << ' ' << feature;
  }
}

// Row by row to one of four parts; a fifth is not among the rows.
void expect_nodes_keep_order(bool every_row) {
  const BinnedData data = random_data();
  Ids part[4], all;
  for (std::uint32_t row = 0; row < kRows; ++row) {
    const auto to = static_cast<int>(kRandom.uniform(10000 + row) * (every_row ? 4 : 5));
    if (to == 4) continue;
    part[to].push_back(row);
    all.push_back(row);
  }
  const auto with = [&](int a, int b) {
    Ids ids = part[a];
    ids.insert(ids.end(), part[b].begin(), part[b].end());
    return ids;
  };
  SortedColumns columns;
  for (int tree = 0; tree < 2; ++tree) {  // the second finds the first one's buffers
    columns.reset(data, all, std::vector<std::int32_t>{0, 1});
    expect_rows_of(all, data, columns, 0);
    const Ids left = with(0, 3), right = with(1, 2);
    SortedColumns::Split root[] = {{.node = 0, .left_rows = left, .right_rows = right}};
    columns.split(root);
    expect_rows_of(left, data, columns, root[0].left);
    expect_rows_of(right, data, columns, root[0].right);
    SortedColumns::Split both[] = {
        {.node = root[0].right, .left_rows = part[2], .right_rows = part[1]},
        {.node = root[0].left, .left_rows = part[0], .right_rows = part[3]}};
    columns.split(both);
    expect_rows_of(part[2], data, columns, both[0].left);
    expect_rows_of(part[1], data, columns, both[0].right);
    expect_rows_of(part[0], data, columns, both[1].left);
    expect_rows_of(part[3], data, columns, both[1].right);
  }
}

TEST(SortedColumns, NodesOfEveryRowKeepTheOrder) { expect_nodes_keep_order(true); }
TEST(SortedColumns, NodesOfSomeRowsKeepTheOrder) { expect_nodes_keep_order(false); }

}  // namespace
}  // namespace gradatim::boost
