#include "gradatim/boost/tree/vector_scan.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/boost/tree/vector_scan.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gradatim::boost::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using internal::VectorScan;

// Lanes of a cell are a multiple of four: vectors of eight where that divides them.
template <int kWidth>
using Lanes = hn::CappedTag<std::int64_t, kWidth>;

template <int kWidth>
void add_cells(const std::int64_t* cells, std::int32_t count, int lanes, std::int64_t* sum) {
  const Lanes<kWidth> d;
  for (int l = 0; l < lanes; l += static_cast<int>(hn::Lanes(d))) {
    auto total = hn::LoadU(d, sum + l);
    for (std::int32_t b = 0; b < count; ++b) {
      total = hn::Add(total, hn::LoadU(d, cells + std::int64_t{b} * lanes + l));
    }
    hn::StoreU(total, d, sum + l);
  }
}

/// Adds a cell; whether there was anything in it.
template <int kWidth>
bool add_cell(const std::int64_t* cell, int lanes, std::int64_t* sum) {
  const Lanes<kWidth> d;
  auto any = hn::Zero(d);
  for (int l = 0; l < lanes; l += static_cast<int>(hn::Lanes(d))) {
    const auto value = hn::LoadU(d, cell + l);
    any = hn::Or(any, value);
    hn::StoreU(hn::Add(hn::LoadU(d, sum + l), value), d, sum + l);
  }
  return !hn::AllTrue(d, hn::Eq(any, hn::Zero(d)));
}

/// Places of a numeric feature one by one, their outputs by vectors.
template <int kWidth, bool kPacked, bool kL1>
class Places {
 public:
  Places(const VectorScan& scan, VectorSums& sums) : scan_(scan), sums_(sums) {}

  VectorPlace best(const std::int64_t* cells, std::int32_t count) {
    VectorPlace best;
    for (std::int32_t b = 0; b < count; ++b) {
      if (!add_cell<kWidth>(cells + std::int64_t{b} * scan_.lanes, scan_.lanes,
                            sums_.left.data())) {
        continue;  // the same split as the one before
      }
      const double score = score_both();
      // Few places are the best so far, so that what they weigh is asked of few.
      if (score > best.score && admissible()) best = {score, b};
    }
    return best;
  }

 private:
  using Numbers = hn::RebindToFloat<Lanes<kWidth>>;
  static constexpr int kMostOutputs = VectorSums::kMost / 2;

  // Outputs are added one after the other, as the plain scan does.
  double score_both() {
    const Numbers dn;
    const Lanes<kWidth> d;
    const auto step = static_cast<int>(hn::Lanes(d));
    for (int k = 0; k < scan_.outputs; k += step) {
      auto left = hn::Undefined(d);
      auto right = hn::Undefined(d);
      auto left_h = hn::Undefined(d);
      auto right_h = hn::Undefined(d);
      const std::int64_t* sum = sums_.left.data();
      const std::int64_t* all = sums_.total.data();
      if constexpr (kPacked) {
        const auto low = hn::Set(d, 0xFFFFFFFF);
        const auto both = hn::LoadU(d, sum + k);
        const auto rest = hn::Sub(hn::LoadU(d, all + k), both);
        left = hn::ShiftRight<32>(both);
        right = hn::ShiftRight<32>(rest);
        left_h = hn::And(both, low);
        right_h = hn::And(rest, low);
      } else {
        hn::LoadInterleaved2(d, sum + 2 * k, left, left_h);
        hn::LoadInterleaved2(d, all + 2 * k, right, right_h);
        right = hn::Sub(right, left);
        right_h = hn::Sub(right_h, left_h);
      }
      const auto unit_g = hn::LoadU(dn, scan_.unit_g + k);
      const auto unit_h = hn::LoadU(dn, scan_.unit_h + k);
      hn::StoreU(score(left, left_h, unit_g, unit_h), dn, left_score_ + k);
      hn::StoreU(score(right, right_h, unit_g, unit_h), dn, right_score_ + k);
    }
    double left = 0.0;
    double right = 0.0;
    for (int k = 0; k < scan_.outputs; ++k) {
      left += left_score_[k];
      right += right_score_[k];
    }
    return left + right;
  }

  template <class Sums, class Units>
  Units score(Sums sum_g, Sums sum_h, Units unit_g, Units unit_h) const {
    const Numbers dn;
    auto g = hn::Mul(hn::ConvertTo(dn, sum_g), unit_g);
    if constexpr (kL1) {
      const auto alpha = hn::Set(dn, scan_.rule.reg_alpha);
      g = hn::Add(hn::Max(hn::Sub(g, alpha), hn::Zero(dn)),
                  hn::Min(hn::Add(g, alpha), hn::Zero(dn)));
    }
    const auto h = hn::Mul(hn::ConvertTo(dn, sum_h), unit_h);
    return hn::Div(hn::Mul(g, g), hn::Add(h, hn::Set(dn, scan_.rule.reg_lambda)));
  }

  bool admissible() const {
    double left = 0.0;
    double right = 0.0;
    for (int k = 0; k < scan_.outputs; ++k) {
      const int lane = kPacked ? k : 2 * k + 1;
      const std::int64_t h = sums_.left[lane];
      const std::int64_t rest = sums_.total[lane] - h;
      left += static_cast<double>(kPacked ? h & 0xFFFFFFFF : h) * scan_.unit_h[k];
      right += static_cast<double>(kPacked ? rest & 0xFFFFFFFF : rest) * scan_.unit_h[k];
    }
    return scan_.rule.admissible(left / scan_.outputs) &&
           scan_.rule.admissible(right / scan_.outputs);
  }

  const VectorScan& scan_;
  VectorSums& sums_;
  alignas(64) double left_score_[kMostOutputs];
  alignas(64) double right_score_[kMostOutputs];
};

template <int kWidth, bool kPacked>
VectorPlace best_of(const VectorScan& scan, const std::int64_t* cells, std::int32_t count,
                    VectorSums& sums) {
  if (scan.rule.reg_alpha == 0.0) {
    return Places<kWidth, kPacked, false>(scan, sums).best(cells, count);
  }
  return Places<kWidth, kPacked, true>(scan, sums).best(cells, count);
}

template <int kWidth>
VectorPlace best_of(const VectorScan& scan, const std::int64_t* cells, std::int32_t count,
                    VectorSums& sums) {
  return scan.packed ? best_of<kWidth, true>(scan, cells, count, sums)
                     : best_of<kWidth, false>(scan, cells, count, sums);
}

VectorPlace best_place(const VectorScan& scan, const std::int64_t* cells, std::int32_t count,
                       VectorSums& sums) {
  return scan.lanes % 8 == 0 ? best_of<8>(scan, cells, count, sums)
                             : best_of<4>(scan, cells, count, sums);
}

void sum_cells(const VectorScan& scan, const std::int64_t* cells, std::int32_t count,
               std::int64_t* sum) {
  scan.lanes % 8 == 0 ? add_cells<8>(cells, count, scan.lanes, sum)
                      : add_cells<4>(cells, count, scan.lanes, sum);
}

}  // namespace gradatim::boost::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::boost::internal {

HWY_EXPORT(best_place);
HWY_EXPORT(sum_cells);

void sum_cells(const VectorScan& scan, const std::int64_t* cells, std::int32_t count,
               std::int64_t* sum) {
  HWY_DYNAMIC_DISPATCH(sum_cells)(scan, cells, count, sum);
}

VectorPlace best_place(const VectorScan& scan, const std::int64_t* cells, std::int32_t count,
                       VectorSums& sums) {
  return HWY_DYNAMIC_DISPATCH(best_place)(scan, cells, count, sums);
}

}  // namespace gradatim::boost::internal
#endif
