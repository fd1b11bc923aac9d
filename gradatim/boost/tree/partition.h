// The rows of every node: one array of row ids in which each node is a contiguous range.
//
// A split keeps the order of rows on both sides. Ranges are cut into chunks; each chunk separates
// its rows into scratch space without branches and sums the left side's fine statistics on the way,
// then the chunks are moved to their places.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "gradatim/boost/bins/binned_data.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {

/// One node's split; the side of each bin (1 is left) is a table, numeric and categorical alike.
template <class Sum>
struct PartitionTask {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int32_t feature = 0;
  std::vector<std::uint8_t> left_bins;
  std::int64_t left_rows = 0;  // out
  Sum left_sum;                // out: fine statistics of the left side
};

class RowPartition {
 public:
  void reset(std::span<const std::uint32_t> rows) { rows_.assign(rows.begin(), rows.end()); }
  std::span<const std::uint32_t> rows(std::int64_t begin, std::int64_t end) const {
    return std::span(rows_).subspan(begin, end - begin);
  }
  std::int64_t size() const { return static_cast<std::int64_t>(rows_.size()); }

  template <class FineCriterion>
  void split(const BinnedData& data, const FineCriterion& fine,
             std::vector<PartitionTask<typename FineCriterion::Sum>>& tasks) {
    struct ChunkOfRows {
      std::size_t task;
      std::int64_t begin, end;
      std::int64_t left = 0;
      typename FineCriterion::Sum sum;
      std::int64_t left_to = 0, right_to = 0;
    };
    std::vector<ChunkOfRows> chunks;
    for (std::size_t t = 0; t < tasks.size(); ++t) {
      for (std::int64_t at = tasks[t].begin; at < tasks[t].end; at += kChunk) {
        chunks.push_back({t, at, std::min(tasks[t].end, at + kChunk), 0, fine.make()});
      }
    }
    scratch_.resize(rows_.size());
    const auto count = static_cast<std::int64_t>(chunks.size());
    parallel_for(count, kChunksATask, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t c = from; c < to; ++c) {
        ChunkOfRows& chunk = chunks[c];
        const auto& task = tasks[chunk.task];
        chunk.left = visit_column(data.column(task.feature), [&](const auto* bins) {
          return separate(bins, task.left_bins.data(), fine, chunk.begin, chunk.end, chunk.sum);
        });
      }
    });
    for (auto& task : tasks) {
      task.left_rows = 0;
      task.left_sum = fine.make();
    }
    for (auto& chunk : chunks) {
      auto& task = tasks[chunk.task];
      chunk.left_to = task.begin + task.left_rows;
      task.left_rows += chunk.left;
      fine.merge(task.left_sum, chunk.sum);
    }
    for (auto& chunk : chunks) {
      const auto& task = tasks[chunk.task];
      // Rows to the right come after all left rows and after the right rows of earlier chunks.
      const std::int64_t left_before = chunk.left_to - task.begin;
      const std::int64_t right_before = (chunk.begin - task.begin) - left_before;
      chunk.right_to = task.begin + task.left_rows + right_before;
    }
    parallel_for(count, kChunksATask, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t c = from; c < to; ++c) {
        const ChunkOfRows& chunk = chunks[c];
        std::uint32_t* source = scratch_.data() + chunk.begin;
        std::copy_n(source, chunk.left, rows_.data() + chunk.left_to);
        std::copy(source + chunk.left, scratch_.data() + chunk.end, rows_.data() + chunk.right_to);
      }
    });
  }

 private:
  static constexpr std::int64_t kChunk = 4096;
  static constexpr std::int64_t kChunksATask = 4;

  // Left rows to the front of the chunk's scratch, right rows behind them; both in order.
  template <class Bin, class FineCriterion>
  std::int64_t separate(const Bin* bins, const std::uint8_t* left_bins, const FineCriterion& fine,
                        std::int64_t begin, std::int64_t end, typename FineCriterion::Sum& sum) {
    std::uint32_t right_rows[kChunk];
    std::uint32_t* left_out = scratch_.data() + begin;
    std::int64_t left = 0;
    std::int64_t right = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      const std::uint32_t row = rows_[i];
      const std::uint8_t goes_left = left_bins[bins[row]];
      left_out[left] = row;
      right_rows[right] = row;
      left += goes_left;
      right += 1 - goes_left;
    }
    for (std::int64_t i = 0; i < left; ++i) FineCriterion::add_row(sum, fine.read(left_out[i]));
    std::copy_n(right_rows, right, left_out + left);
    return left;
  }

  std::vector<std::uint32_t> rows_;
  std::vector<std::uint32_t> scratch_;
};

}  // namespace gradatim::boost
