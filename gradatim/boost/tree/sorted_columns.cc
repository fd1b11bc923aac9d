#include "gradatim/boost/tree/sorted_columns.h"

#include <algorithm>
#include <utility>

#include "gradatim/core/parallel.h"

namespace gradatim::boost {

void SortedColumns::reset(const BinnedData& data, std::span<const std::uint32_t> rows,
                          std::span<const std::int32_t> features) {
  data_ = &data;
  every_row_ = static_cast<std::int64_t>(rows.size()) == data.rows();
  columns_.resize(data.features().size());
  features_.clear();
  for (const std::int32_t f : features) {
    if (!data.features()[f].categorical()) features_.push_back(f);
  }
  range_.assign(columns_.size(), {});
  side_.assign((data.rows() + 63) / 64, 0);
  if (!every_row_) set_sides(rows, true);
  parallel_tasks(static_cast<std::int64_t>(features_.size()), [&](std::int64_t i) {
    const std::int32_t feature = features_[i];
    const auto sorted = data.sorted_rows(feature);
    Rows& column = columns_[feature];
    column.resize(sorted.size());
    range_[feature].end = static_cast<std::int64_t>(sorted.size());
    if (every_row_) return;
    const auto end = std::copy_if(sorted.begin(), sorted.end(), column.begin(),
                                  [&](const SortedRow& row) { return on_left(row.row); });
    range_[feature].end = end - column.begin();
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
      const std::int64_t middle =
          begin + separate(rows(split.node, feature), columns_[feature].data() + begin, *scratch);
      range_[split.left * features + feature] = {begin, middle};
      range_[split.right * features + feature] = {middle, end};
    }
    return_scratch(std::move(scratch));
  });
}

// Without a branch: a row is written to both sides, and one of them advances. `out` may be `rows`.
std::int64_t SortedColumns::separate(std::span<const SortedRow> rows, SortedRow* out,
                                     Rows& right) const {
  if (right.size() < rows.size()) right.resize(rows.size());
  SortedRow* next_right = right.data();
  const std::uint64_t* side = side_.data();
  std::int64_t left = 0;
  for (const SortedRow& from : rows) {
    const SortedRow row = from;
    const auto goes_left = static_cast<std::int64_t>(side[row.row >> 6] >> (row.row & 63) & 1U);
    *next_right = row;
    next_right += 1 - goes_left;
    out[left] = row;
    left += goes_left;
  }
  std::copy(right.data(), next_right, out + left);
  return left;
}

std::unique_ptr<SortedColumns::Rows> SortedColumns::take_scratch() {
  const std::lock_guard lock(scratch_lock_);
  if (scratch_.empty()) return std::make_unique<Rows>();
  auto scratch = std::move(scratch_.back());
  scratch_.pop_back();
  return scratch;
}

void SortedColumns::return_scratch(std::unique_ptr<Rows> scratch) {
  const std::lock_guard lock(scratch_lock_);
  scratch_.push_back(std::move(scratch));
}

}  // namespace gradatim::boost
