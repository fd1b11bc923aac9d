#include "gradatim/boost/bins/sparse_bins.h"

#include <gtest/gtest.h>

#include "gradatim/boost/bins/binned_data.h"
#include "gradatim/boost/bins/choose_bins.h"
#include "gradatim/boost/bins/distinct_values.h"
#include "gradatim/boost/sparse_testing.h"
#include "gradatim/boost/testing.h"

namespace gradatim::boost {
using namespace testing;
namespace {

std::vector<float> random_weights(std::int64_t rows, Random& r) {
  std::vector<float> weight(rows);
  for (auto& w : weight) w = static_cast<float>(std::exp(10.0 * r.normal()));
  return weight;
}

TEST(DistinctValues, OfASparseColumnAreThoseOfTheColumnWrittenOut) {
  Random r(1);
  for (const auto absent : {data::Absent::zero, data::Absent::missing}) {
    const auto pair = random_sparse({.rows = 3000, .columns = 1, .absent = absent}, r);
    for (const auto& weight : {std::vector<float>(), random_weights(3000, r)}) {
      for (const std::int64_t sampled : {3000, 700}) {
        const auto sample =
            sample_of(quantile_rows(3000, {.sample_rows = sampled, .seed = 3}), 3000, weight);
        EXPECT_EQ(distinct_values(pair.sparse.columns()[0], weight, sample),
                  distinct_values(pair.dense.columns()[0], weight, sample));
      }
    }
  }
}

TEST(SparseBins, EveryRowHasTheBinOfTheTableWrittenOut) {
  Random r(2);
  for (const auto absent : {data::Absent::zero, data::Absent::missing}) {
    const auto pair = random_sparse({.rows = 500, .columns = 4, .absent = absent}, r);
    for (const std::int32_t most : {255, 5, 400}) {
      const BinnedData sparse(pair.sparse, {}, {.max_bin = most});
      const BinnedData dense(pair.dense, {}, {.max_bin = most});
      for (std::int32_t f = 0; f < 4; ++f) {
        EXPECT_TRUE(sparse.sparse(f));
        EXPECT_FALSE(dense.sparse(f));
        EXPECT_EQ(sparse.features()[f].cuts, dense.features()[f].cuts);
        EXPECT_EQ(sparse.has_missing(f), dense.has_missing(f));
        for (std::int64_t row = 0; row < 500; ++row) {
          EXPECT_EQ(sparse.bin(f, row), dense.bin(f, row));
        }
      }
    }
  }
}

TEST(SparseBins, ATileHasNoMoreEntriesThanItsOffsetsHold) {
  Random r(6);
  const auto pair = random_sparse({.rows = 400, .columns = 12}, r);
  std::vector<SparseColumn> columns;
  std::int64_t entries = 0;
  for (const auto& column : pair.sparse.columns()) {
    FeatureBins bins;
    bins.cuts = {0.5, 1.5};
    bins.bins = 3;
    bool missing = false;
    columns.push_back(sparse_bins(column, bins, missing));
    entries += static_cast<std::int64_t>(columns.back().rows.size());
  }
  std::vector<SparseCells> cells;
  for (std::size_t f = 0; f < columns.size(); ++f) {
    cells.push_back({&columns[f], static_cast<std::int64_t>(f) * 4, 4});
  }
  EXPECT_EQ(lay_out_tiles(cells, 400).size(), 1U);
  const std::int64_t most = entries / 3;
  const auto tiles = lay_out_tiles(cells, 400, most);
  EXPECT_GE(tiles.size(), 3U);
  std::int64_t sum = 0;
  for (const SparseTile& tile : tiles) {
    EXPECT_LE(std::int64_t{tile.offsets.back()}, most);
    sum += tile.offsets.back();
  }
  EXPECT_EQ(sum, entries);
}

TEST(SparseBins, AColumnThatIsMostlyThereIsStoredAsAColumn) {
  Random r(3);
  const auto pair = random_sparse({.rows = 200, .columns = 1, .density = 0.6}, r);
  EXPECT_FALSE(BinnedData(pair.sparse, {}, {}).sparse(0));
  EXPECT_FALSE(BinnedData(random_sparse({.rows = 200, .columns = 1}, r).sparse, {}, {.exact = true})
                   .sparse(0));
}

TEST(SparseBins, TilesHoldEveryEntryOnceRowByRow) {
  Random r(4);
  const auto pair = random_sparse({.rows = 300, .columns = 600, .density = 0.2}, r);
  const BinnedData data(pair.sparse, {}, {});
  EXPECT_GT(data.tiles().size(), 1U);
  std::vector<std::vector<std::int64_t>> cells(300);
  for (const auto& tile : data.tiles()) {
    for (std::int64_t row = 0; row < 300; ++row) {
      for (auto e = tile.offsets[row]; e < tile.offsets[row + 1]; ++e) {
        cells[row].push_back(tile.first_cell + tile.codes[e]);
      }
    }
  }
  for (std::int64_t row = 0; row < 300; ++row) {
    std::vector<std::int64_t> expected;
    for (const std::int32_t f : data.sparse_features()) {
      if (data.bin(f, row) == data.sparse_column(f).default_bin) continue;
      expected.push_back(data.first_cell(f) + data.bin(f, row));
    }
    EXPECT_EQ(cells[row], expected);
  }
}

}  // namespace
}  // namespace gradatim::boost
