// The rows of every node: one array of row ids in which each node is a contiguous range.
//
// A split keeps the order of rows on both sides. Ranges are cut into chunks; each chunk separates
// its rows by vector instructions (partition.cc), and the chunks of a node are moved to their
// places. Then the fine statistics of the smaller side are summed; the other side is the rest. The
// coarse statistics lie in the same cache lines, and are kept in the order of rows for the
// histogram of that side, which is the one that is built.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "gradatim/boost/bins/binned_data.h"
#include "gradatim/boost/row_choice.h"
#include "gradatim/boost/statistics.h"
#include "gradatim/boost/tree/sparse_partition.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {

/// One node's split; the side of each bin (1 is left) is a table, numeric and categorical alike.
template <class Sum>
struct PartitionTask {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int32_t feature = 0;
  std::vector<std::uint8_t> left_bins;
  Sum total;                   // fine statistics of the node
  std::int64_t left_rows = 0;  // out
  Sum left_sum;                // out: fine statistics of the left side
};

/// Left rows to the front of `out`, right rows behind them, both in order; `out` may be `rows`.
/// `left_bins` has a byte a bin, the missing one last. At most kSeparateRows at a time.
/// Gives the number of left rows.
constexpr std::int64_t kSeparateRows = 4096;
std::int64_t separate_rows(const BinColumn& column, std::span<const std::uint8_t> left_bins,
                           std::span<const std::uint32_t> rows, std::uint32_t* out);

/// The same by a feature, sparse or not.
inline std::int64_t separate(const BinnedData& data, std::int32_t feature,
                             std::span<const std::uint8_t> left_bins,
                             std::span<const std::uint32_t> rows, std::uint32_t* out) {
  return data.sparse(feature)
             ? separate_sparse_rows(data.sparse_column(feature), left_bins, rows, out)
             : separate_rows(data.column(feature), left_bins, rows, out);
}

namespace internal {

/// Rows [begin, end) one by one, without a branch: both sides are written, one advances.
template <class Bin>
std::int64_t separate_one_by_one(const Bin* bins, const std::uint8_t* left_bins,
                                 const std::uint32_t* rows, std::int64_t begin, std::int64_t end,
                                 std::int64_t left, std::uint32_t* out, std::uint32_t* right_rows) {
  for (std::int64_t i = begin; i < end; ++i) {
    const std::uint32_t row = rows[i];
    right_rows[i - left] = row;
    out[left] = row;
    left += left_bins[bins[row]];
  }
  return left;
}

}  // namespace internal

class RowPartition {
 public:
  /// These rows (row_choice.h) of all `count`.
  void reset(std::span<const std::uint32_t> rows, std::int64_t count) {
    const bool every = is_every_row(rows);
    rows_.resize(every ? count : rows.size());
    const auto size = static_cast<std::int64_t>(rows_.size());
    parallel_for(size, 16 * kSeparateRows, [&](std::int64_t begin, std::int64_t end) {
      if (every) {
        std::iota(rows_.begin() + begin, rows_.begin() + end, static_cast<std::uint32_t>(begin));
      } else {
        std::copy(rows.begin() + begin, rows.begin() + end, rows_.begin() + begin);
      }
    });
  }
  std::span<const std::uint32_t> rows() const { return rows_; }
  std::span<const std::uint32_t> rows(std::int64_t begin, std::int64_t end) const {
    return std::span(rows_).subspan(begin, end - begin);
  }
  /// Undoes splits within a range: rows ascend again, as they do in every node.
  void sort(std::int64_t begin, std::int64_t end) {
    std::sort(rows_.begin() + begin, rows_.begin() + end);
  }
  /// The coarse statistics of rows from `begin` on, which were a smaller side of the last split, as
  /// their bits; nullptr where there are none.
  const std::uint32_t* kept(std::int64_t begin) const {
    return keeps_ ? scratch_.data() + begin : nullptr;
  }

  template <class FineCriterion>
  void split(const BinnedData& data, const FineCriterion& fine,
             std::vector<PartitionTask<typename FineCriterion::Sum>>& tasks) {
    auto chunks = cut(tasks, [](const auto& task) { return std::pair(task.begin, task.end); });
    scratch_.resize(rows_.size());
    each(chunks, [&](Chunk& chunk) {
      const auto& task = tasks[chunk.task];
      std::uint32_t* out = chunk.alone ? rows_.data() : scratch_.data();
      chunk.left = separate(data, task.feature, task.left_bins, rows(chunk.begin, chunk.end),
                            out + chunk.begin);
    });
    for (auto& task : tasks) task.left_rows = 0;
    for (auto& chunk : chunks) {
      auto& task = tasks[chunk.task];
      chunk.left_before = task.left_rows;
      task.left_rows += chunk.left;
    }
    std::erase_if(chunks, [](const Chunk& chunk) { return chunk.alone; });
    each(chunks, [&](Chunk& chunk) {
      const auto& task = tasks[chunk.task];
      // Rows to the right come after all left rows and after the right rows of earlier chunks.
      const std::int64_t right_before = chunk.begin - task.begin - chunk.left_before;
      const std::uint32_t* from = scratch_.data();
      std::copy(from + chunk.begin, from + chunk.begin + chunk.left,
                rows_.data() + task.begin + chunk.left_before);
      std::copy(from + chunk.begin + chunk.left, from + chunk.end,
                rows_.data() + task.begin + task.left_rows + right_before);
    });
    sum_left(fine, tasks);
  }

 private:
  struct Chunk {
    std::size_t task;
    std::int64_t begin, end;
    bool alone;  // the only one of its node
    std::int64_t left = 0;
    std::int64_t left_before = 0;
  };

  template <class Tasks, class Range>
  static std::vector<Chunk> cut(const Tasks& tasks, Range&& range) {
    std::vector<Chunk> chunks;
    for (std::size_t t = 0; t < tasks.size(); ++t) {
      const auto [begin, end] = range(tasks[t]);
      for (std::int64_t at = begin; at < end; at += kSeparateRows) {
        const std::int64_t stop = std::min(end, at + kSeparateRows);
        chunks.push_back({t, at, stop, at == begin && stop == end});
      }
    }
    return chunks;
  }

  template <class F>
  static void each(std::vector<Chunk>& chunks, F&& f) {
    constexpr std::int64_t kChunksATask = 4;
    parallel_for(static_cast<std::int64_t>(chunks.size()), kChunksATask,
                 [&](std::int64_t from, std::int64_t to) {
                   for (std::int64_t c = from; c < to; ++c) f(chunks[c]);
                 });
  }

  template <class FineCriterion, class Tasks>
  void sum_left(const FineCriterion& fine, Tasks& tasks) {
    auto left_is_smaller = [](const auto& task) {
      return 2 * task.left_rows <= task.end - task.begin;
    };
    auto chunks = cut(tasks, [&](const auto& task) {
      const std::int64_t middle = task.begin + task.left_rows;
      return left_is_smaller(task) ? std::pair(task.begin, middle) : std::pair(middle, task.end);
    });
    std::vector<typename FineCriterion::Sum> sums(chunks.size(), fine.make());
    constexpr bool kHasCoarse = requires { fine.coarse(0); };
    keeps_ = false;
    if constexpr (kHasCoarse) keeps_ = fine.coarse(0) != nullptr;
    each(chunks, [&](Chunk& chunk) {
      auto sum = fine.make();
      if constexpr (requires { fine.add_rows(sum, std::span<const std::uint32_t>()); }) {
        fine.add_rows(sum, rows(chunk.begin, chunk.end));
      } else {
        for (std::int64_t i = chunk.begin; i < chunk.end; ++i) {
          if constexpr (kHasCoarse) {
            __builtin_prefetch(fine.coarse(rows_[std::min(i + kPrefetchRows, chunk.end - 1)]));
            if (keeps_) scratch_[i] = std::bit_cast<std::uint32_t>(*fine.coarse(rows_[i]));
          }
          FineCriterion::add_row(sum, fine.read(rows_[i]));
        }
      }
      sums[&chunk - chunks.data()] = std::move(sum);
    });
    for (auto& task : tasks) task.left_sum = fine.make();
    for (std::size_t c = 0; c < chunks.size(); ++c) {
      fine.merge(tasks[chunks[c].task].left_sum, sums[c]);
    }
    for (auto& task : tasks) {
      if (left_is_smaller(task)) continue;
      auto left = task.total;
      fine.subtract(left, task.left_sum);
      task.left_sum = std::move(left);
    }
  }

  static constexpr std::int64_t kPrefetchRows = 32;  // so far ahead that statistics arrive in time

  std::vector<std::uint32_t> rows_;
  std::vector<std::uint32_t> scratch_;  // of a split; after it, what is kept
  bool keeps_ = false;
};

}  // namespace gradatim::boost
