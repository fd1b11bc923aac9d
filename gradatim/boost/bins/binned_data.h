// BinnedData: a table as small integers, the only form of the data that training reads.
//
// Two copies. Column-major for partitioning rows, where one feature is read alone; a feature takes
// one byte where its bins and its missing bin fit in 256. Row-major groups of one-byte features for
// histograms (bin_groups.h). `exact` bins give every distinct value a bin of its own (four bytes),
// need only the columns, and add each feature's sorted rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/bins/bin_groups.h"
#include "gradatim/boost/bins/feature_bins.h"
#include "gradatim/data/schema.h"
#include "gradatim/data/table.h"

namespace gradatim::boost {

struct BinOptions {
  std::int32_t max_bin = 255;
  std::int64_t sample_rows = 200000;  // that boundaries are read from; all rows where fewer
  std::uint64_t seed = 0;
  bool exact = false;
  const data::Schema* known = nullptr;  // of features whose categories keep their codes
};

/// The same options with the seed of a fit.
inline BinOptions seeded(BinOptions options, std::uint64_t seed) {
  options.seed = seed;
  return options;
}

/// One feature's bins of every row, in one, two or four bytes.
struct BinColumn {
  static constexpr std::int64_t kPadding = 3;  // bytes that a four-byte read of a bin may touch

  int width = 1;
  std::vector<std::uint8_t> bytes;  // [rows * width + kPadding]

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
  /// The one-byte features, row-major; none where bins are exact.
  std::span<const BinGroup> groups() const { return groups_; }
  /// The two-byte features, whose histograms are read from their columns.
  std::span<const std::int32_t> wide_features() const { return wide_features_; }
  /// Cells of a node's histogram: those of every group, then those of the two-byte features.
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
  void place_cells();
  void lay_out_rows();
  void sort_rows();

  std::int64_t rows_ = 0;
  std::int64_t cells_ = 0;
  bool exact_ = false;
  std::vector<FeatureBins> features_;
  std::vector<BinColumn> columns_;
  std::vector<std::int64_t> first_cell_;
  std::vector<std::uint8_t> has_missing_;
  std::vector<BinGroup> groups_;
  std::vector<std::int32_t> wide_features_;
  std::vector<std::vector<std::uint32_t>> sorted_;
};

}  // namespace gradatim::boost
