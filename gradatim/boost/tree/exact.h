// The exact search: a node's rows in order of a feature's values, a candidate wherever the value
// changes. Sums are fine, so nothing is rounded. The pre-sorted columns of SLIQ and of XGBoost's
// `exact`; here each node has its own (sorted_columns.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/tree/sorted_columns.h"
#include "gradatim/boost/tree/split.h"

namespace gradatim::boost {

namespace internal {

template <class Criterion, class Pair>
class ExactSearch {
 public:
  using Sum = typename Criterion::Sum;
  ExactSearch(const Criterion& criterion, std::int32_t feature, const Sum& total, const Pair& pair)
      : criterion_(criterion),
        feature_(feature),
        total_(total),
        right_(criterion.make()),
        pair_(pair) {}

  Candidate search(std::span<const SortedRow> rows, bool has_missing) {
    if (rows.empty()) return {};
    Sum missing = total_;
    if (has_missing) {
      Sum present = criterion_.make();
      for (const SortedRow& row : rows) Criterion::add_row(present, criterion_.read(row.row));
      criterion_.subtract(missing, present);
    }
    Sum left = criterion_.make();
    std::uint32_t last = rows[0].bin;
    for (const SortedRow& row : rows) {
      if (row.bin != last) {
        consider(left, last, row.bin, false);
        if (has_missing) {
          Sum with_missing = left;
          criterion_.merge(with_missing, missing);
          consider(with_missing, last, row.bin, true);
        }
        last = row.bin;
      }
      Criterion::add_row(left, criterion_.read(row.row));
    }
    if (has_missing) consider(missing, -1, -1, true);
    return std::move(best_);
  }

 private:
  void consider(const Sum& left, std::int64_t bin, std::int64_t next, bool missing_left) {
    if (!criterion_.admissible(left)) return;
    right_ = total_;
    criterion_.subtract(right_, left);
    if (!criterion_.admissible(right_)) return;
    const double score = pair_(criterion_, left, right_);
    if (score <= best_.score) return;
    best_.score = score;
    best_.feature = feature_;
    best_.bin = static_cast<std::int32_t>(bin);
    best_.next = static_cast<std::int32_t>(next);
    best_.missing_left = missing_left;
  }

  const Criterion& criterion_;
  std::int32_t feature_;
  const Sum& total_;
  Sum right_;  // of a candidate; kept, for it may own memory
  const Pair& pair_;
  Candidate best_;
};

}  // namespace internal

/// The best split of a node on a numeric feature: `rows` are its present ones, `total` is its fine
/// sum, `pair` says what two children are worth.
template <class Criterion, class Pair>
Candidate search_exact(const Criterion& criterion, std::int32_t feature,
                       std::span<const SortedRow> rows, bool has_missing,
                       const typename Criterion::Sum& total, const Pair& pair) {
  return internal::ExactSearch(criterion, feature, total, pair).search(rows, has_missing);
}

/// On a categorical feature, from a histogram of `rows`, all of the node's.
template <class Criterion, class Pair>
Candidate search_categories(const BinnedData& data, const Criterion& criterion,
                            std::int32_t feature, const CategoryRule& rule,
                            std::span<const std::uint32_t> rows, const Pair& pair) {
  const std::int32_t bins = data.features()[feature].bins;
  std::vector<std::int64_t> histogram((bins + 1) * std::int64_t{criterion.lanes()});
  visit_column(data.column(feature), [&](const auto* column) {
    for (const std::uint32_t row : rows) {
      Criterion::add_row(histogram.data() + column[row] * std::int64_t{criterion.lanes()},
                         criterion.read(row));
    }
  });
  return scan_categories(criterion, histogram.data(), bins, feature, rule, pair);
}

}  // namespace gradatim::boost
