// The rows of every node, column by column in order of values: what the exact search reads.
//
// The attribute lists of SPRINT (Shafer, Agrawal and Mehta, 1996): a split separates each column's
// rows where they lie, in order, by one bit a row, its side. So a node is a contiguous range of
// every column, and is read from front to back. The root, where it has every row, is read from the
// data.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "gradatim/boost/bins/binned_data.h"

namespace gradatim::boost {

class SortedColumns {
 public:
  /// A node that is split: the rows of both sides in, the numbers of both nodes out.
  struct Split {
    std::int32_t node = 0;
    std::span<const std::uint32_t> left_rows, right_rows;
    std::int32_t left = 0, right = 0;
  };

  /// Node 0 holds `rows`; columns are those of the numeric ones among `features`. Keeps `data`.
  void reset(const BinnedData& data, std::span<const std::uint32_t> rows,
             std::span<const std::int32_t> features);
  /// A node that was split has no rows any more.
  void split(std::span<Split> splits);
  /// The node's rows that are present in the feature, in order of (bin, row).
  std::span<const SortedRow> rows(std::int32_t node, std::int32_t feature) const {
    if (node == 0 && every_row_) return data_->sorted_rows(feature);
    const auto& [begin, end] = range_[node * columns_.size() + feature];
    return std::span(columns_[feature]).subspan(begin, end - begin);
  }

 private:
  struct Range {
    std::int64_t begin = 0;
    std::int64_t end = 0;
  };
  using Rows = std::vector<SortedRow>;

  bool on_left(std::uint32_t row) const { return side_[row >> 6] >> (row & 63) & 1U; }
  void set_sides(std::span<const std::uint32_t> rows, bool left);
  std::int64_t separate(std::span<const SortedRow> rows, SortedRow* out, Rows& right) const;
  std::unique_ptr<Rows> take_scratch();
  void return_scratch(std::unique_ptr<Rows> scratch);

  const BinnedData* data_ = nullptr;
  bool every_row_ = false;
  std::vector<std::int32_t> features_;  // numeric ones of this tree
  std::vector<Rows> columns_;           // [features of the data]
  std::vector<Range> range_;            // [nodes, features of the data]
  std::vector<std::uint64_t> side_;     // a bit a row
  std::mutex scratch_lock_;
  std::vector<std::unique_ptr<Rows>> scratch_;  // as many as threads have worked at once
};

}  // namespace gradatim::boost
