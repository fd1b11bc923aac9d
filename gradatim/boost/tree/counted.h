// A criterion with one more lane: the number of rows, exact, in front of what it counts.
//
// Gradients and weights do not say how many rows a bin holds; a least number of rows in a child and
// path smoothing need it. Only trees that ask for either pay for the lane.
#pragma once

#include <cstdint>
#include <utility>

#include "gradatim/boost/tree/criterion.h"

namespace gradatim::boost {

template <class Base>
class Counted {
 public:
  struct Sum {
    std::int64_t rows = 0;
    typename Base::Sum sum;
  };
  using Row = typename Base::Row;
  static constexpr int kLanes = Base::kLanes == 0 ? 0 : Base::kLanes + 1;
  Counted(Base base, std::int64_t fewest) : base_(std::move(base)), fewest_(fewest) {}

  int lanes() const { return base_.lanes() + 1; }
  Sum make() const { return {0, base_.make()}; }
  void add(Sum& sum, const std::int64_t* cell) const {
    sum.rows += cell[0];
    base_.add(sum.sum, cell + 1);
  }
  Row read(std::uint32_t row) const { return base_.read(row); }
  static void add_row(std::int64_t* cell, Row row) {
    ++cell[0];
    Base::add_row(cell + 1, row);
  }
  static void add_row(Sum& sum, Row row) {
    ++sum.rows;
    Base::add_row(sum.sum, row);
  }
  void merge(Sum& sum, const Sum& other) const {
    sum.rows += other.rows;
    base_.merge(sum.sum, other.sum);
  }
  void subtract(Sum& from, const Sum& part) const {
    from.rows -= part.rows;
    base_.subtract(from.sum, part.sum);
  }
  bool empty(const std::int64_t* cell) const { return cell[0] == 0; }
  bool admissible(const Sum& sum) const { return sum.rows >= fewest_ && base_.admissible(sum.sum); }
  double score(const Sum& sum) const { return base_.score(sum.sum); }
  double value(const Sum& sum, const Limits& limits) const requires HasValues<Base> {
    return base_.value(sum.sum, limits, static_cast<double>(sum.rows));
  }
  double score(const Sum& sum, double value) const requires HasValues<Base> {
    return base_.score(sum.sum, value);
  }
  double cover(const Sum& sum) const { return base_.cover(sum.sum); }
  double leaf(const Sum& sum) const { return base_.leaf(sum.sum); }
  double order(const std::int64_t* cell, double smooth) const {
    return base_.order(cell + 1, smooth);
  }
  double mass(const std::int64_t* cell) const { return base_.mass(cell + 1); }
  Counted with_extra_lambda(double extra) const {
    return {base_.with_extra_lambda(extra), fewest_};
  }

 private:
  Base base_;
  std::int64_t fewest_;
};

}  // namespace gradatim::boost
