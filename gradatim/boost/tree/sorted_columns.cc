#include "gradatim/boost/tree/sorted_columns.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "gradatim/core/parallel.h"

namespace gradatim::boost {

void SortedColumns::reset(const BinnedData& data, std::span<const std::uint32_t> rows,
                          std::span<const std::int32_t> features,
                          std::span<const RowStatistics> statistics) {
  columns_.resize(data.features().size());
  features_.clear();
  for (const std::int32_t f : features) {
    if (!data.features()[f].categorical()) features_.push_back(f);
  }
  range_.assign(columns_.size(), {});
  side_.assign((data.rows() + 63) / 64, 0);
  set_sides(rows, true);
  const bool every_row = static_cast<std::int64_t>(rows.size()) == data.rows();
  parallel_tasks(static_cast<std::int64_t>(features_.size()), [&](std::int64_t i) {
    const std::int32_t feature = features_[i];
    const auto sorted = data.sorted_rows(feature);
    Records& column = columns_[feature];
    column.resize(sorted.size());
    std::int64_t count = 0;
    visit_column(data.column(feature), [&](const auto* bins) {
      for (const std::uint32_t row : sorted) {
        if (!every_row && !on_left(row)) continue;
        column[count++] = {row, bins[row], statistics.empty() ? Fine() : statistics[row].fine};
      }
    });
    range_[feature] = {0, count};
  });
}

void SortedColumns::set_sides(std::span<const std::uint32_t> rows, bool left) {
  for (const std::uint32_t row : rows) {
    const std::uint64_t bit = std::uint64_t{1} << (row & 63);
    if (left)
      side_[row >> 6] |= bit;
    else
      side_[row >> 6] &= ~bit;
  }
}

void SortedColumns::split(std::span<Split> splits) {
  const std::size_t features = columns_.size();
  for (Split& split : splits) {
    set_sides(split.left_rows, true);
    set_sides(split.right_rows, false);
    split.left = static_cast<std::int32_t>(range_.size() / features);
    split.right = split.left + 1;
    range_.resize(range_.size() + 2 * features);
  }
  const auto columns = static_cast<std::int64_t>(features_.size());
  const std::int64_t tasks = columns * static_cast<std::int64_t>(splits.size());
  constexpr std::int64_t kMostBlocks = 256;
  parallel_for(tasks, (tasks + kMostBlocks - 1) / kMostBlocks, [&](std::int64_t b, std::int64_t e) {
    auto scratch = take_scratch();
    for (std::int64_t task = b; task < e; ++task) {
      const Split& split = splits[task / columns];
      const std::int32_t feature = features_[task % columns];
      const auto [begin, end] = range_[split.node * features + feature];
      const std::int64_t middle = begin + separate(columns_[feature], {begin, end}, *scratch);
      range_[split.left * features + feature] = {begin, middle};
      range_[split.right * features + feature] = {middle, end};
    }
    return_scratch(std::move(scratch));
  });
}

// Without a branch: a record is written to both sides, and one of them advances. It moves as
// bytes, 16 at once; as a struct it would go in pieces, and stores are the limit.
std::int64_t SortedColumns::separate(Records& column, const Range& range, Records& scratch) const {
  const std::int64_t count = range.end - range.begin;
  if (static_cast<std::int64_t>(scratch.size()) < count) scratch.resize(count);
  SortedRow* records = column.data() + range.begin;
  SortedRow* right = scratch.data();
  std::int64_t left = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const bool goes_left = on_left(records[i].row);
    std::memcpy(right + (i - left), records + i, sizeof(SortedRow));
    std::memmove(records + left, records + i, sizeof(SortedRow));
    left += goes_left;
  }
  std::copy(right, right + (count - left), records + left);
  return left;
}

std::unique_ptr<SortedColumns::Records> SortedColumns::take_scratch() {
  const std::lock_guard lock(scratch_lock_);
  if (scratch_.empty()) return std::make_unique<Records>();
  auto scratch = std::move(scratch_.back());
  scratch_.pop_back();
  return scratch;
}

void SortedColumns::return_scratch(std::unique_ptr<Records> scratch) {
  const std::lock_guard lock(scratch_lock_);
  scratch_.push_back(std::move(scratch));
}

}  // namespace gradatim::boost
