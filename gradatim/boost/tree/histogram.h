// Histograms of nodes: for each cell (feature, bin) the exact sum of the statistics of its rows.
//
// Sums are integers, so it does not matter which thread adds which rows. A node's work is cut by
// groups of features and, where that is not enough, by rows; a part of the rows of a group that is
// not the first fills a copy, and the copies are added.
//
// The kernel reads the statistics of some thousand rows once, in order, and then sweeps them group
// by group. Its limit is the read-modify-write of a cell: of six instructions a cell, one stores.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "gradatim/boost/bins/binned_data.h"
#include "gradatim/boost/statistics.h"
#include "gradatim/boost/tree/vector_histogram.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {

/// Rows of one node and where their histogram goes (zeroed here).
struct HistogramTask {
  std::span<const std::uint32_t> rows;
  std::int64_t* cells = nullptr;
  const std::uint32_t* kept = nullptr;  // what the partition kept of the rows, in their order
};

namespace internal {

constexpr std::int64_t kHistogramBlock = 4096;  // rows whose statistics are read at once
constexpr std::int64_t kPrefetchRows = 16;      // so far ahead that bins arrive in time

/// Adds rows to the cells of one group of `kPositions` features with `kStride` cells each.
template <int kPositions, int kStride, class Criterion>
void add_group(const std::uint8_t* bins, std::span<const std::uint32_t> rows,
               const typename Criterion::Row* values, int lanes, std::int64_t* cells) {
  if constexpr (Criterion::kLanes > 0) lanes = Criterion::kLanes;
  const std::size_t count = rows.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t ahead = std::min(i + kPrefetchRows, count - 1);
    __builtin_prefetch(bins + std::size_t{rows[ahead]} * kPositions);
    const auto value = values[i];
    const std::uint8_t* row = bins + std::size_t{rows[i]} * kPositions;
    std::int64_t* cell = cells;
    for (int p = 0; p < kPositions; p += 4) {
      std::uint32_t four;
      std::memcpy(&four, row + p, 4);
      Criterion::add_row(cell + std::size_t{four & 255} * lanes, value);
      cell += kStride * lanes;
      Criterion::add_row(cell + std::size_t{four >> 8 & 255} * lanes, value);
      cell += kStride * lanes;
      Criterion::add_row(cell + std::size_t{four >> 16 & 255} * lanes, value);
      cell += kStride * lanes;
      Criterion::add_row(cell + std::size_t{four >> 24} * lanes, value);
      cell += kStride * lanes;
    }
  }
}

template <int kStride, class Criterion>
void add_group(const BinGroup& group, std::span<const std::uint32_t> rows,
               const typename Criterion::Row* values, int lanes, std::int64_t* cells) {
  const std::uint8_t* bins = group.bins.data();
  if (group.positions == 16)
    return add_group<16, kStride, Criterion>(bins, rows, values, lanes, cells);
  if (group.positions == 12)
    return add_group<12, kStride, Criterion>(bins, rows, values, lanes, cells);
  if (group.positions == 8)
    return add_group<8, kStride, Criterion>(bins, rows, values, lanes, cells);
  return add_group<4, kStride, Criterion>(bins, rows, values, lanes, cells);
}

template <class Criterion>
void add_group(const BinGroup& group, std::span<const std::uint32_t> rows,
               const typename Criterion::Row* values, int lanes, std::int64_t* cells) {
  if (group.stride == 4) return add_group<4, Criterion>(group, rows, values, lanes, cells);
  if (group.stride == 32) return add_group<32, Criterion>(group, rows, values, lanes, cells);
  if (group.stride == 128) return add_group<128, Criterion>(group, rows, values, lanes, cells);
  return add_group<256, Criterion>(group, rows, values, lanes, cells);
}

template <class Criterion>
void add_wide(const BinColumn& column, std::span<const std::uint32_t> rows,
              const typename Criterion::Row* values, int lanes, std::int64_t* cells) {
  const auto* bins = column.as<std::uint16_t>();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Criterion::add_row(cells + std::int64_t{bins[rows[i]]} * lanes, values[i]);
  }
}

/// A run of cells that is filled by one pass over rows: a group, or a two-byte feature.
struct CellRange {
  const BinGroup* group = nullptr;
  std::int32_t wide_feature = -1;
  std::int64_t first = 0;  // cell
  std::int64_t cells = 0;
  std::int64_t work = 0;  // cells a row
  bool wanted = true;
};

inline std::vector<CellRange> cell_ranges(const BinnedData& data,
                                          std::span<const std::int32_t> features) {
  std::vector<std::uint8_t> wanted(data.positions());
  for (const std::int32_t f : features) wanted[data.position_of(f)] = 1;
  std::vector<CellRange> ranges;
  for (const auto& group : data.groups()) {
    const bool any = std::any_of(group.features.begin(), group.features.end(),
                                 [&](std::int32_t f) { return wanted[f] != 0; });
    ranges.push_back({&group, -1, group.first_cell, group.cells(), group.positions, any});
  }
  for (const std::int32_t f : data.wide_features()) {
    ranges.push_back({nullptr, f, data.first_cell(f), data.features()[f].bins + std::int64_t{1}, 4,
                      wanted[f] != 0});
  }
  return ranges;
}

/// Some rows of a node, some ranges of its cells.
struct HistogramPart {
  std::size_t task = 0;
  std::int64_t begin = 0, end = 0;  // rows
  std::size_t first_range = 0, last_range = 0;
  std::int64_t* out = nullptr;  // cell 0 of the histogram that is filled
};

/// A criterion whose rows add several lanes.
template <class Criterion>
concept AddsVectors = requires {
  Criterion::kVector;
};

/// The statistics of some rows in order, and their addition to ranges of cells.
template <class Criterion>
class RowValues {
 public:
  RowValues(const Criterion& criterion, std::size_t rows) : criterion_(criterion), values_(rows) {}

  void read(std::span<const std::uint32_t> rows, const std::uint32_t* kept) {
    if constexpr (requires { Criterion::unpack(Coarse()); }) {
      if (kept != nullptr) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
          values_[i] = Criterion::unpack(std::bit_cast<Coarse>(kept[i]));
        }
        return;
      }
    }
    for (std::size_t i = 0; i < rows.size(); ++i) values_[i] = criterion_.read(rows[i]);
  }
  template <class Bins>
  void add(const Bins& bins, std::span<const std::uint32_t> rows, std::int64_t* cells) const {
    const int lanes = criterion_.lanes();
    if constexpr (std::is_same_v<Bins, BinGroup>) {
      add_group<Criterion>(bins, rows, values_.data(), lanes, cells);
    } else {
      add_wide<Criterion>(bins, rows, values_.data(), lanes, cells);
    }
  }

 private:
  const Criterion& criterion_;
  std::vector<typename Criterion::Row> values_;
};

/// Vectors are added as they are read.
template <AddsVectors Criterion>
class RowValues<Criterion> {
 public:
  RowValues(const Criterion& criterion, std::size_t /*rows*/) : criterion_(criterion) {}

  void read(std::span<const std::uint32_t> /*rows*/, const std::uint32_t* /*kept*/) {}
  template <class Bins>
  void add(const Bins& bins, std::span<const std::uint32_t> rows, std::int64_t* cells) const {
    add_vectors(bins, rows, criterion_.rows(), cells);
  }

 private:
  const Criterion& criterion_;
};

template <class Criterion>
void fill_part(const BinnedData& data, const Criterion& criterion,
               std::span<const CellRange> ranges, std::span<const std::uint32_t> rows,
               const std::uint32_t* kept, std::int64_t* out) {
  const int lanes = criterion.lanes();
  for (const auto& range : ranges) std::fill_n(out + range.first * lanes, range.cells * lanes, 0);
  RowValues<Criterion> values(criterion, std::min<std::size_t>(rows.size(), kHistogramBlock));
  for (std::size_t begin = 0; begin < rows.size(); begin += kHistogramBlock) {
    const auto block =
        rows.subspan(begin, std::min<std::size_t>(kHistogramBlock, rows.size() - begin));
    values.read(block, kept == nullptr ? nullptr : kept + begin);
    for (const auto& range : ranges) {
      if (!range.wanted) continue;
      std::int64_t* cells = out + range.first * lanes;
      if (range.group != nullptr) {
        values.add(*range.group, block, cells);
      } else {
        values.add(data.column(range.wide_feature), block, cells);
      }
    }
  }
}

}  // namespace internal

/// Fills the histograms of several nodes for `features` (cells of others may stay zero); `scratch`
/// is kept between calls.
template <class Criterion>
void build_histograms(const BinnedData& data, const Criterion& criterion,
                      std::span<const std::int32_t> features, std::span<const HistogramTask> tasks,
                      std::vector<std::vector<std::int64_t>>& scratch) {
  using internal::HistogramPart;
  const auto ranges = internal::cell_ranges(data, features);
  const int lanes = criterion.lanes();
  std::int64_t work_a_row = 0;
  for (const auto& range : ranges) work_a_row += range.wanted ? range.work : 0;
  std::int64_t total = 0;
  for (const auto& task : tasks) {
    total += static_cast<std::int64_t>(task.rows.size()) * work_a_row;
  }
  // Several parts a thread even out; a part must be worth its own start.
  constexpr std::int64_t kLeastWork = 1 << 16;
  const std::int64_t threads = current_threads();
  const std::int64_t goal =
      threads == 1 ? total + 1 : std::max(kLeastWork, total / (6 * threads) + 1);
  std::vector<HistogramPart> parts;
  struct Copy {
    std::size_t task, range;
    const std::int64_t* cells;
  };
  std::vector<Copy> copies;
  std::size_t used = 0;
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    const auto rows = static_cast<std::int64_t>(tasks[t].rows.size());
    for (std::size_t first = 0; first < ranges.size();) {
      std::size_t last = first;
      std::int64_t work = 0;  // a row
      do {
        work += ranges[last].wanted ? ranges[last].work : 0;
        ++last;
      } while (last < ranges.size() && (work + ranges[last].work) * rows <= goal);
      // By rows only where one range alone is too much, and a copy is worth making.
      const std::int64_t most = std::max<std::int64_t>(1, rows * work / (4 * ranges[first].cells));
      const std::int64_t pieces =
          last - first > 1 ? 1 : std::clamp<std::int64_t>(rows * work / goal, 1, most);
      for (std::int64_t piece = 0; piece < pieces; ++piece) {
        HistogramPart part{t,    rows * piece / pieces, rows * (piece + 1) / pieces, first,
                           last, tasks[t].cells};
        if (piece > 0) {
          if (scratch.size() == used) scratch.emplace_back();
          auto& copy = scratch[used++];
          copy.resize(std::max<std::size_t>(copy.size(), data.cells() * lanes));
          part.out = copy.data();
          copies.push_back({t, first, part.out});
        }
        parts.push_back(part);
      }
      first = last;
    }
  }
  parallel_tasks(static_cast<std::int64_t>(parts.size()), [&](std::int64_t p) {
    const HistogramPart& part = parts[p];
    const HistogramTask& task = tasks[part.task];
    internal::fill_part(
        data, criterion,
        std::span(ranges).subspan(part.first_range, part.last_range - part.first_range),
        task.rows.subspan(part.begin, part.end - part.begin),
        task.kept == nullptr ? nullptr : task.kept + part.begin, part.out);
  });
  for (const auto& copy : copies) {
    const auto& range = ranges[copy.range];
    std::int64_t* out = tasks[copy.task].cells;
    for (std::int64_t c = range.first * lanes; c < (range.first + range.cells) * lanes; ++c) {
      out[c] += copy.cells[c];
    }
  }
}

}  // namespace gradatim::boost
