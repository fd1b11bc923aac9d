// Every column has a price; an assignment whose rows all take a column of least cost less price is
// optimal. It grows by rows and columns, as many again each time: a new column has the highest
// price at which nobody envies its owner, and a new row finds, as Dijkstra would, the cheapest
// chain of exchanges to a free column. Chains are short where the first rows and columns are spread
// like all of them (a search from all rows at once takes some 10 times as long on 1,024 points of a
// plane).
#include "gradatim/process/metric/assignment.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"

namespace gradatim::process {
namespace {

constexpr double kFar = std::numeric_limits<double>::infinity();

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

class Search {
 public:
  explicit Search(const CostRows& cost)
      : cost_(cost),
        n_(cost.size()),
        price_(at(CostRows::room(n_)), -kFar),
        ways_(price_.size(), kFar),
        from_(price_.size()),
        column_(at(n_), -1),
        row_(at(n_), -1) {}

  Assignment run() {
    for (std::int64_t rows = 0; rows < n_; rows = columns_) {
      add_columns(std::min(n_, std::max<std::int64_t>(1, 2 * rows)));
      for (std::int64_t i = rows; i < columns_; ++i) {
        if (i % 64 == 0) check_interrupt();
        exchange(i);
      }
    }
    return result();
  }

 private:
  // As many as there are rows to come.
  void add_columns(std::int64_t end) {
    std::fill(price_.begin() + columns_, price_.begin() + end, columns_ == 0 ? 0.0 : kFar);
    for (std::int64_t i = 0; i < columns_; ++i) {
      const std::int64_t j = column_[at(i)];
      cost_.lower(i, cost_.at(i, j) - price_[at(j)], columns_, end, price_.data());
    }
    for (; columns_ < end; ++columns_) free_.push_back(columns_);
  }

  // A column that is reached leaves the search: its price is put aside and its way is infinite.
  struct Reached {
    std::int64_t column;
    double way, price;
  };

  void exchange(std::int64_t free_row) {
    std::fill_n(ways_.begin(), columns_, kFar);
    reached_.clear();
    Least next = cost_.shorten(free_row, columns_, price_.data(), 0.0, ways_.data(), from_.data());
    double before = -kFar;
    for (;;) {
      GRADATIM_CHECK(next.value < kFar, NumericError, 4026,
                     "costs of an assignment of {} rows are not finite; scale the numbers down",
                     n_);
      if (row_[at(next.column)] < 0) break;
      if (next.value == before) {  // among ties, a free column ends it
        const auto end =
            std::ranges::find_if(free_, [&](std::int64_t j) { return ways_[at(j)] == next.value; });
        if (end != free_.end()) {
          next.column = *end;
          break;
        }
      }
      before = next.value;
      const std::int64_t j = next.column, i = row_[at(j)];
      const double price = std::exchange(price_[at(j)], -kFar);
      ways_[at(j)] = kFar;
      reached_.push_back({j, next.value, price});
      const double behind = cost_.at(i, j) - price - next.value;
      next = cost_.shorten(i, columns_, price_.data(), behind, ways_.data(), from_.data());
    }
    for (const Reached& r : reached_) price_[at(r.column)] = r.price + (r.way - next.value);
    std::erase(free_, next.column);
    take(free_row, next.column);
  }

  void take(std::int64_t free_row, std::int64_t j) {
    for (;;) {
      const auto i = static_cast<std::int64_t>(from_[at(j)]);
      row_[at(j)] = i;
      std::swap(column_[at(i)], j);
      if (i == free_row) return;
    }
  }

  Assignment result() const {
    Assignment made;
    for (std::int64_t i = 0; i < n_; ++i) {
      const std::int64_t j = column_[at(i)];
      made.column.push_back(static_cast<std::int32_t>(j));
      made.row_price.push_back(cost_.at(i, j) - price_[at(j)]);
    }
    made.column_price.assign(price_.begin(), price_.begin() + n_);
    return made;
  }

  const CostRows& cost_;
  std::int64_t n_, columns_ = 0;             // all, and those that are in
  std::vector<double> price_, ways_, from_;  // [columns]
  std::vector<std::int64_t> column_, row_;   // of each row, of each column
  std::vector<std::int64_t> free_;           // columns
  std::vector<Reached> reached_;
};

}  // namespace

Assignment assign(const CostRows& cost) { return Search(cost).run(); }

}  // namespace gradatim::process
