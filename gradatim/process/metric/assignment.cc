// Every column has a price; an assignment whose rows all take a column of least cost less price is
// optimal. Prices start at those of a quarter of the rows and columns, assigned before; rows then
// bid for their best columns, as in an auction, and those that remain find, as Dijkstra would, the
// cheapest chain of exchanges to a free column.
#include "gradatim/process/metric/assignment.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "gradatim/core/parallel.h"

namespace gradatim::process {
namespace {

constexpr double kFar = std::numeric_limits<double>::infinity();
constexpr std::int64_t kStride = 4;    // of the smaller problem
constexpr std::int64_t kSmall = 64;    // columns that need no smaller problem
constexpr std::int64_t kBids = 2;      // a row, on average; then chains are cheaper

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

class Search {
 public:
  explicit Search(const CostRows& cost)
      : cost_(cost),
        n_(cost.size()),
        price_(at(cost.room()), -kFar),
        ways_(at(cost.room()), kFar),
        from_(at(cost.room())),
        column_(at(n_), -1),
        row_(at(n_), -1) {}

  Assignment run() {
    set_prices();
    bid();
    for (std::int64_t j = 0; j < n_; ++j) {
      if (row_[at(j)] < 0) free_.push_back(j);
    }
    for (std::int64_t i = 0; i < n_; ++i) {
      if (column_[at(i)] >= 0) continue;
      exchange(i);
      if (i % 64 == 0) check_interrupt();
    }
    return result();
  }

 private:
  // The best prices that the smaller problem allows; of none, the least cost of each column.
  void set_prices() {
    std::fill_n(price_.begin(), n_, kFar);
    if (n_ <= kSmall) {
      for (std::int64_t i = 0; i < n_; ++i) cost_.lower(i, 0.0, price_.data());
      return;
    }
    const Assignment small = Search(*cost_.every(kStride)).run();
    for (std::size_t k = 0; k < small.column.size(); ++k) {
      cost_.lower(static_cast<std::int64_t>(k) * kStride, small.row_price[k], price_.data());
    }
  }

  // A row takes its best column from whoever has it, and lowers its price until its second best is
  // as good.
  void bid() {
    std::vector<std::int64_t> waiting(at(n_));
    for (std::int64_t i = 0; i < n_; ++i) waiting[at(i)] = n_ - 1 - i;
    for (std::int64_t left = kBids * n_; left > 0 && !waiting.empty(); --left) {
      const std::int64_t i = waiting.back();
      waiting.pop_back();
      const LeastTwo best = cost_.least_two(i, price_.data());
      const std::int64_t j = best.first.column;
      const bool gains = best.second > best.first.value && best.second < kFar;
      if (!gains && row_[at(j)] >= 0) continue;  // a chain will find out
      if (gains) price_[at(j)] -= best.second - best.first.value;
      if (row_[at(j)] >= 0) {
        column_[at(row_[at(j)])] = -1;
        waiting.push_back(row_[at(j)]);
      }
      row_[at(j)] = i;
      column_[at(i)] = j;
    }
  }

  // A column that is reached leaves the search: its price is put aside and its way is infinite.
  struct Reached {
    std::int64_t column;
    double way, price;
  };

  void exchange(std::int64_t free_row) {
    std::fill_n(ways_.begin(), n_, kFar);
    reached_.clear();
    Least next = cost_.shorten(free_row, price_.data(), 0.0, ways_.data(), from_.data());
    double before = -kFar;
    while (row_[at(next.column)] >= 0) {
      if (next.value == before) {  // among ties, a free column ends it
        const auto end = std::ranges::find_if(
            free_, [&](std::int64_t j) { return ways_[at(j)] == next.value; });
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
      next = cost_.shorten(i, price_.data(), behind, ways_.data(), from_.data());
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
  std::int64_t n_;
  std::vector<double> price_, ways_, from_;  // [columns]
  std::vector<std::int64_t> column_, row_;   // of each row, of each column
  std::vector<std::int64_t> free_;           // columns
  std::vector<Reached> reached_;
};

}  // namespace

Assignment assign(const CostRows& cost) { return Search(cost).run(); }

}  // namespace gradatim::process
