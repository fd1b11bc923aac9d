// Criteria of trees whose leaves are vectors: one tree for all outputs, whose gains are the sums of
// the outputs' Newton gains. A row's outputs lie side by side, and so do a cell's lanes, so that
// one vector instruction adds several outputs (vector_histogram.h).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/statistics.h"
#include "gradatim/boost/tree/criterion.h"
#include "gradatim/boost/tree/vector_histogram.h"

namespace gradatim::boost {

/// g and h of each output.
inline LaneRows fine_rows(const VectorStatistics& statistics) {
  return {reinterpret_cast<const std::int32_t*>(statistics.fine.data()),
          2 * statistics.fine_stride(), false};
}
inline LaneRows packed_rows(const VectorStatistics& statistics) {
  return {reinterpret_cast<const std::int32_t*>(statistics.coarse.data()),
          statistics.coarse_stride(), true};
}

/// Ranks splits: packed, a lane an output, (g << 32) + h; or wide, two lanes an output.
/// Admissible is a mean hessian over outputs of min_child_weight.
template <bool kPacked>
class VectorNewton {
 public:
  static constexpr int kMostLanes = 128;
  using Sum = std::array<std::int64_t, kMostLanes>;
  static constexpr bool kVector = true;

  VectorNewton(const VectorStatistics& statistics, const NewtonRule& rule)
      : statistics_(statistics), rule_(rule), lanes_(rows().lanes) {
    const auto& units = kPacked ? statistics.coarse_units : statistics.fine_units;
    for (int k = 0; k < statistics.outputs; ++k) {
      unit_g_[k] = units[k].g;
      unit_h_[k] = units[k].h;
    }
  }

  static int most_outputs() { return kMostLanes / 2; }
  const NewtonRule& rule() const { return rule_; }
  int outputs() const { return statistics_.outputs; }
  int lanes() const { return lanes_; }
  /// What a lane's one is worth, by output; vectors of them may be read to the last lane.
  const double* unit_g() const { return unit_g_.data(); }
  const double* unit_h() const { return unit_h_.data(); }
  /// What rows add to a cell.
  LaneRows rows() const { return kPacked ? packed_rows(statistics_) : fine_rows(statistics_); }
  /// Writes what one row adds.
  void read(std::uint32_t row, std::int64_t* lanes) const {
    std::fill_n(lanes, lanes_, 0);
    add_vectors(std::span(&row, 1), rows(), lanes);
  }

  Sum make() const {
    Sum sum;
    std::fill_n(sum.begin(), lanes_, 0);
    return sum;
  }
  void add(Sum& sum, const std::int64_t* cell) const {
    for (int l = 0; l < lanes_; ++l) sum[l] += cell[l];
  }
  void subtract(Sum& from, const Sum& part) const {
    for (int l = 0; l < lanes_; ++l) from[l] -= part[l];
  }
  bool empty(const std::int64_t* cell) const {
    std::int64_t any = 0;
    for (int l = 0; l < lanes_; ++l) any |= cell[l];
    return any == 0;
  }
  double g(const std::int64_t* lanes, int k) const {
    return static_cast<double>(kPacked ? lanes[k] >> 32 : lanes[2 * k]) * unit_g_[k];
  }
  double h(const std::int64_t* lanes, int k) const {
    return static_cast<double>(kPacked ? lanes[k] & 0xFFFFFFFF : lanes[2 * k + 1]) * unit_h_[k];
  }
  double mass(const std::int64_t* lanes) const {
    double sum = 0.0;
    for (int k = 0; k < statistics_.outputs; ++k) sum += h(lanes, k);
    return sum / statistics_.outputs;
  }
  bool admissible(const Sum& sum) const { return rule_.admissible(mass(sum.data())); }
  double score(const Sum& sum) const {
    double score = 0.0;
    for (int k = 0; k < statistics_.outputs; ++k) {
      score += rule_.score(g(sum.data(), k), h(sum.data(), k));
    }
    return score;
  }
  /// Sorts categories by the mean gradient of the first output: a heuristic.
  double order(const std::int64_t* cell, double smooth) const {
    return g(cell, 0) / (h(cell, 0) + smooth);
  }
  VectorNewton with_extra_lambda(double extra) const {
    VectorNewton copy = *this;
    copy.rule_.reg_lambda += extra;
    return copy;
  }

 private:
  const VectorStatistics& statistics_;
  NewtonRule rule_;
  int lanes_;
  std::array<double, kMostLanes / 2> unit_g_{}, unit_h_{};  // [outputs]
};

/// Decides and fills leaves: fine sums of every output, g and h in turn.
class VectorFine {
 public:
  using Sum = std::vector<std::int64_t>;

  VectorFine(const VectorStatistics& statistics, const NewtonRule& rule)
      : statistics_(statistics), rule_(rule) {}

  int outputs() const { return statistics_.outputs; }
  Sum make() const { return Sum(fine_rows(statistics_).lanes); }
  void add_rows(Sum& sum, std::span<const std::uint32_t> rows) const {
    add_vectors(rows, fine_rows(statistics_), sum.data());
  }
  void merge(Sum& sum, const Sum& other) const {
    for (std::size_t l = 0; l < sum.size(); ++l) sum[l] += other[l];
  }
  void subtract(Sum& from, const Sum& part) const {
    for (std::size_t l = 0; l < from.size(); ++l) from[l] -= part[l];
  }
  double g(const Sum& sum, int k) const {
    return static_cast<double>(sum[2 * k]) * statistics_.fine_units[k].g;
  }
  double h(const Sum& sum, int k) const {
    return static_cast<double>(sum[2 * k + 1]) * statistics_.fine_units[k].h;
  }
  double cover(const Sum& sum) const {
    double total = 0.0;
    for (int k = 0; k < outputs(); ++k) total += h(sum, k);
    return total / outputs();
  }
  bool admissible(const Sum& sum) const { return rule_.admissible(cover(sum)); }
  double score(const Sum& sum) const {
    double score = 0.0;
    for (int k = 0; k < outputs(); ++k) score += rule_.score(g(sum, k), h(sum, k));
    return score;
  }
  double leaf(const Sum& sum, int k) const { return rule_.weight(g(sum, k), h(sum, k)); }

 private:
  const VectorStatistics& statistics_;
  NewtonRule rule_;
};

}  // namespace gradatim::boost
