// Sparse bins: of a feature whose rows mostly share one bin, the default, only the others are kept.
//
// By columns for the histogram of many rows and for partitioning, and by rows, in tiles of features
// whose cells fit in a cache, for the histogram of few rows. A histogram then lacks the default
// bin's cell: it is the node's total less the feature's other cells, exact since all are integers.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "gradatim/boost/bins/feature_bins.h"
#include "gradatim/data/table.h"

namespace gradatim::boost {

/// One feature by its rows outside the default bin, ascending.
struct SparseColumn {
  std::int32_t default_bin = 0;
  std::vector<std::uint32_t> rows;
  std::vector<std::uint16_t> bins;  // [rows]

  std::int32_t at(std::int64_t row) const;
};

/// Whether so few rows of a column have an entry that sparse bins are smaller and faster.
bool worth_sparse_bins(const data::Column& column, const FeatureBins& bins);
/// The bins of a sparse column; tells whether any cell is missing.
SparseColumn sparse_bins(const data::Column& column, const FeatureBins& bins, bool& missing);

/// Some sparse features row by row.
struct SparseTile {
  std::int64_t first_cell = 0;
  std::int64_t cells = 0;
  std::vector<std::uint32_t> offsets;  // [rows + 1]
  std::vector<std::uint32_t> codes;    // cells of a row's entries, counted from first_cell
};

/// A sparse feature and its first cell; a feature's cells follow those of the one before.
struct SparseCells {
  const SparseColumn* column = nullptr;
  std::int64_t first_cell = 0;
  std::int64_t cells = 0;
};
/// Tiles of features in order; no tile has more than `most_entries`, which its offsets must hold,
/// unless a single feature has.
std::vector<SparseTile> lay_out_tiles(
    std::span<const SparseCells> features, std::int64_t rows,
    std::int64_t most_entries = std::numeric_limits<std::uint32_t>::max());

}  // namespace gradatim::boost
