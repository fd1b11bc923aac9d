// What a tree maximises. A criterion says what a histogram cell holds (lanes), how rows add to it,
// and what a split is worth; the grower, the scans and the exact search are written once over it.
//
// Every criterion has: Row, what one row adds, read once and added to a cell a feature; Sum, the
// running total of some rows; lanes(), the int64 a cell has (kLanes where that is a constant, else
// 0); score(sum), which a split's children add up; admissible(sum). A split is worth score(left) +
// score(right) - score(parent). Where it HasValues, value(sum, limits) is what a node may predict
// under constraints, and score(sum, value) what it is worth there.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "gradatim/boost/statistics.h"

namespace gradatim::boost {

/// What a node's place in the tree allows it to predict.
struct Limits {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  double parent = std::numeric_limits<double>::quiet_NaN();  // the parent's value; NaN in the root
};

template <class Criterion>
concept HasValues = requires(const Criterion& criterion, const typename Criterion::Sum& sum,
                             const Limits& limits) {
  criterion.value(sum, limits);
};

/// Second-order objective: score = T(G)^2 / (H + lambda), T the soft threshold of L1.
/// Chen and Guestrin (2016), XGBoost, equations 5 to 7; there is no factor 1/2 in a gain.
struct NewtonRule {
  double reg_lambda = 1.0;
  double reg_alpha = 0.0;
  double max_delta_step = 0.0;  // 0 is unlimited
  double min_child_weight = 1.0;
  double path_smooth = 0.0;  // rows that a parent's value weighs in its children's

  double shrunk(double g) const {
    return g > reg_alpha ? g - reg_alpha : g < -reg_alpha ? g + reg_alpha : 0.0;
  }
  double weight(double g, double h) const {
    if (!(h + reg_lambda > 0.0)) return 0.0;
    const double step = -shrunk(g) / (h + reg_lambda);
    return max_delta_step == 0.0 ? step : std::clamp(step, -max_delta_step, max_delta_step);
  }
  double score(double g, double h) const {
    const double t = shrunk(g);
    const double curvature = h + reg_lambda;
    if (max_delta_step == 0.0) return t * t / curvature;
    return score_at(g, h, weight(g, h));
  }
  /// Away from the optimum: -2 (g w + alpha |w| + (h + lambda) w^2 / 2).
  double score_at(double g, double h, double w) const {
    return -(2.0 * (g * w + reg_alpha * (w < 0.0 ? -w : w)) + (h + reg_lambda) * w * w);
  }
  /// The weight drawn to the parent's value, as if that had been seen in path_smooth rows, within
  /// the node's bounds.
  double limited_weight(double g, double h, double rows, const Limits& limits) const {
    double w = weight(g, h);
    if (path_smooth > 0.0 && limits.parent == limits.parent) {
      const double own = rows / (rows + path_smooth);
      w = w * own + limits.parent * (1.0 - own);
    }
    return std::clamp(w, limits.low, limits.high);
  }
  bool admissible(double h) const { return h >= min_child_weight && h + reg_lambda > 0.0; }
};

/// Gradients and hessians of some rows, in their units.
struct NewtonSum {
  std::int64_t g = 0;
  std::int64_t h = 0;
};

/// Newton over packed cells: one int64, (g << 32) + h.
class PackedNewton {
 public:
  using Sum = std::int64_t;
  using Row = std::int64_t;
  static constexpr int kLanes = 1;
  PackedNewton(const Statistics& statistics, const NewtonRule& rule)
      : rows_(statistics.rows.data()), units_(statistics.coarse_units), rule_(rule) {}

  const NewtonRule& rule() const { return rule_; }
  const Units& units() const { return units_; }
  static NewtonSum parts(const Sum& sum) { return {sum >> 32, sum & 0xFFFFFFFF}; }
  int lanes() const { return kLanes; }
  Sum make() const { return 0; }
  void add(Sum& sum, const std::int64_t* cell) const { sum += *cell; }
  void merge(Sum& sum, const Sum& other) const { sum += other; }
  static Row unpack(const Coarse& coarse) { return coarse.g * (std::int64_t{1} << 32) + coarse.h; }
  Row read(std::uint32_t row) const { return unpack(rows_[row].coarse); }
  static void add_row(std::int64_t* cell, Row row) { *cell += row; }
  static void add_row(Sum& sum, Row row) { sum += row; }
  void subtract(Sum& from, const Sum& part) const { from -= part; }
  bool empty(const std::int64_t* cell) const { return *cell == 0; }
  double h(const Sum& sum) const { return static_cast<double>(parts(sum).h) * units_.h; }
  double g(const Sum& sum) const { return static_cast<double>(parts(sum).g) * units_.g; }
  bool admissible(const Sum& sum) const { return rule_.admissible(h(sum)); }
  double score(const Sum& sum) const { return rule_.score(g(sum), h(sum)); }
  double value(const Sum& sum, const Limits& limits, double rows = 0.0) const {
    return rule_.limited_weight(g(sum), h(sum), rows, limits);
  }
  double score(const Sum& sum, double value) const { return rule_.score_at(g(sum), h(sum), value); }
  /// Sorts categories: the mean gradient, drawn to zero by `smooth`.
  double order(const std::int64_t* cell, double smooth) const {
    return g(*cell) / (h(*cell) + smooth);
  }
  double mass(const std::int64_t* cell) const { return h(*cell); }
  PackedNewton with_extra_lambda(double extra) const {
    PackedNewton copy = *this;
    copy.rule_.reg_lambda += extra;
    return copy;
  }

 private:
  const RowStatistics* rows_;
  Units units_;
  NewtonRule rule_;
};

/// Newton over wide cells: two int64 of fine values.
class WideNewton {
 public:
  using Sum = NewtonSum;
  using Row = Sum;
  static constexpr int kLanes = 2;
  WideNewton(const Statistics& statistics, const NewtonRule& rule)
      : rows_(statistics.rows),
        wide_(statistics.wide),
        units_(statistics.fine_units),
        rule_(rule) {}

  const NewtonRule& rule() const { return rule_; }
  const Units& units() const { return units_; }
  static const NewtonSum& parts(const Sum& sum) { return sum; }
  int lanes() const { return kLanes; }
  Sum make() const { return {}; }
  void add(Sum& sum, const std::int64_t* cell) const {
    sum.g += cell[0];
    sum.h += cell[1];
  }
  Row read(std::uint32_t row) const { return {rows_[row].fine.g, rows_[row].fine.h}; }
  std::span<const RowStatistics> statistics() const { return rows_; }
  /// The row's coarse statistics, for the partition to keep; none in wide mode.
  const Coarse* coarse(std::uint32_t row) const { return wide_ ? nullptr : &rows_[row].coarse; }
  static void add_row(std::int64_t* cell, Row row) {
    cell[0] += row.g;
    cell[1] += row.h;
  }
  static void add_row(Sum& sum, Row row) {
    sum.g += row.g;
    sum.h += row.h;
  }
  void merge(Sum& sum, const Sum& other) const {
    sum.g += other.g;
    sum.h += other.h;
  }
  void subtract(Sum& from, const Sum& part) const {
    from.g -= part.g;
    from.h -= part.h;
  }
  bool empty(const std::int64_t* cell) const { return cell[0] == 0 && cell[1] == 0; }
  double g(const Sum& sum) const { return static_cast<double>(sum.g) * units_.g; }
  double h(const Sum& sum) const { return static_cast<double>(sum.h) * units_.h; }
  bool admissible(const Sum& sum) const { return rule_.admissible(h(sum)); }
  double score(const Sum& sum) const { return rule_.score(g(sum), h(sum)); }
  double value(const Sum& sum, const Limits& limits, double rows = 0.0) const {
    return rule_.limited_weight(g(sum), h(sum), rows, limits);
  }
  double score(const Sum& sum, double value) const { return rule_.score_at(g(sum), h(sum), value); }
  double cover(const Sum& sum) const { return h(sum); }
  double leaf(const Sum& sum) const { return rule_.weight(g(sum), h(sum)); }
  double order(const std::int64_t* cell, double smooth) const {
    return g({cell[0], cell[1]}) / (h({cell[0], cell[1]}) + smooth);
  }
  double mass(const std::int64_t* cell) const { return h({cell[0], cell[1]}); }
  WideNewton with_extra_lambda(double extra) const {
    WideNewton copy = *this;
    copy.rule_.reg_lambda += extra;
    return copy;
  }

 private:
  std::span<const RowStatistics> rows_;
  bool wide_;
  Units units_;
  NewtonRule rule_;
};

/// How impure a set of weighted classes is.
enum class Impurity { gini, error };

/// Weighted classification: a cell holds the weight of each class.
/// gini: score = sum_k w_k^2 / W. error: score = max_k w_k. Breiman and others (1984), CART.
class ClassWeights {
 public:
  using Sum = std::vector<std::int64_t>;
  static constexpr int kLanes = 0;
  struct Row {
    std::int32_t label = 0;
    std::int32_t weight = 0;
  };
  ClassWeights(const std::int32_t* label, const std::int32_t* weight, int classes, double unit,
               Impurity impurity, double min_child_weight)
      : label_(label),
        weight_(weight),
        classes_(classes),
        unit_(unit),
        impurity_(impurity),
        min_child_weight_(min_child_weight) {}

  int lanes() const { return classes_; }
  Sum make() const { return Sum(classes_); }
  void add(Sum& sum, const std::int64_t* cell) const {
    for (int k = 0; k < classes_; ++k) sum[k] += cell[k];
  }
  Row read(std::uint32_t row) const { return {label_[row], weight_[row]}; }
  static void add_row(std::int64_t* cell, Row row) { cell[row.label] += row.weight; }
  static void add_row(Sum& sum, Row row) { sum[row.label] += row.weight; }
  void merge(Sum& sum, const Sum& other) const { add(sum, other.data()); }
  void subtract(Sum& from, const Sum& part) const {
    for (int k = 0; k < classes_; ++k) from[k] -= part[k];
  }
  bool empty(const std::int64_t* cell) const { return mass(cell) == 0.0; }
  bool admissible(const Sum& sum) const {
    const double total = mass(sum.data());
    return total > 0.0 && total >= min_child_weight_;
  }
  double score(const Sum& sum) const {
    std::int64_t total = 0;
    std::int64_t most = 0;
    double squares = 0.0;
    for (const std::int64_t w : sum) {
      total += w;
      most = std::max(most, w);
      squares += static_cast<double>(w) * static_cast<double>(w);
    }
    if (total == 0) return 0.0;
    return unit_ * (impurity_ == Impurity::error ? static_cast<double>(most)
                                                 : squares / static_cast<double>(total));
  }
  double cover(const Sum& sum) const { return mass(sum.data()); }
  /// The heaviest class; the lowest of equals.
  double leaf(const Sum& sum) const {
    return static_cast<double>(std::max_element(sum.begin(), sum.end()) - sum.begin());
  }
  /// Sorts categories by the share of class 0: optimal for two classes, a heuristic beyond.
  /// Not smoothed: the weights may sum to 1, to which a smoothing by ten rows would mean nothing.
  double order(const std::int64_t* cell, double /*smooth*/) const {
    return static_cast<double>(cell[0]) * unit_ / mass(cell);
  }
  double mass(const std::int64_t* cell) const {
    std::int64_t total = 0;
    for (int k = 0; k < classes_; ++k) total += cell[k];
    return static_cast<double>(total) * unit_;
  }
  const ClassWeights& with_extra_lambda(double) const { return *this; }

 private:
  const std::int32_t* label_;
  const std::int32_t* weight_;
  int classes_;
  double unit_;
  Impurity impurity_;
  double min_child_weight_;
};

}  // namespace gradatim::boost
