// Indices are kept as doubles beside the values that they belong to, so that one mask serves both.
#include "gradatim/process/metric/cost_rows.h"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "gradatim/core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/process/metric/cost_rows.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gradatim::process::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::CappedTag<double, 8>;
using Numbers = hn::Vec<Tag>;

constexpr double kFar = std::numeric_limits<double>::infinity();
constexpr std::int64_t kRowsAtOnce = 64;

// The first column of the least value, whatever the number of lanes.
HWY_INLINE Least least_of(Numbers value, Numbers column) {
  const Tag d;
  HWY_ALIGN double values[8], columns[8];
  hn::Store(value, d, values);
  hn::Store(column, d, columns);
  Least least{values[0], static_cast<std::int64_t>(columns[0])};
  for (std::size_t k = 1; k < hn::Lanes(d); ++k) {
    const auto j = static_cast<std::int64_t>(columns[k]);
    if (values[k] < least.value || (values[k] == least.value && j < least.column)) {
      least = {values[k], j};
    }
  }
  return least;
}

template <class Row>
HWY_INLINE Least shorten_by(const Row& row, double number, std::int64_t columns,
                            const double* price, double behind, double* ways, double* from) {
  const Tag d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto back = hn::Set(d, behind), me = hn::Set(d, number);
  auto least = hn::Set(d, kFar), column = hn::Zero(d), place = hn::Iota(d, 0.0);
  const auto step = hn::Set(d, static_cast<double>(lanes));
  for (std::int64_t j = 0; j < columns; j += lanes) {
    const auto way = hn::Sub(hn::Sub(row.cost(d, j), hn::LoadU(d, price + j)), back);
    auto best = hn::LoadU(d, ways + j);
    const auto shorter = hn::Lt(way, best);
    best = hn::IfThenElse(shorter, way, best);
    hn::StoreU(best, d, ways + j);
    hn::BlendedStore(me, shorter, d, from + j);
    const auto less = hn::Lt(best, least);
    least = hn::IfThenElse(less, best, least);
    column = hn::IfThenElse(less, place, column);
    place = hn::Add(place, step);
  }
  return least_of(least, column);
}

template <class Row>
HWY_INLINE void lower_to(const Row& row, double rent, std::int64_t begin, std::int64_t end,
                         double* price) {
  const Tag d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto less = hn::Set(d, rent);
  for (std::int64_t j = begin; j < end; j += lanes) {
    const auto value = hn::Sub(row.cost(d, j), less);
    hn::StoreU(hn::Min(hn::LoadU(d, price + j), value), d, price + j);
  }
}

// Has row(i), which gives costs of a group of columns, and the loops over them.
template <class Derived>
class LoopedRows : public CostRows {
 public:
  Least shorten(std::int64_t i, std::int64_t columns, const double* price, double behind,
                double* ways, double* from) const final {
    return shorten_by(me().row(i), static_cast<double>(i), columns, price, behind, ways, from);
  }
  void lower(std::int64_t i, double rent, std::int64_t begin, std::int64_t end,
             double* price) const final {
    lower_to(me().row(i), rent, begin, end, price);
  }

 protected:
  using CostRows::CostRows;
  const Derived& me() const { return static_cast<const Derived&>(*this); }
};

template <class T>
class StoredRows final : public LoopedRows<StoredRows<T>> {
 public:
  StoredRows(std::int64_t n, const FillRows<T>& fill)
      : LoopedRows<StoredRows<T>>(n),
        pitch_(CostRows::room(n)),
        cost_(static_cast<std::size_t>(n * pitch_)) {
    parallel_for(n, kRowsAtOnce, [&](std::int64_t begin, std::int64_t end) {
      fill(begin, end, cost_.data() + begin * pitch_, pitch_);
    });
  }

  struct Row {
    const T* at;
    HWY_INLINE Numbers cost(Tag d, std::int64_t j) const {
      if constexpr (sizeof(T) == sizeof(double)) {
        return hn::LoadU(d, at + j);
      } else {
        return hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, Tag>(), at + j));
      }
    }
  };
  Row row(std::int64_t i) const { return {cost_.data() + i * pitch_}; }

  double at(std::int64_t i, std::int64_t j) const override {
    return double{cost_[static_cast<std::size_t>(i * pitch_ + j)]};
  }

 private:
  std::int64_t pitch_;
  std::vector<T> cost_;  // [n, pitch]
};

template <int kDims, bool kRoot>
class ComputedRows final : public LoopedRows<ComputedRows<kDims, kRoot>> {
 public:
  ComputedRows(const double* a, const double* b, std::int64_t n)
      : LoopedRows<ComputedRows<kDims, kRoot>>(n) {
    for (int k = 0; k < kDims; ++k) {
      a_[k].resize(static_cast<std::size_t>(n));
      b_[k].resize(static_cast<std::size_t>(CostRows::room(n)));
      for (std::int64_t i = 0; i < n; ++i) {
        a_[k][static_cast<std::size_t>(i)] = a[i * kDims + k];
        b_[k][static_cast<std::size_t>(i)] = b[i * kDims + k];
      }
    }
  }

  struct Row {
    double from[kDims];
    const double* to[kDims];
    HWY_INLINE Numbers cost(Tag d, std::int64_t j) const {
      auto sum = hn::Zero(d);
      for (int k = 0; k < kDims; ++k) {
        const auto apart = hn::Sub(hn::Set(d, from[k]), hn::LoadU(d, to[k] + j));
        sum = k == 0 ? hn::Mul(apart, apart) : hn::Add(sum, hn::Mul(apart, apart));
      }
      return kRoot ? hn::Sqrt(sum) : sum;
    }
  };
  Row row(std::int64_t i) const {
    Row made;
    for (int k = 0; k < kDims; ++k) {
      made.from[k] = a_[k][static_cast<std::size_t>(i)];
      made.to[k] = b_[k].data();
    }
    return made;
  }

  double at(std::int64_t i, std::int64_t j) const override {
    double sum = 0.0;
    for (int k = 0; k < kDims; ++k) {
      const double apart = a_[k][static_cast<std::size_t>(i)] - b_[k][static_cast<std::size_t>(j)];
      sum += apart * apart;
    }
    return kRoot ? std::sqrt(sum) : sum;
  }

 private:
  std::array<std::vector<double>, kDims> a_, b_;  // [n], [room] each
};

CostRows* make_stored_double(std::int64_t n, const FillRows<double>& fill) {
  return new StoredRows<double>(n, fill);
}
CostRows* make_stored_float(std::int64_t n, const FillRows<float>& fill) {
  return new StoredRows<float>(n, fill);
}
template <bool kRoot>
CostRows* make_computed_as(const double* a, const double* b, std::int64_t n, std::int64_t dims) {
  if (dims == 1) return new ComputedRows<1, kRoot>(a, b, n);
  if (dims == 2) return new ComputedRows<2, kRoot>(a, b, n);
  return new ComputedRows<3, kRoot>(a, b, n);
}
CostRows* make_computed(const double* a, const double* b, std::int64_t n, std::int64_t dims,
                        bool root) {
  return root ? make_computed_as<true>(a, b, n, dims) : make_computed_as<false>(a, b, n, dims);
}

}  // namespace gradatim::process::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::process {

HWY_EXPORT(make_stored_double);
HWY_EXPORT(make_stored_float);
HWY_EXPORT(make_computed);

std::unique_ptr<CostRows> stored_costs(std::int64_t n, const FillRows<double>& fill) {
  return std::unique_ptr<CostRows>(HWY_DYNAMIC_DISPATCH(make_stored_double)(n, fill));
}
std::unique_ptr<CostRows> stored_costs(std::int64_t n, const FillRows<float>& fill) {
  return std::unique_ptr<CostRows>(HWY_DYNAMIC_DISPATCH(make_stored_float)(n, fill));
}
std::unique_ptr<CostRows> computed_costs(std::span<const double> a, std::span<const double> b,
                                         std::int64_t dims, int order) {
  const std::int64_t n = static_cast<std::int64_t>(a.size()) / dims;
  return std::unique_ptr<CostRows>(
      HWY_DYNAMIC_DISPATCH(make_computed)(a.data(), b.data(), n, dims, order == 1));
}

}  // namespace gradatim::process
#endif
