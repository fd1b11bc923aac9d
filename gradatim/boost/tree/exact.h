// The exact search: every feature's rows in order of values, scanned once for all nodes of a batch.
//
// The pre-sorted columns of SLIQ and XGBoost's `exact`: a running sum a node, a candidate wherever
// the value changes. Features are searched in parallel; sums are fine, so nothing is rounded.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/bins/binned_data.h"
#include "gradatim/boost/tree/split.h"

namespace gradatim::boost {

constexpr std::int32_t kNoNode = -1;

namespace internal {

template <class Criterion, class PairOfNode>
class ExactFeature {
 public:
  ExactFeature(const BinnedData& data, const Criterion& criterion, std::int32_t feature,
               std::span<const std::int32_t> node_of_row,
               std::span<const typename Criterion::Sum> totals, const PairOfNode& pair_of)
      : data_(data),
        criterion_(criterion),
        feature_(feature),
        node_(node_of_row),
        totals_(totals),
        right_(criterion.make()),
        pair_of_(pair_of) {}

  std::vector<Candidate> search() {
    std::vector<Candidate> best(totals_.size());
    std::vector<typename Criterion::Sum> missing(totals_.size(), criterion_.make());
    const bool has_missing = data_.has_missing(feature_);
    if (has_missing) missing = missing_sums();
    std::vector<typename Criterion::Sum> left(totals_.size(), criterion_.make());
    std::vector<std::int32_t> last(totals_.size(), -1);  // bin of the rows already on the left
    visit_column(data_.column(feature_), [&](const auto* bins) {
      for (const std::uint32_t row : data_.sorted_rows(feature_)) {
        const std::int32_t node = node_[row];
        if (node == kNoNode) continue;
        const auto bin = static_cast<std::int32_t>(bins[row]);
        if (bin != last[node] && last[node] >= 0) {
          consider(best[node], node, left[node], last[node], bin, false);
          if (has_missing) {
            auto with_missing = left[node];
            criterion_.merge(with_missing, missing[node]);
            consider(best[node], node, with_missing, last[node], bin, true);
          }
        }
        last[node] = bin;
        Criterion::add_row(left[node], criterion_.read(row));
      }
    });
    for (std::size_t node = 0; has_missing && node < totals_.size(); ++node) {
      if (last[node] >= 0) {
        consider(best[node], static_cast<std::int32_t>(node), missing[node], -1, -1, true);
      }
    }
    return best;
  }

 private:
  // What the present rows leave of a node's total.
  std::vector<typename Criterion::Sum> missing_sums() const {
    std::vector<typename Criterion::Sum> sums(totals_.begin(), totals_.end());
    std::vector<typename Criterion::Sum> present(totals_.size(), criterion_.make());
    for (const std::uint32_t row : data_.sorted_rows(feature_)) {
      if (node_[row] != kNoNode) Criterion::add_row(present[node_[row]], criterion_.read(row));
    }
    for (std::size_t n = 0; n < sums.size(); ++n) criterion_.subtract(sums[n], present[n]);
    return sums;
  }

  void consider(Candidate& best, std::int32_t node, const typename Criterion::Sum& left,
                std::int32_t bin, std::int32_t next, bool missing_left) {
    if (!criterion_.admissible(left)) return;
    right_ = totals_[node];
    criterion_.subtract(right_, left);
    if (!criterion_.admissible(right_)) return;
    const double score = pair_of_(node)(criterion_, left, right_);
    if (score <= best.score) return;
    best.score = score;
    best.feature = feature_;
    best.bin = bin;
    best.next = next;
    best.missing_left = missing_left;
  }

  const BinnedData& data_;
  const Criterion& criterion_;
  std::int32_t feature_;
  std::span<const std::int32_t> node_;
  std::span<const typename Criterion::Sum> totals_;
  typename Criterion::Sum right_;  // of a candidate; kept, for it may own memory
  const PairOfNode& pair_of_;
};

}  // namespace internal

/// The best split of each node on one feature. `node_of_row` numbers the batch's nodes, kNoNode for
/// rows that take no part; `totals` are the nodes' fine sums, `pair_of(n)` says what two children
/// of the n-th are worth.
template <class Criterion, class PairOfNode>
std::vector<Candidate> search_exact(const BinnedData& data, const Criterion& criterion,
                                    std::int32_t feature, const CategoryRule& rule,
                                    std::span<const std::int32_t> node_of_row,
                                    std::span<const typename Criterion::Sum> totals,
                                    const PairOfNode& pair_of) {
  const FeatureBins& bins = data.features()[feature];
  if (!bins.categorical()) {
    return internal::ExactFeature(data, criterion, feature, node_of_row, totals, pair_of).search();
  }
  const std::int64_t cells = (bins.bins + 1) * std::int64_t{criterion.lanes()};
  std::vector<std::int64_t> histogram(cells * totals.size());
  visit_column(data.column(feature), [&](const auto* column) {
    for (std::int64_t row = 0; row < data.rows(); ++row) {
      if (node_of_row[row] == kNoNode) continue;
      Criterion::add_row(
          histogram.data() + node_of_row[row] * cells + column[row] * criterion.lanes(),
          criterion.read(static_cast<std::uint32_t>(row)));
    }
  });
  std::vector<Candidate> best;
  for (std::size_t n = 0; n < totals.size(); ++n) {
    best.push_back(scan_categories(criterion, histogram.data() + n * cells, bins.bins, feature,
                                   rule, pair_of(static_cast<std::int32_t>(n))));
  }
  return best;
}

}  // namespace gradatim::boost
