// BinnedData: a table as small integers, the only form of the data that training reads.
//
// Two copies. Row-major for histograms: a row's one-byte bins, then (in a second matrix) its
// two-byte bins. Column-major for partitioning rows, where one feature is read alone. A feature
// takes one byte where its bins and its missing bin fit in 256. `exact` bins give every distinct
// value a bin of its own (four bytes), need only the columns, and add each feature's sorted rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/bins/feature_bins.h"
#include "gradatim/data/table.h"

namespace gradatim::boost {

struct BinOptions {
  std::int32_t max_bin = 255;
  std::int64_t sample_rows = 200000;  // that boundaries are read from; all rows where fewer
  std::uint64_t seed = 0;
  bool exact = false;
};

/// The same options with the seed of a fit.
inline BinOptions seeded(BinOptions options, std::uint64_t seed) {
  options.seed = seed;
  return options;
}

/// One feature's bins of every row, in one, two or four bytes.
struct BinColumn {
  int width = 1;
  std::vector<std::uint8_t> bytes;

  template <class Bin>
  const Bin* as() const {
    return reinterpret_cast<const Bin*>(bytes.data());
  }
  std::int32_t at(std::int64_t row) const;
};

/// Calls `f(const Bin*)` with the column's own type.
template <class F>
auto visit_column(const BinColumn& column, F&& f) {
  if (column.width == 1) return f(column.as<std::uint8_t>());
  if (column.width == 2) return f(column.as<std::uint16_t>());
  return f(column.as<std::uint32_t>());
}

/// A row-major matrix of the features that share a width.
template <class Bin>
struct BinMatrix {
  std::vector<std::int32_t> features;      // of each position
  std::vector<std::int64_t> cell_offsets;  // of each position's first histogram cell
  std::vector<Bin> bins;                   // [rows, positions]
};

class BinnedData {
 public:
  /// Chooses bins and fills them. `weight` is empty or [rows], positive. DataError GRD-2011 where a
  /// cell is infinite (with row and column), GRD-2031 where there is no row or no feature.
  BinnedData(const data::Table& features, std::span<const float> weight, const BinOptions& options);
  /// The same bins over other rows (validation): columns only.
  BinnedData(const data::Table& features, const BinnedData& like);

  std::int64_t rows() const { return rows_; }
  std::span<const FeatureBins> features() const { return features_; }
  const BinColumn& column(std::int32_t feature) const { return columns_[feature]; }
  const BinMatrix<std::uint8_t>& narrow() const { return narrow_; }
  const BinMatrix<std::uint16_t>& wide() const { return wide_; }
  /// Cells of a node's histogram: bins and missing bin of every feature, in order of features.
  std::int64_t cells() const { return cells_; }
  std::int64_t first_cell(std::int32_t feature) const { return first_cell_[feature]; }
  bool has_missing(std::int32_t feature) const { return has_missing_[feature] != 0; }
  bool exact() const { return exact_; }
  /// Of an exact numeric feature: its present rows in order of (value, row).
  std::span<const std::uint32_t> sorted_rows(std::int32_t feature) const {
    return sorted_[feature];
  }

 private:
  void fill(const data::Table& features);
  void lay_out_rows();
  void sort_rows();

  std::int64_t rows_ = 0;
  std::int64_t cells_ = 0;
  bool exact_ = false;
  std::vector<FeatureBins> features_;
  std::vector<BinColumn> columns_;
  std::vector<std::int64_t> first_cell_;
  std::vector<std::uint8_t> has_missing_;
  BinMatrix<std::uint8_t> narrow_;
  BinMatrix<std::uint16_t> wide_;
  std::vector<std::vector<std::uint32_t>> sorted_;
};

}  // namespace gradatim::boost
