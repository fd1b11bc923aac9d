// BinnedData: a table as small integers, the only form of the data that training reads.
//
// Two copies. Column-major for partitioning rows, where one feature is read alone; a feature takes
// one byte where its bins and its missing bin fit in 256. Row-major groups of one-byte features for
// histograms (bin_groups.h). A sparse column of the table keeps only the bins of its entries.
// `exact` bins give every distinct value a bin of its own (four bytes), need only the columns, and
// add each feature's sorted rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/bins/bin_column.h"
#include "gradatim/boost/bins/bin_groups.h"
#include "gradatim/boost/bins/bundle.h"
#include "gradatim/boost/bins/feature_bins.h"
#include "gradatim/boost/bins/sparse_bins.h"
#include "gradatim/data/schema.h"
#include "gradatim/data/table.h"
#include "gradatim/dist/shard.h"

namespace gradatim::boost {

struct BinOptions {
  std::int32_t max_bin = 255;
  std::int64_t sample_rows = 200000;  // that boundaries are read from; all rows where fewer
  std::uint64_t seed = 0;
  bool exact = false;
  const data::Schema* known = nullptr;  // of features whose categories keep their codes
  /// Of the last features, where they are made from others: which.
  std::span<const std::vector<std::int32_t>> sources;
  bool bundle = true;      // exclusive features (bundle.h); trees are the same without
  dist::Shard shard = {};  // what the rows are of; bins are chosen from those of all ranks
};

/// The same options with the seed of a fit.
inline BinOptions seeded(BinOptions options, std::uint64_t seed) {
  options.seed = seed;
  return options;
}

/// A row of an exact numeric feature, where rows are in order of values.
struct SortedRow {
  std::uint32_t row = 0;
  std::uint32_t bin = 0;
};

class BinnedData {
 public:
  /// Chooses bins and fills them. `weight` is empty or [rows], positive. DataError GRD-2011 where a
  /// cell is infinite (with row and column), GRD-2031 where there is no row or no feature.
  BinnedData(const data::Table& features, std::span<const float> weight, const BinOptions& options);
  /// The same bins over other rows (validation): columns only.
  BinnedData(const data::Table& features, const BinnedData& like);

  std::int64_t rows() const { return rows_; }
  const dist::Shard& shard() const { return shard_; }
  std::span<const FeatureBins> features() const { return features_; }
  /// Whether a feature has sparse bins (sparse_bins.h) in place of a column.
  bool sparse(std::int32_t feature) const { return stored_sparse_[feature] != 0; }
  const BinColumn& column(std::int32_t feature) const { return columns_[feature]; }
  const SparseColumn& sparse_column(std::int32_t feature) const { return sparse_columns_[feature]; }
  std::int32_t bin(std::int32_t feature, std::int64_t row) const {
    return sparse(feature) ? sparse_columns_[feature].at(row) : columns_[feature].at(row);
  }
  /// Exclusive features that share a column of codes.
  std::span<const Bundle> bundles() const { return bundles_; }
  /// Groups and histograms know positions: the features, then the bundles.
  std::int64_t positions() const { return static_cast<std::int64_t>(cells_of_.size()); }
  std::int32_t position_of(std::int32_t feature) const { return position_of_[feature]; }
  std::int32_t cells_of(std::int32_t position) const { return cells_of_[position]; }
  std::int64_t first_cell_of(std::int32_t position) const { return first_cell_[position]; }
  /// The bin whose cell histograms leave open: of sparse and of bundled features; else -1.
  std::int32_t default_bin(std::int32_t feature) const { return default_bin_[feature]; }
  /// The one-byte positions, row-major; none where bins are exact.
  std::span<const BinGroup> groups() const { return groups_; }
  /// The two-byte features, whose histograms are read from their columns.
  std::span<const std::int32_t> wide_features() const { return wide_features_; }
  /// The features with sparse bins and without a bundle, and the same row by row.
  std::span<const std::int32_t> sparse_features() const { return sparse_features_; }
  std::span<const SparseTile> tiles() const { return tiles_; }
  /// Where a histogram has the node's total, or -1 where no feature needs it.
  std::int64_t total_cell() const { return total_cell_; }
  /// Cells of a node's histogram: those of every group, of the two-byte features, of the sparse
  /// features, and the total.
  std::int64_t cells() const { return cells_; }
  std::int64_t first_cell(std::int32_t feature) const { return first_cell_[feature]; }
  bool has_missing(std::int32_t feature) const { return has_missing_[feature] != 0; }
  bool exact() const { return exact_; }
  /// Of an exact numeric feature: its present rows in order of (value, row).
  std::span<const SortedRow> sorted_rows(std::int32_t feature) const { return sorted_[feature]; }

 private:
  void choose(const data::Table& features, std::span<const float> weight,
              const BinOptions& options);
  void fill(const data::Table& features);
  void bundle();
  void choose_positions();
  void place_cells();
  void place_sparse_cells();
  const BinColumn& column_of(std::int32_t position) const;
  void lay_out_rows();
  void sort_rows();

  std::int64_t rows_ = 0;
  dist::Shard shard_;
  std::int64_t cells_ = 0;
  bool exact_ = false;
  std::vector<FeatureBins> features_;
  std::vector<BinColumn> columns_;
  std::vector<std::int64_t> first_cell_;
  std::vector<std::uint8_t> has_missing_;
  std::vector<BinGroup> groups_;
  std::vector<std::int32_t> wide_features_;
  std::vector<std::vector<SortedRow>> sorted_;
  std::vector<std::uint8_t> stored_sparse_;
  std::vector<SparseColumn> sparse_columns_;
  std::vector<std::int32_t> sparse_features_;
  std::vector<SparseTile> tiles_;
  std::vector<Bundle> bundles_;
  std::vector<std::int32_t> position_of_;
  std::vector<std::int32_t> cells_of_;  // of each position that has any of its own
  std::vector<std::int32_t> default_bin_;
  std::int64_t total_cell_ = -1;
};

}  // namespace gradatim::boost
