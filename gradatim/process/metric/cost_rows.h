// CostRows: the costs of an assignment, row by row, in the few loops that its search is made of.
//
// Costs are stored, or worked out anew from points of few dimensions, which is faster than reading
// them and needs no memory. Loops are by the best SIMD target; every target has the same bits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

namespace gradatim::process {

/// A column and its value; the first column of several.
struct Least {
  double value;
  std::int64_t column;
};

class CostRows {
 public:
  virtual ~CostRows() = default;

  std::int64_t size() const { return n_; }
  /// Numbers that arrays of one a column have room for, so that loops need no rest. A column that
  /// is not there has price -infinity and way infinity.
  static std::int64_t room(std::int64_t columns) { return (columns + 8 + 31) / 32 * 32; }

  virtual double at(std::int64_t row, std::int64_t column) const = 0;
  /// Of the first `columns`, shortens ways[j] to cost(row, j) - price[j] - behind where that is
  /// less, and then says so in from[j]; the least of all ways.
  virtual Least shorten(std::int64_t row, std::int64_t columns, const double* price, double behind,
                        double* ways, double* from) const = 0;
  /// price[j] = min(price[j], cost(row, j) - rent) for begin <= j < end.
  virtual void lower(std::int64_t row, double rent, std::int64_t begin, std::int64_t end,
                     double* price) const = 0;

 protected:
  explicit CostRows(std::int64_t n) : n_(n) {}

 private:
  std::int64_t n_;
};

/// Fills rows [begin, end) of a matrix whose rows are `pitch` numbers apart; `out` is row begin.
template <class T>
using FillRows =
    std::function<void(std::int64_t begin, std::int64_t end, T* out, std::int64_t pitch)>;

/// Costs [n, n] that are kept; rows are filled on several threads.
std::unique_ptr<CostRows> stored_costs(std::int64_t n, const FillRows<double>& fill);
std::unique_ptr<CostRows> stored_costs(std::int64_t n, const FillRows<float>& fill);
/// |a_i - b_j|^order, order 1 or 2, of points [n, dims] in up to kMostComputed dimensions.
inline constexpr std::int64_t kMostComputed = 3;
std::unique_ptr<CostRows> computed_costs(std::span<const double> a, std::span<const double> b,
                                         std::int64_t dims, int order);

}  // namespace gradatim::process
