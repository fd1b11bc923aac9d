// The exact search of Newton criteria without constraints, by vectors: the sorted rows of a feature
// are dealt to their nodes first, so that a node's running sums stay in registers and its places
// are scored many at a time. The same candidates as the plain search of exact.h, bit for bit.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "gradatim/boost/bins/binned_data.h"
#include "gradatim/boost/tree/exact.h"
#include "gradatim/boost/tree/newton_scan.h"

namespace gradatim::boost {

namespace internal {

template <HasNewtonRule Criterion>
class ExactNewtonNode {
 public:
  using Sum = typename Criterion::Sum;
  ExactNewtonNode(const Criterion& criterion, std::int32_t feature, const Sum& total)
      : criterion_(criterion), feature_(feature), total_(total) {}

  /// `rows` are the node's present ones, in order of their values.
  template <class Bin>
  Candidate search(const Bin* bins, std::span<const std::uint32_t> rows, bool has_missing) {
    if (rows.empty()) return {};
    if (has_missing) {
      missing_ = total_;
      for (const std::uint32_t row : rows) criterion_.subtract(missing_, criterion_.read(row));
    }
    Sum left = criterion_.make();
    auto last = static_cast<std::int32_t>(bins[rows[0]]);
    for (const std::uint32_t row : rows) {
      const auto bin = static_cast<std::int32_t>(bins[row]);
      if (bin != last) {
        left_[count_] = left;
        bin_[count_] = last;
        next_[count_] = bin;
        last = bin;
        if (++count_ == SplitPlaces::kMost) flush(has_missing);
      }
      Criterion::add_row(left, criterion_.read(row));
    }
    flush(has_missing);
    if (has_missing) consider_missing_alone();
    return std::move(best_);
  }

 private:
  void flush(bool has_missing) {
    auto [place, score] = best_place(criterion_.make());
    bool missing_left = false;
    if (has_missing) {
      const auto [other, other_score] = best_place(missing_);
      if (other_score > score || (other_score == score && other < place)) {
        place = other;
        score = other_score;
        missing_left = true;
      }
    }
    count_ = 0;
    if (!(score > best_.score)) return;
    best_.score = score;
    best_.feature = feature_;
    best_.bin = bin_[place];
    best_.next = next_[place];
    best_.missing_left = missing_left;
  }

  // The first of the best places where `extra` goes left too.
  std::pair<int, double> best_place(const Sum& extra) {
    for (int i = 0; i < count_; ++i) {
      Sum left = left_[i];
      criterion_.merge(left, extra);
      Sum right = total_;
      criterion_.subtract(right, left);
      places_.left_g[i] = criterion_.g(left);
      places_.left_h[i] = criterion_.h(left);
      places_.right_g[i] = criterion_.g(right);
      places_.right_h[i] = criterion_.h(right);
    }
    score_places(places_, count_, criterion_.rule());
    const std::span scores(places_.score, count_);
    const auto best = std::max_element(scores.begin(), scores.end());
    return {static_cast<int>(best - scores.begin()),
            best == scores.end() ? Candidate().score : *best};
  }

  void consider_missing_alone() {
    Sum present = total_;
    criterion_.subtract(present, missing_);
    if (!criterion_.admissible(missing_) || !criterion_.admissible(present)) return;
    const double score = criterion_.score(missing_) + criterion_.score(present);
    if (!(score > best_.score)) return;
    best_ = {.score = score, .feature = feature_, .bin = -1, .next = -1, .missing_left = true};
  }

  const Criterion& criterion_;
  std::int32_t feature_;
  Sum total_;
  Sum missing_{};
  Candidate best_;
  int count_ = 0;
  SplitPlaces places_;
  Sum left_[SplitPlaces::kMost];
  std::int32_t bin_[SplitPlaces::kMost];
  std::int32_t next_[SplitPlaces::kMost];
};

}  // namespace internal

/// The best split of each node on one numeric feature; arguments as search_exact(). The rule has no
/// max_delta_step.
template <HasNewtonRule Criterion>
std::vector<Candidate> search_exact_newton(const BinnedData& data, const Criterion& criterion,
                                           std::int32_t feature,
                                           std::span<const std::int32_t> node_of_row,
                                           std::span<const typename Criterion::Sum> totals) {
  const auto sorted = data.sorted_rows(feature);
  std::vector<std::int64_t> end(totals.size() + 1);  // of each node's rows; beyond: of no node
  const auto place_of = [&](std::uint32_t row) {
    const std::int32_t node = node_of_row[row];
    return node == kNoNode ? totals.size() : static_cast<std::size_t>(node);
  };
  for (const std::uint32_t row : sorted) ++end[place_of(row)];
  std::int64_t before = 0;
  for (std::int64_t& count : end) before += std::exchange(count, before);
  std::vector<std::uint32_t> dealt(sorted.size());
  for (const std::uint32_t row : sorted) dealt[end[place_of(row)]++] = row;
  std::vector<Candidate> best(totals.size());
  visit_column(data.column(feature), [&](const auto* bins) {
    for (std::size_t n = 0; n < totals.size(); ++n) {
      const std::int64_t begin = n == 0 ? 0 : end[n - 1];
      best[n] = internal::ExactNewtonNode(criterion, feature, totals[n])
                    .search(bins, std::span(dealt).subspan(begin, end[n] - begin),
                            data.has_missing(feature));
    }
  });
  return best;
}

}  // namespace gradatim::boost
