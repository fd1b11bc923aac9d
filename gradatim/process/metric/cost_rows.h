// CostRows: the costs of an assignment, row by row, in the few loops that its search is made of.
//
// Costs are stored, or worked out anew from points of few dimensions, which is faster than reading
// them and needs no memory. Loops are by the best SIMD target; every target has the same bits.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace gradatim::process {

/// A column's number and value; the first column of several.
struct Least {
  double value;
  std::int64_t column;
};

struct LeastTwo {
  Least first;
  double second;  // infinite if there is one column
};

class CostRows {
 public:
  virtual ~CostRows() = default;

  std::int64_t size() const { return n_; }
  /// Numbers that arrays of one a column have room for, so that loops need no rest. What is behind
  /// the last column has price -infinity and way infinity.
  std::int64_t room() const { return room_for(n_); }
  static std::int64_t room_for(std::int64_t n) { return (n + 15) / 16 * 16; }

  virtual double at(std::int64_t row, std::int64_t column) const = 0;
  /// The least cost less price of a row.
  virtual LeastTwo least_two(std::int64_t row, const double* price) const = 0;
  /// Shortens ways[j] to cost(row, j) - price[j] - behind where that is less, and then says so in
  /// from[j]; the least of all ways. A column of price -infinity is left alone.
  virtual Least shorten(std::int64_t row, const double* price, double behind, double* ways,
                        double* from) const = 0;
  /// price[j] = min(price[j], cost(row, j) - rent).
  virtual void lower(std::int64_t row, double rent, double* price) const = 0;
  /// Every `stride`-th row and column.
  virtual std::unique_ptr<CostRows> every(std::int64_t stride) const = 0;

 protected:
  explicit CostRows(std::int64_t n) : n_(n) {}

 private:
  std::int64_t n_;
};

/// A copy of cost [n, n].
std::unique_ptr<CostRows> stored_costs(std::span<const double> cost, std::int64_t n);
std::unique_ptr<CostRows> stored_costs(std::span<const float> cost, std::int64_t n);
/// |a_i - b_j|^order, order 1 or 2, of points [n, dims] in up to kMostComputed dimensions.
inline constexpr std::int64_t kMostComputed = 3;
std::unique_ptr<CostRows> computed_costs(std::span<const double> a, std::span<const double> b,
                                         std::int64_t dims, int order);

}  // namespace gradatim::process
