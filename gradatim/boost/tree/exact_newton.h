// The exact search of Newton criteria without constraints: a node's running sums stay in registers,
// and its places are scored many at a time. The same candidate as search_exact(), bit for bit.
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "gradatim/boost/tree/newton_scan.h"
#include "gradatim/boost/tree/sorted_columns.h"

namespace gradatim::boost {

namespace internal {

class ExactNewtonSearch {
 public:
  ExactNewtonSearch(const PlacedNode& node, const Fine* fine, std::int32_t feature)
      : node_(node), fine_(fine), feature_(feature) {}

  Candidate search(std::span<const SortedRow> rows, bool has_missing) {
    if (rows.empty()) return {};
    if (has_missing) {
      missing_ = node_.total;
      for (const SortedRow& row : rows) {
        missing_.g -= fine_[row.row].g;
        missing_.h -= fine_[row.row].h;
      }
    }
    NewtonSum left;
    std::uint32_t last = rows[0].bin;
    for (std::size_t begin = 0; begin < rows.size(); begin += SplitPlaces::kMost) {
      const auto part =
          rows.subspan(begin, std::min(rows.size() - begin, std::size_t{SplitPlaces::kMost}));
      for (std::size_t i = 0; i < part.size(); ++i) {
        const SortedRow& row = part[i];
        places_.left_g[i] = left.g;
        places_.left_h[i] = row.bin != last ? left.h : SplitPlaces::kNoPlace;
        last = row.bin;
        const Fine fine = fine_[row.row];
        left.g += fine.g;
        left.h += fine.h;
      }
      take_best(rows, begin, static_cast<int>(part.size()), has_missing);
    }
    if (has_missing) consider_missing_alone();
    return std::move(best_);
  }

 private:
  // Of places in front of rows from `begin` on: of equals the first, and missing rows on the right.
  void take_best(std::span<const SortedRow> rows, std::size_t begin, int count, bool has_missing) {
    const double score = score_places(places_, count, {}, node_);
    int place = score > best_.score ? places_.first(count, score) : count;
    bool missing_left = false;
    double best = std::max(score, best_.score);
    if (has_missing) {
      const double other = score_places(places_, count, missing_, node_);
      const int other_place = other > best_.score ? places_.first(count, other) : count;
      if (other > best || (other == best && other_place < place)) {
        place = other_place;
        missing_left = true;
        best = other;
      }
    }
    if (!(best > best_.score)) return;
    best_ = {.score = best,
             .feature = feature_,
             .bin = static_cast<std::int32_t>(rows[begin + place - 1].bin),
             .next = static_cast<std::int32_t>(rows[begin + place].bin),
             .missing_left = missing_left};
  }

  // Scored as a single place: all present rows are on the right.
  void consider_missing_alone() {
    places_.left_g[0] = places_.left_h[0] = 0;
    const double score = score_places(places_, 1, missing_, node_);
    if (!(score > best_.score)) return;
    best_ = {.score = score, .feature = feature_, .bin = -1, .next = -1, .missing_left = true};
  }

  const PlacedNode& node_;
  const Fine* fine_;
  std::int32_t feature_;
  NewtonSum missing_;
  Candidate best_;
  SplitPlaces places_;
};

}  // namespace internal

/// The best split of a node on a numeric feature; `fine` is of every row of the data, `rows` are
/// the node's present ones.
inline Candidate search_exact_newton(const PlacedNode& node, std::span<const Fine> fine,
                                     std::int32_t feature, std::span<const SortedRow> rows,
                                     bool has_missing) {
  return internal::ExactNewtonSearch(node, fine.data(), feature).search(rows, has_missing);
}

}  // namespace gradatim::boost
