#include "gradatim/process/metric/point_assignment.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "gradatim/process/metric/assignment.h"
#include "gradatim/process/metric/metric.h"
#include "gradatim/process/metric/squared_distances.h"

namespace gradatim::process {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

template <class T>
std::int64_t widest(std::span<const T> points, std::int64_t dims,
                    std::span<const std::int32_t> rows) {
  std::vector<T> low(points.begin() + rows[0] * dims, points.begin() + (rows[0] + 1) * dims);
  std::vector<T> high = low;
  for (const std::int32_t row : rows) {
    const T* x = points.data() + row * dims;
    for (std::int64_t k = 0; k < dims; ++k) {
      low[at(k)] = std::min(low[at(k)], x[k]);
      high[at(k)] = std::max(high[at(k)], x[k]);
    }
  }
  std::int64_t best = 0;
  for (std::int64_t k = 1; k < dims; ++k) {
    if (high[at(k)] - low[at(k)] > high[at(best)] - low[at(best)]) best = k;
  }
  return best;
}

template <class T>
void halve(std::span<const T> points, std::int64_t dims, std::span<std::int32_t> rows) {
  if (rows.size() < 2) return;
  const std::int64_t k = widest<T>(points, dims, rows);
  const std::size_t middle = rows.size() / 2;
  std::nth_element(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(middle), rows.end(),
                   [&](std::int32_t a, std::int32_t b) {
                     const T x = points[at(a * dims + k)], y = points[at(b * dims + k)];
                     return x < y || (x == y && a < b);
                   });
  halve(points, dims, rows.first(middle));
  halve(points, dims, rows.subspan(middle));
}

template <class T>
std::vector<std::int32_t> spread(std::span<const T> points, std::int64_t dims) {
  const std::size_t n = points.size() / at(dims);
  std::vector<std::int32_t> leaves(n), order;
  std::iota(leaves.begin(), leaves.end(), 0);
  halve<T>(points, dims, leaves);
  // Bits of the counter, backwards: 0, 1/2, 1/4, 3/4, 1/8, ...
  const std::size_t whole = std::bit_ceil(n);
  for (std::size_t counter = 0; counter < whole; ++counter) {
    std::size_t place = 0;
    for (std::size_t bit = 1; bit < whole; bit *= 2) {
      place = place * 2 + ((counter & bit) != 0 ? 1 : 0);
    }
    if (place < n) order.push_back(leaves[place]);
  }
  return order;
}

template <class To, class T>
std::vector<To> taken(std::span<const T> points, std::int64_t dims,
                      const std::vector<std::int32_t>& order) {
  std::vector<To> out;
  out.reserve(points.size());
  for (const std::int32_t row : order) {
    for (std::int64_t k = 0; k < dims; ++k) out.push_back(points[at(row * dims + k)]);
  }
  return out;
}

std::unique_ptr<CostRows> kept(const std::vector<float>& a, const std::vector<float>& b,
                               std::int64_t n, std::int64_t dims, int) {
  const SquaredDistances distances(b.data(), n, dims);
  return stored_costs(
      n, FillRows<float>([&](std::int64_t begin, std::int64_t end, float* out, std::int64_t pitch) {
        distances.rows(a.data() + begin * dims, end - begin, out, pitch);
      }));
}

std::unique_ptr<CostRows> kept(const std::vector<double>& a, const std::vector<double>& b,
                               std::int64_t n, std::int64_t dims, int order) {
  return stored_costs(
      n,
      FillRows<double>([&](std::int64_t begin, std::int64_t end, double* out, std::int64_t pitch) {
        for (std::int64_t i = begin; i < end; ++i, out += pitch) {
          for (std::int64_t j = 0; j < n; ++j) {
            const double square = squared_distance(a.data() + i * dims, b.data() + j * dims, dims);
            out[j] = order == 1 ? std::sqrt(square) : square;
          }
        }
      }));
}

template <class T>
std::vector<std::int32_t> assigned(std::span<const T> a, std::span<const T> b, std::int64_t dims,
                                   int order) {
  const auto n = static_cast<std::int64_t>(a.size()) / dims;
  const auto order_a = spread<T>(a, dims), order_b = spread<T>(b, dims);
  std::unique_ptr<CostRows> cost;
  if (dims <= kMostComputed) {
    cost = computed_costs(taken<double>(a, dims, order_a), taken<double>(b, dims, order_b), dims,
                          order);
  } else {
    cost = kept(taken<T>(a, dims, order_a), taken<T>(b, dims, order_b), n, dims, order);
  }
  const Assignment found = assign(*cost);
  std::vector<std::int32_t> partner(at(n));
  for (std::int64_t i = 0; i < n; ++i) {
    partner[at(order_a[at(i)])] = order_b[at(found.column[at(i)])];
  }
  return partner;
}

}  // namespace

std::vector<std::int32_t> assign_points(std::span<const double> a, std::span<const double> b,
                                        std::int64_t dims, int order) {
  return assigned(a, b, dims, order);
}
std::vector<std::int32_t> assign_points(std::span<const float> a, std::span<const float> b,
                                        std::int64_t dims) {
  return assigned(a, b, dims, 2);
}

std::vector<std::int32_t> spread_order(std::span<const double> points, std::int64_t dims) {
  return spread(points, dims);
}
std::vector<std::int32_t> spread_order(std::span<const float> points, std::int64_t dims) {
  return spread(points, dims);
}

}  // namespace gradatim::process
