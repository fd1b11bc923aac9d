#include "gradatim/boost/bins/sparse_bins.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradatim/boost/bins/search.h"
#include "gradatim/core/parallel.h"
#include "gradatim/data/sparse.h"

namespace gradatim::boost {
namespace {

std::int64_t entries_of(const data::Column& column) {
  std::int64_t entries = 0;
  for (const auto& chunk : column.chunks()) entries += chunk.entries;
  return entries;
}

// Entries a row and tile, and cells: a megabyte. Smaller tiles lose on the start of a row, larger
// ones on the cache.
constexpr std::int64_t kTileEntries = 10;
constexpr std::int64_t kTileCells = std::int64_t{1} << 17;

SparseTile lay_out_tile(std::span<const SparseCells> features, std::int64_t rows) {
  SparseTile tile;
  tile.first_cell = features.front().first_cell;
  tile.offsets.assign(rows + 1, 0);
  for (const auto& feature : features) {
    tile.cells += feature.cells;
    for (const std::uint32_t row : feature.column->rows) ++tile.offsets[row + 1];
  }
  std::partial_sum(tile.offsets.begin(), tile.offsets.end(), tile.offsets.begin());
  tile.codes.resize(tile.offsets.back());
  std::vector<std::uint32_t> next(tile.offsets.begin(), tile.offsets.end() - 1);
  for (const auto& feature : features) {
    const auto base = static_cast<std::uint32_t>(feature.first_cell - tile.first_cell);
    for (std::size_t e = 0; e < feature.column->rows.size(); ++e) {
      tile.codes[next[feature.column->rows[e]]++] = base + feature.column->bins[e];
    }
  }
  return tile;
}

}  // namespace

std::int32_t SparseColumn::at(std::int64_t row) const {
  const auto found = std::lower_bound(rows.begin(), rows.end(), static_cast<std::uint32_t>(row));
  return found != rows.end() && *found == row ? bins[found - rows.begin()] : default_bin;
}

bool worth_sparse_bins(const data::Column& column, const FeatureBins& bins) {
  return column.sparse() && !bins.categorical() && entries_of(column) <= column.rows() / 4;
}

SparseColumn sparse_bins(const data::Column& column, const FeatureBins& bins, bool& missing) {
  SparseColumn made;
  const bool absent_is_zero = column.absent() == data::Absent::zero;
  made.default_bin = absent_is_zero ? bins.bin_of(0.0) : bins.missing_bin();
  missing = !absent_is_zero && entries_of(column) < column.rows();
  std::vector<std::uint32_t> rows;
  std::vector<double> values;
  data::for_entries(column, [&](std::int64_t row, double x) {
    missing = missing || std::isnan(x);
    rows.push_back(static_cast<std::uint32_t>(row));
    values.push_back(x);
  });
  std::vector<std::int32_t> found(values.size());
  CutSearch(bins.cuts).find(values, bins.missing_bin(), found.data());
  for (std::size_t e = 0; e < rows.size(); ++e) {
    if (found[e] == made.default_bin) continue;
    made.rows.push_back(rows[e]);
    made.bins.push_back(static_cast<std::uint16_t>(found[e]));
  }
  return made;
}

std::vector<SparseTile> lay_out_tiles(std::span<const SparseCells> features, std::int64_t rows,
                                      std::int64_t most_entries) {
  std::vector<std::span<const SparseCells>> parts;
  std::size_t first = 0;
  std::int64_t entries = 0;
  std::int64_t cells = 0;
  for (std::size_t f = 0; f < features.size(); ++f) {
    const auto more = static_cast<std::int64_t>(features[f].column->rows.size());
    const bool full = entries >= kTileEntries * rows || entries + more > most_entries ||
                      cells + features[f].cells > kTileCells;
    if (f > first && full) {
      parts.push_back(features.subspan(first, f - first));
      first = f;
      entries = 0;
      cells = 0;
    }
    entries += more;
    cells += features[f].cells;
  }
  if (first < features.size()) parts.push_back(features.subspan(first));
  std::vector<SparseTile> tiles(parts.size());
  parallel_tasks(static_cast<std::int64_t>(parts.size()),
                 [&](std::int64_t t) { tiles[t] = lay_out_tile(parts[t], rows); });
  return tiles;
}

}  // namespace gradatim::boost
