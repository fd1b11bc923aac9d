// Every column has a price; an assignment whose rows all take a column of least cost less price is
// optimal. Prices start at the least cost of each column, which assigns most rows at once; the
// others find, as Dijkstra would, the cheapest chain of exchanges to a free column.
#include "gradatim/process/metric/assignment.h"

#include <limits>

#include "gradatim/core/parallel.h"

namespace gradatim::process {
namespace {

class Assignment {
 public:
  Assignment(std::span<const double> cost, std::int64_t n)
      : cost_(cost), n_(n), price_(size()), column_(size(), -1), row_(size(), -1) {}

  std::vector<std::int64_t> run() {
    reduce_columns();
    for (std::int64_t i = 0; i < n_; ++i) {
      if (column_[at(i)] < 0) augment(i);
      if (i % 64 == 0) check_interrupt();
    }
    return column_;
  }

 private:
  static std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }
  std::size_t size() const { return at(n_); }
  double cost(std::int64_t i, std::int64_t j) const { return cost_[at(i * n_ + j)]; }

  void reduce_columns() {
    std::vector<std::int64_t> least(size(), 0);
    for (std::int64_t j = 0; j < n_; ++j) price_[at(j)] = cost(0, j);
    for (std::int64_t i = 1; i < n_; ++i) {
      for (std::int64_t j = 0; j < n_; ++j) {
        if (cost(i, j) >= price_[at(j)]) continue;
        price_[at(j)] = cost(i, j);
        least[at(j)] = i;
      }
    }
    for (std::int64_t j = 0; j < n_; ++j) {
      const std::int64_t i = least[at(j)];
      if (column_[at(i)] >= 0) continue;
      column_[at(i)] = j;
      row_[at(j)] = i;
    }
  }

  void augment(std::int64_t free_row) {
    std::vector<double> far(size());
    std::vector<std::int64_t> from(size(), free_row), scanned, open(size());
    for (std::int64_t j = 0; j < n_; ++j) {
      far[at(j)] = cost(free_row, j) - price_[at(j)];
      open[at(j)] = j;
    }
    std::int64_t end = -1;
    double least = 0.0;
    while (end < 0) {
      std::size_t best = 0;
      for (std::size_t k = 1; k < open.size(); ++k) {
        if (far[at(open[k])] < far[at(open[best])]) best = k;
      }
      const std::int64_t j = open[best];
      least = far[at(j)];
      if (row_[at(j)] < 0) {
        end = j;
        break;
      }
      open[best] = open.back();
      open.pop_back();
      scanned.push_back(j);
      const std::int64_t i = row_[at(j)];
      const double behind = cost(i, j) - price_[at(j)] - least;
      for (const std::int64_t k : open) {
        const double way = cost(i, k) - price_[at(k)] - behind;
        if (way >= far[at(k)]) continue;
        far[at(k)] = way;
        from[at(k)] = i;
      }
    }
    for (const std::int64_t j : scanned) price_[at(j)] += far[at(j)] - least;
    for (std::int64_t j = end;;) {
      const std::int64_t i = from[at(j)];
      row_[at(j)] = i;
      std::swap(column_[at(i)], j);
      if (i == free_row) break;
    }
  }

  std::span<const double> cost_;
  std::int64_t n_;
  std::vector<double> price_;
  std::vector<std::int64_t> column_, row_;  // of each row, of each column
};

}  // namespace

std::vector<std::int64_t> assign(std::span<const double> cost, std::int64_t n) {
  return Assignment(cost, n).run();
}

}  // namespace gradatim::process
