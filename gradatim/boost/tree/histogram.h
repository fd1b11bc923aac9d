// Histograms of nodes: for each cell (feature, bin) the exact sum of the statistics of its rows.
//
// Sums are integers, so it does not matter which thread adds which rows: the rows of all nodes of a
// batch are cut into equal parts, a part that shares a node with another fills a copy, and the
// copies are added. Limit of the kernel: one read-modify-write a cell.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/bins/binned_data.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {

/// Rows of one node and where their histogram goes (zeroed here).
struct HistogramTask {
  std::span<const std::uint32_t> rows;
  std::int64_t* cells = nullptr;
};

namespace internal {

// Far enough ahead that a row's bins arrive before they are needed.
constexpr std::int64_t kPrefetchRows = 12;

template <class Bin, class Criterion>
void add_rows(const BinMatrix<Bin>& matrix, const Criterion& criterion,
              std::span<const std::uint32_t> rows, std::int64_t* cells) {
  const auto positions = static_cast<std::int64_t>(matrix.features.size());
  if (positions == 0) return;
  const int lanes = criterion.lanes();
  const Bin* bins = matrix.bins.data();
  std::vector<std::int64_t*> base(positions);
  for (std::int64_t p = 0; p < positions; ++p) base[p] = cells + matrix.cell_offsets[p] * lanes;
  std::int64_t* const* first = base.data();
  const auto count = static_cast<std::int64_t>(rows.size());
  for (std::int64_t i = 0; i < count; ++i) {
    if (i + kPrefetchRows < count) {
      const std::uint32_t ahead = rows[i + kPrefetchRows];
      criterion.prefetch(ahead);
      __builtin_prefetch(bins + ahead * positions);
    }
    const std::uint32_t row = rows[i];
    const auto value = criterion.read(row);
    const Bin* cell = bins + row * positions;
    for (std::int64_t p = 0; p < positions; ++p) {
      Criterion::add_row(first[p] + cell[p] * lanes, value);
    }
  }
}

}  // namespace internal

/// Fills the histograms of several nodes; `scratch` is kept between calls.
template <class Criterion>
void build_histograms(const BinnedData& data, const Criterion& criterion,
                      std::span<const HistogramTask> tasks,
                      std::vector<std::vector<std::int64_t>>& scratch) {
  const std::int64_t cells = data.cells() * criterion.lanes();
  struct Piece {
    std::size_t task;
    std::int64_t begin, end;
    std::int64_t* out;
  };
  std::int64_t total = 0;
  for (const auto& task : tasks) total += static_cast<std::int64_t>(task.rows.size());
  // A part must be worth more than zeroing and adding a copy.
  const std::int64_t worth = std::max<std::int64_t>(
      1024, 2 * data.cells() /
                std::max<std::int64_t>(1, static_cast<std::int64_t>(data.features().size())));
  const std::int64_t parts = std::clamp<std::int64_t>(
      total / worth, 1, current_threads() == 1 ? 1 : 4 * current_threads());
  std::vector<std::vector<Piece>> work(parts);
  std::vector<std::pair<std::size_t, std::int64_t*>> copies;
  std::size_t used = 0;
  std::int64_t position = 0;
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    const auto rows = static_cast<std::int64_t>(tasks[t].rows.size());
    std::int64_t begin = 0;
    do {
      const std::int64_t part =
          std::min(parts - 1, position * parts / std::max<std::int64_t>(1, total));
      const std::int64_t part_end =
          part + 1 == parts ? total : ((part + 1) * total + parts - 1) / parts;
      const std::int64_t end =
          std::min(rows, begin + std::max<std::int64_t>(1, part_end - position));
      std::int64_t* out = tasks[t].cells;
      if (begin > 0) {
        if (scratch.size() == used) scratch.emplace_back();
        scratch[used].resize(cells);
        out = scratch[used++].data();
        copies.emplace_back(t, out);
      }
      work[part].push_back({t, begin, std::min(end, rows), out});
      position += end - begin;
      begin = end;
    } while (begin < rows);
  }
  parallel_tasks(parts, [&](std::int64_t part) {
    for (const Piece& piece : work[part]) {
      std::fill_n(piece.out, cells, 0);
      const auto rows = tasks[piece.task].rows.subspan(piece.begin, piece.end - piece.begin);
      internal::add_rows(data.narrow(), criterion, rows, piece.out);
      internal::add_rows(data.wide(), criterion, rows, piece.out);
    }
  });
  if (copies.empty()) return;
  parallel_for(cells, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (const auto& [task, copy] : copies) {
      std::int64_t* out = tasks[task].cells;
      for (std::int64_t c = begin; c < end; ++c) out[c] += copy[c];
    }
  });
}

}  // namespace gradatim::boost
