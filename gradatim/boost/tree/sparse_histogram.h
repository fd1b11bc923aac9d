// Histograms of sparse features: sums over entries alone.
//
// Many rows: column by column, a feature's cells in the first-level cache; rows that are not the
// node's add zero. Few rows: row by row, in tiles; an entry of the node then costs about twice what
// an entry of the table does column by column. No two threads fill the same cells.
//
// The cell of a feature's default bin is left open until complete_default(), before a scan.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/bins/binned_data.h"
#include "gradatim/boost/tree/histogram.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {

namespace internal {

/// What one row adds, to cell after cell.
template <class Criterion>
class RowValue {
 public:
  explicit RowValue(const Criterion& criterion) : criterion_(criterion) {}
  void read(std::uint32_t row) { value_ = criterion_.read(row); }
  void add(std::int64_t* cell) const { Criterion::add_row(cell, value_); }

 private:
  const Criterion& criterion_;
  typename Criterion::Row value_{};
};

template <AddsVectors Criterion>
class RowValue<Criterion> {
 public:
  explicit RowValue(const Criterion& criterion)
      : criterion_(criterion), lanes_(criterion.lanes()) {}
  void read(std::uint32_t row) { criterion_.read(row, lanes_.data()); }
  void add(std::int64_t* cell) const {
    for (std::size_t l = 0; l < lanes_.size(); ++l) cell[l] += lanes_[l];
  }

 private:
  const Criterion& criterion_;
  std::vector<std::int64_t> lanes_;
};

template <class Criterion>
void add_tile(const SparseTile& tile, const Criterion& criterion,
              std::span<const std::uint32_t> rows, std::int64_t* cells) {
  const int lanes = criterion.lanes();
  cells += tile.first_cell * lanes;
  std::fill_n(cells, tile.cells * lanes, 0);
  const std::uint32_t* offsets = tile.offsets.data();
  const std::uint32_t* codes = tile.codes.data();
  const std::size_t count = rows.size();
  RowValue<Criterion> value(criterion);
  for (std::size_t i = 0; i < count; ++i) {
    __builtin_prefetch(offsets + rows[std::min(i + 2 * kPrefetchRows, count - 1)]);
    __builtin_prefetch(codes + offsets[rows[std::min(i + kPrefetchRows / 2, count - 1)]]);
    value.read(rows[i]);
    for (std::uint32_t e = offsets[rows[i]]; e < offsets[rows[i] + 1]; ++e) {
      value.add(cells + std::size_t{codes[e]} * lanes);
    }
  }
}

/// What each row of the table adds: nothing where it is not among `rows`.
template <class Criterion>
std::vector<typename Criterion::Row> values_of_rows(const Criterion& criterion,
                                                    std::span<const std::uint32_t> rows,
                                                    std::int64_t table_rows) {
  std::vector<typename Criterion::Row> values(table_rows);
  parallel_for(static_cast<std::int64_t>(rows.size()), kHistogramBlock,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   values[rows[i]] = criterion.read(rows[i]);
                 }
               });
  return values;
}

template <class Criterion>
void add_column(const SparseColumn& column, const typename Criterion::Row* values, int lanes,
                std::int64_t* cells) {
  const std::size_t entries = column.rows.size();
  for (std::size_t e = 0; e < entries; ++e) {
    Criterion::add_row(cells + std::size_t{column.bins[e]} * lanes, values[column.rows[e]]);
  }
}

template <class Criterion>
void add_columns(const BinnedData& data, const Criterion& criterion,
                 std::span<const std::uint32_t> rows, std::int64_t* cells) {
  const auto values = values_of_rows(criterion, rows, data.rows());
  const int lanes = criterion.lanes();
  const auto features = data.sparse_features();
  constexpr std::int64_t kFeaturesATask = 16;
  parallel_for(static_cast<std::int64_t>(features.size()), kFeaturesATask,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   const std::int32_t f = features[i];
                   std::int64_t* out = cells + data.first_cell(f) * lanes;
                   std::fill_n(out, (data.features()[f].bins + 1) * lanes, 0);
                   add_column<Criterion>(data.sparse_column(f), values.data(), lanes, out);
                 }
               });
}

/// The node's total: that of any feature which every row adds to, or else of the rows.
template <class Criterion>
void add_total(const BinnedData& data, const Criterion& criterion,
               std::span<const std::int32_t> features, const HistogramTask& task) {
  const int lanes = criterion.lanes();
  std::int64_t* total = task.cells + data.total_cell() * lanes;
  std::fill_n(total, lanes, 0);
  for (const std::int32_t f : features) {
    const std::int32_t position = data.position_of(f);
    const std::int64_t* cells = task.cells + data.first_cell_of(position) * lanes;
    const std::int64_t count = std::int64_t{data.cells_of(position)} * lanes;
    for (std::int64_t c = 0; c < count; ++c) total[c % lanes] += cells[c];
    if (count > 0) return;
  }
  RowValue<Criterion> value(criterion);
  for (const std::uint32_t row : task.rows) {
    value.read(row);
    value.add(total);
  }
}

}  // namespace internal

/// Fills the cells of sparse features, default bins apart, and the totals of several nodes whose
/// other cells build_histograms() has filled for `features`.
template <class Criterion>
void build_sparse_histograms(const BinnedData& data, const Criterion& criterion,
                             std::span<const std::int32_t> features,
                             std::span<const HistogramTask> tasks) {
  if (data.total_cell() < 0) return;
  std::vector<const HistogramTask*> small;
  for (const auto& task : tasks) {
    // By columns every entry of the table is read, by rows those of the node, at twice the price.
    bool many = 2 * static_cast<std::int64_t>(task.rows.size()) > data.rows();
    if constexpr (internal::AddsVectors<Criterion>) {
      many = false;
    } else if (many) {
      internal::add_columns(data, criterion, task.rows, task.cells);
    }
    if (!many) small.push_back(&task);
  }
  const auto tiles = static_cast<std::int64_t>(data.tiles().size());
  parallel_tasks(static_cast<std::int64_t>(small.size()) * tiles, [&](std::int64_t i) {
    const HistogramTask& task = *small[i / tiles];
    internal::add_tile(data.tiles()[i % tiles], criterion, task.rows, task.cells);
  });
  for (const auto& task : tasks) internal::add_total(data, criterion, features, task);
}

/// The default bin's cell of a sparse or bundled feature: what the others leave of the total.
inline void complete_default(const BinnedData& data, std::int32_t feature, int lanes,
                             std::int64_t* histogram) {
  std::int64_t* cells = histogram + data.first_cell(feature) * lanes;
  const std::int64_t* total = histogram + data.total_cell() * lanes;
  const std::int64_t count = std::int64_t{data.features()[feature].bins} + 1;
  std::int64_t* open = cells + std::int64_t{data.default_bin(feature)} * lanes;
  for (int lane = 0; lane < lanes; ++lane) {
    open[lane] = 0;
    std::int64_t sum = 0;
    for (std::int64_t b = 0; b < count; ++b) sum += cells[b * lanes + lane];
    open[lane] = total[lane] - sum;
  }
}

}  // namespace gradatim::boost
