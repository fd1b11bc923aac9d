// Assignments: proved optimal by their prices, and compared with all permutations and with a plain
// search.
#include "gradatim/process/metric/assignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "gradatim/core/parallel.h"
#include "gradatim/core/philox.h"
#include "gradatim/core/simd.h"
#include "gradatim/process/metric/point_assignment.h"
#include "gradatim/process/metric/squared_distances.h"
#include "gradatim/process/testing.h"

namespace gradatim::process {
namespace {

using testing::code_of;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

double draw(std::int64_t i) { return Philox(7, Stream::data).uniform(at(i)); }

struct Case {
  std::string name;
  std::int64_t dims;
  std::vector<double> a, b;
};

Case random_case(std::int64_t n, std::int64_t dims) {
  Case made{"random", dims, {}, {}};
  for (std::int64_t i = 0; i < n * dims; ++i) {
    made.a.push_back(draw(i));
    made.b.push_back(draw(1'000'000 + i));
  }
  return made;
}

std::vector<Case> cases() {
  std::vector<Case> made;
  for (const std::int64_t n : {1, 2, 3, 31, 64, 100, 257}) {
    for (const std::int64_t dims : {1, 2, 3, 5}) made.push_back(random_case(n, dims));
  }
  Case grid = random_case(200, 2);  // of 5 x 5 points: ties without end
  grid.name = "grid";
  for (double& x : grid.a) x = std::floor(5.0 * x);
  for (double& x : grid.b) x = std::floor(5.0 * x);
  made.push_back(grid);
  made.push_back({"equal points", 2, std::vector<double>(180, 1.5), std::vector<double>(180, 1.5)});
  made.push_back({"one target", 2, grid.a, std::vector<double>(400, 2.0)});
  Case moons{"clusters", 2, {}, {}};
  for (int i = 0; i < 256; ++i) {
    const double angle = std::numbers::pi * (i % 128) / 127.0, shift = 0.2 * draw(3 * i);
    const double turn = std::floor(8.0 * draw(3 * i + 1)) * std::numbers::pi / 4.0;
    moons.a.push_back(5.0 * std::cos(turn) + draw(3 * i + 2));
    moons.a.push_back(5.0 * std::sin(turn) + draw(5000 + i));
    moons.b.push_back(3.0 * (i < 128 ? std::cos(angle) : 1.0 - std::cos(angle)) + shift);
    moons.b.push_back(3.0 * (i < 128 ? std::sin(angle) : 0.5 - std::sin(angle)) + shift);
  }
  made.push_back(moons);
  Case far = random_case(90, 2);
  far.name = "scales apart";
  for (std::size_t i = 0; i < far.a.size(); ++i) far.a[i] *= i % 3 == 0 ? 1e6 : 1e-6;
  made.push_back(far);
  return made;
}

std::vector<double> matrix(const Case& c, int order) {
  std::vector<double> cost;
  const auto n = static_cast<std::int64_t>(c.a.size()) / c.dims;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 0.0;
      for (std::int64_t k = 0; k < c.dims; ++k) {
        const double apart = c.a[at(i * c.dims + k)] - c.b[at(j * c.dims + k)];
        sum += apart * apart;
      }
      cost.push_back(order == 1 ? std::sqrt(sum) : sum);
    }
  }
  return cost;
}

template <class T>
std::unique_ptr<CostRows> stored(const std::vector<double>& cost) {
  const auto n = static_cast<std::int64_t>(std::lround(std::sqrt(double(cost.size()))));
  return stored_costs(
      n, FillRows<T>([&cost, n](std::int64_t begin, std::int64_t end, T* out, std::int64_t pitch) {
        for (std::int64_t i = begin; i < end; ++i, out += pitch) {
          for (std::int64_t j = 0; j < n; ++j) {
            out[j] = static_cast<T>(cost[at(i * n + j)]);
          }
        }
      }));
}

double total(const CostRows& cost, const std::vector<std::int32_t>& column) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < cost.size(); ++i) sum += cost.at(i, column[at(i)]);
  return sum;
}

void expect_permutation(std::vector<std::int32_t> column) {
  std::ranges::sort(column);
  for (std::size_t i = 0; i < column.size(); ++i) ASSERT_EQ(column[i], static_cast<int>(i));
}

// Prices at which every row has a column of least cost less price: no assignment costs less.
void expect_optimal(const CostRows& cost) {
  const Assignment found = assign(cost);
  expect_permutation(found.column);
  double most = 0.0, worst = 0.0;
  for (std::int64_t i = 0; i < cost.size(); ++i) {
    for (std::int64_t j = 0; j < cost.size(); ++j) {
      const double slack = cost.at(i, j) - found.row_price[at(i)] - found.column_price[at(j)];
      most = std::max(most, std::abs(cost.at(i, j)));
      worst = std::max(worst, j == found.column[at(i)] ? std::abs(slack) : -slack);
    }
  }
  EXPECT_LE(worst, 1e-13 * most);
}

// The plain reference: rows one by one, the shortest chain from each by Bellman and Ford.
std::vector<std::int32_t> plain(const CostRows& cost) {
  const std::int64_t n = cost.size();
  std::vector<std::int32_t> column(at(n), -1), row(at(n), -1);
  double most = 0.0;
  for (std::int64_t i = 0; i < n * n; ++i) most = std::max(most, cost.at(i / n, i % n));
  const double rounding = 1e-12 * most;
  for (std::int64_t start = 0; start < n; ++start) {
    std::vector<double> way(at(n));
    std::vector<std::int64_t> from(at(n), start);
    for (std::int64_t j = 0; j < n; ++j) way[at(j)] = cost.at(start, j);
    for (bool changed = true; changed;) {
      changed = false;
      for (std::int64_t j = 0; j < n; ++j) {
        const std::int64_t i = row[at(j)];
        for (std::int64_t k = 0; i >= 0 && k < n; ++k) {
          const double longer = way[at(j)] - cost.at(i, j) + cost.at(i, k);
          if (longer >= way[at(k)] - rounding) continue;
          way[at(k)] = longer;
          from[at(k)] = i;
          changed = true;
        }
      }
    }
    std::int64_t end = -1;
    for (std::int64_t j = 0; j < n; ++j) {
      if (row[at(j)] < 0 && (end < 0 || way[at(j)] < way[at(end)])) end = j;
    }
    for (std::int64_t i = -1; i != start;) {
      i = from[at(end)];
      row[at(end)] = static_cast<std::int32_t>(i);
      const std::int64_t next = column[at(i)];
      column[at(i)] = static_cast<std::int32_t>(end);
      end = next;
    }
  }
  return column;
}

TEST(Assignment, PricesProveThatNothingIsBetter) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name + " " + std::to_string(c.a.size()) + " / " + std::to_string(c.dims));
    for (const int order : {1, 2}) {
      expect_optimal(*stored<double>(matrix(c, order)));
      expect_optimal(*stored<float>(matrix(c, order)));
      if (c.dims <= kMostComputed) expect_optimal(*computed_costs(c.a, c.b, c.dims, order));
    }
  }
}

TEST(Assignment, NegativeAndRandomCostsAreCostsToo) {
  std::vector<double> cost;
  for (int i = 0; i < 150 * 150; ++i) cost.push_back(std::floor(1000.0 * draw(i)) - 700.0);
  expect_optimal(*stored<double>(cost));
  for (double& x : cost) x = std::floor(x / 300.0);
  expect_optimal(*stored<double>(cost));
}

TEST(Assignment, IsTheBestOfAllPermutations) {
  for (std::int64_t n = 1; n <= 7; ++n) {
    for (int round = 0; round < 4; ++round) {
      std::vector<double> cost;
      for (std::int64_t k = 0; k < n * n; ++k) {
        cost.push_back(std::floor((round < 2 ? 9.0 : 900.0) * draw(1000 * round + k)));
      }
      const auto rows = stored<double>(cost);
      std::vector<std::int32_t> order(at(n));
      std::iota(order.begin(), order.end(), 0);
      double best = std::numeric_limits<double>::infinity();
      do best = std::min(best, total(*rows, order));
      while (std::next_permutation(order.begin(), order.end()));
      EXPECT_EQ(total(*rows, assign(*rows).column), best);
    }
  }
}

TEST(Assignment, CostsAsMuchAsThePlainSearch) {
  for (const Case& c : cases()) {
    if (c.a.size() > 200) continue;
    const auto cost = stored<double>(matrix(c, 2));
    const double expected = total(*cost, plain(*cost));
    EXPECT_NEAR(total(*cost, assign(*cost).column), expected, 1e-12 * (1.0 + expected));
    const auto by_points = assign_points(c.a, c.b, c.dims, 2);
    expect_permutation(by_points);
    EXPECT_NEAR(total(*cost, by_points), expected, 1e-12 * (1.0 + expected));
  }
}

TEST(Assignment, OnALineIsTheSortedOrder) {
  const Case c = random_case(300, 1);
  const auto column = assign_points(c.a, c.b, 1, 2);
  for (std::int64_t i = 0; i < 300; ++i) {
    for (std::int64_t j = 0; j < 300; ++j) {
      EXPECT_EQ(c.a[at(i)] < c.a[at(j)], c.b[at(column[at(i)])] < c.b[at(column[at(j)])]);
    }
  }
}

TEST(Assignment, IsTheSameOnEveryTargetAndNumberOfThreads) {
  for (const Case& c : cases()) {
    const std::vector<float> a(c.a.begin(), c.a.end()), b(c.b.begin(), c.b.end());
    const auto best = assign_points(a, b, c.dims);
    for (const Simd most : {Simd::portable, Simd::avx2}) {
      const SimdLimit limit(most);
      EXPECT_EQ(assign_points(a, b, c.dims), best) << c.name;
    }
    for (const int threads : {1, 3}) {
      const ThreadScope scope(threads);
      EXPECT_EQ(assign_points(a, b, c.dims), best) << c.name;
    }
  }
}

TEST(Assignment, RefusesCostsThatAreNotFinite) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(code_of([&] { assign(*stored<double>(std::vector<double>(9, infinity))); }), 4026);
  EXPECT_EQ(code_of([&] { assign(*stored<double>({1.0, NAN, 2.0, NAN})); }), 4026);
  const std::vector<double> far{1e200, 0.0, -1e200, 0.0}, near(4, 0.0);
  EXPECT_EQ(code_of([&] { assign_points(far, near, 2, 2); }), 4026);
}

TEST(Assignment, SpreadOrderHasEveryHalfAndQuarterInItsFirstRows) {
  const Case c = random_case(64, 2);
  const auto order = spread_order(c.a, 2);
  expect_permutation(order);
  // The tree's first cut halves the rows by their widest dimension; the first two are of both.
  double low[2] = {1.0, 1.0}, high[2] = {0.0, 0.0};
  for (std::size_t i = 0; i < c.a.size(); ++i) {
    low[i % 2] = std::min(low[i % 2], c.a[i]);
    high[i % 2] = std::max(high[i % 2], c.a[i]);
  }
  const std::int64_t k = high[1] - low[1] > high[0] - low[0] ? 1 : 0;
  std::vector<double> along;
  for (std::int64_t i = 0; i < 64; ++i) along.push_back(c.a[at(2 * i + k)]);
  std::ranges::sort(along);
  for (std::size_t i = 0; i < 64; i += 2) {
    EXPECT_LT(c.a[at(2 * order[i] + k)], along[32]);
    EXPECT_GE(c.a[at(2 * order[i + 1] + k)], along[32]);
  }
}

TEST(SquaredDistances, AreThoseOfFloat64AndTheSameOnEveryTarget) {
  for (const std::int64_t dims : {1, 3, 64, 65, 200}) {
    for (const std::int64_t n : {1, 7, 33, 70}) {
      std::vector<float> a, b;
      for (std::int64_t i = 0; i < n * dims; ++i) {
        a.push_back(static_cast<float>(draw(i)) + 100.0F);
        b.push_back(static_cast<float>(draw(77'000 + i)) + 100.0F);
      }
      const SquaredDistances distances(b.data(), n, dims);
      std::vector<float> out(at(n * distances.pitch())), again = out;
      distances.rows(a.data(), n, out.data(), distances.pitch());
      for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
          double sum = 0.0;
          for (std::int64_t k = 0; k < dims; ++k) {
            const double apart = double{a[at(i * dims + k)]} - double{b[at(j * dims + k)]};
            sum += apart * apart;
          }
          EXPECT_NEAR(out[at(i * distances.pitch() + j)], sum, 3e-6 * sum);
        }
      }
      const SimdLimit limit(Simd::portable);
      distances.rows(a.data(), n, again.data(), distances.pitch());
      EXPECT_EQ(again, out);
    }
  }
}

}  // namespace
}  // namespace gradatim::process
