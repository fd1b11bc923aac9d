#include "gradatim/neural/nn/kernel/spline.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gradatim/neural/nn/kernel/product.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/neural/nn/kernel/spline.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// behind highway.h
#include <hwy/contrib/math/math-inl.h>

#include "gradatim/neural/nn/kernel/exponential-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradatim::neural::kernel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;
using Mask = hn::Mask<Floats>;

HWY_INLINE Vector all(float x) { return hn::Set(Floats(), x); }

// Calls f(offset in x, place in the block, count) for the parts of rows that a block holds.
template <class F>
void for_parts(const Spline& s, std::int64_t block, const F& f) {
  const std::int64_t end = std::min(s.rows * s.numbers, (block + 1) * kBlock);
  for (std::int64_t at = block * kBlock; at < end;) {
    const std::int64_t row = at / s.numbers, column = at % s.numbers;
    const std::int64_t count = std::min(s.numbers - column, end - at);
    f(row, column, at - block * kBlock, count);
    at += count;
  }
}

// The parameters of one block's numbers, [3 bins - 1, kBlock], and their exponentials.
class Block {
 public:
  explicit Block(const Spline& s) : s_(s), each_(3 * s.bins - 1) {
    numbers_.resize(static_cast<std::size_t>(each_ * kBlock));
  }

  void read(std::int64_t block) {
    if ((block + 1) * kBlock > s_.rows * s_.numbers) std::ranges::fill(numbers_, 0.0F);
    if (s_.numbers == 1) {
      const std::int64_t first = block * kBlock, count = std::min(kBlock, s_.rows - first);
      return kernel::transpose(count, each_, {s_.parameters + first * each_, each_},
                               {numbers_.data(), kBlock});
    }
    for_parts(s_, block, [&](auto row, auto column, auto place, auto count) {
      const float* from = s_.parameters + row * each_ * s_.numbers + column;
      for (std::int64_t p = 0; p < each_; ++p) {
        std::copy_n(from + p * s_.numbers, count, at(p) + place);
      }
    });
  }
  void write(std::int64_t block, float* parameters) const {
    if (s_.numbers == 1) {
      const std::int64_t first = block * kBlock, count = std::min(kBlock, s_.rows - first);
      return kernel::transpose(each_, count, {numbers_.data(), kBlock},
                               {parameters + first * each_, each_});
    }
    for_parts(s_, block, [&](auto row, auto column, auto place, auto count) {
      float* to = parameters + row * each_ * s_.numbers + column;
      for (std::int64_t p = 0; p < each_; ++p) {
        std::copy_n(at(p) + place, count, to + p * s_.numbers);
      }
    });
  }

  float* at(std::int64_t parameter) { return numbers_.data() + parameter * kBlock; }
  const float* at(std::int64_t parameter) const { return numbers_.data() + parameter * kBlock; }

 private:
  const Spline& s_;
  std::int64_t each_;
  std::vector<float> numbers_;
};

// The bins along one axis, of the numbers from `place` on, and of them the one that is looked for.
struct Axis {
  Vector scale;               // bin = least + exponential * scale
  Vector low, high;           // its ends
  Vector exponential, below;  // its own, and the sum of those in front
};

// Scores become exponentials in place.
HWY_INLINE Vector exponentials(float* scores, std::int64_t bins) {
  const Floats d;
  Vector most = hn::LoadU(d, scores);
  for (std::int64_t k = 1; k < bins; ++k) {
    most = hn::Max(most, hn::LoadU(d, scores + k * kBlock));
  }
  Vector sum = hn::Zero(d);
  for (std::int64_t k = 0; k < bins; ++k) {
    const Vector e = exponential(d, hn::Sub(hn::LoadU(d, scores + k * kBlock), most));
    sum = hn::Add(sum, e);
    hn::StoreU(e, d, scores + k * kBlock);
  }
  return sum;
}

// One bin of every number: its ends on both axes and the parameters of the slopes at them.
struct Bin {
  Axis x, y;
  Vector index, v0, v1;
};

// The bins that hold `given`, within [-bound, bound], on the axis of x or, `by_y`, of y.
template <bool by_y>
HWY_INLINE Bin find(const Spline& s, Block& block, std::int64_t place, Vector given) {
  const Floats d;
  const std::int64_t bins = s.bins;
  float *widths = block.at(0) + place, *heights = block.at(bins) + place;
  const float* slopes = block.at(2 * bins) + place;
  const float whole = 2.0F * s.bound, free = whole * (1.0F - static_cast<float>(bins) * kLeastBin);
  const Vector least = all(whole * kLeastBin), end = all(s.bound);
  Bin bin;
  bin.x.scale = hn::Div(all(free), exponentials(widths, bins));
  bin.y.scale = hn::Div(all(free), exponentials(heights, bins));
  Vector low_x = all(-s.bound), low_y = low_x, below_x = hn::Zero(d), below_y = hn::Zero(d);
  for (std::int64_t k = 0; k < bins; ++k) {
    const Vector ex = hn::LoadU(d, widths + k * kBlock), ey = hn::LoadU(d, heights + k * kBlock);
    const bool last = k + 1 == bins;
    const Vector high_x = last ? end : hn::Add(low_x, hn::MulAdd(ex, bin.x.scale, least));
    const Vector high_y = last ? end : hn::Add(low_y, hn::MulAdd(ey, bin.y.scale, least));
    const Vector v0 = k > 0 ? hn::LoadU(d, slopes + (k - 1) * kBlock) : hn::Zero(d);
    const Vector v1 = last ? hn::Zero(d) : hn::LoadU(d, slopes + k * kBlock);
    const Mask here = hn::Ge(given, by_y ? low_y : low_x);
    const auto take = [&](Vector& to, Vector from) {
      to = k == 0 ? from : hn::IfThenElse(here, from, to);
    };
    take(bin.x.low, low_x);
    take(bin.x.high, high_x);
    take(bin.y.low, low_y);
    take(bin.y.high, high_y);
    take(bin.x.exponential, ex);
    take(bin.y.exponential, ey);
    take(bin.x.below, below_x);
    take(bin.y.below, below_y);
    take(bin.v0, v0);
    take(bin.v1, v1);
    take(bin.index, all(static_cast<float>(k)));
    low_x = high_x;
    low_y = high_y;
    below_x = hn::Add(below_x, ex);
    below_y = hn::Add(below_y, ey);
  }
  return bin;
}

// 1 + |v| / ln kMostSlope
HWY_INLINE Vector damped(Vector v) {
  return hn::MulAdd(hn::Abs(v), all(1.0F / 6.907755279F), all(1.0F));
}
HWY_INLINE Vector slope_at(Vector v) { return exponential(Floats(), hn::Div(v, damped(v))); }

// The curve within its bin, and what its derivatives are made of; names as in the header.
struct Curve {
  Vector w, h, s, d0, d1;
  Vector xi, eta, q, den, m;  // q = xi eta

  explicit Curve(const Bin& bin)
      : w(hn::Sub(bin.x.high, bin.x.low)),
        h(hn::Sub(bin.y.high, bin.y.low)),
        s(hn::Div(h, w)),
        d0(slope_at(bin.v0)),
        d1(slope_at(bin.v1)) {}

  void at(Vector given_xi, Vector given_eta) {
    xi = given_xi;
    eta = given_eta;
    q = hn::Mul(xi, eta);
    den = hn::MulAdd(hn::Add(d0, d1), q, hn::Mul(s, hn::NegMulAdd(all(2.0F), q, all(1.0F))));
    m = hn::MulAdd(hn::Mul(d1, xi), xi,
                   hn::MulAdd(hn::Mul(d0, eta), eta, hn::Mul(hn::Add(s, s), q)));
  }
  void at_x(const Bin& bin, Vector x) {
    at(hn::Div(hn::Sub(x, bin.x.low), w), hn::Div(hn::Sub(bin.x.high, x), w));
  }
  void at_y(const Bin& bin, Vector y) {
    const Vector delta = hn::Div(hn::Sub(y, bin.y.low), h);
    const Vector epsilon = hn::Div(hn::Sub(bin.y.high, y), h);
    const Vector e = hn::MulSub(d0, epsilon, hn::Mul(d1, delta));
    const Vector twice = hn::Add(s, s);
    const Vector from_low = hn::Mul(twice, delta), from_high = hn::Mul(twice, epsilon);
    const Vector root = hn::Sqrt(hn::MulAdd(e, e, hn::Mul(from_low, from_high)));
    // Of the two forms of the root, the one that adds |e|.
    const Vector sum = hn::Add(root, hn::Abs(e));
    const Mask rising = hn::Ge(e, hn::Zero(Floats()));
    const Vector a = hn::IfThenElse(rising, from_low, sum);
    const Vector b = hn::IfThenElse(rising, sum, from_high);
    const Vector both = hn::Add(a, b);
    at(hn::Div(a, both), hn::Div(b, both));
  }
  // The share of the bin's height.
  Vector r() const { return hn::Div(hn::MulAdd(hn::Mul(s, xi), xi, hn::Mul(d0, q)), den); }
  Vector slope() const {
    const Vector part = hn::Div(s, den);
    return hn::Mul(hn::Mul(part, part), m);
  }
};

HWY_INLINE Mask within(Vector given, float bound) {  // not NaN
  return hn::Le(hn::Abs(given), all(bound));
}
HWY_INLINE Vector kept_within(Vector given, float bound) {
  return hn::Min(hn::Max(given, all(-bound)), all(bound));
}

// A copy of a block's numbers, behind which vectors may read on.
struct Numbers {
  HWY_ALIGN float at[kBlock] = {};

  void read(const float* x, std::int64_t block, std::int64_t count) {
    std::copy_n(x + block * kBlock, count, at);
  }
  void write(float* x, std::int64_t block, std::int64_t count) const {
    std::copy_n(at, count, x + block * kBlock);
  }
};

template <bool inverse>
HWY_INLINE void pass(const Spline& s, std::int64_t first, std::int64_t last, const float* in,
                     float* out, float* log_slope) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  Block block(s);
  Numbers from, to, log;
  for (std::int64_t k = first; k < last; ++k) {
    const std::int64_t count = std::min(kBlock, s.rows * s.numbers - k * kBlock);
    block.read(k);
    from.read(in, k, count);
    for (std::int64_t place = 0; place < count; place += lanes) {
      const Vector given = hn::Load(d, from.at + place), kept = kept_within(given, s.bound);
      const Bin bin = find<inverse>(s, block, place, kept);
      Curve curve(bin);
      Vector moved;
      if constexpr (inverse) {
        curve.at_y(bin, kept);
        moved = hn::MulAdd(curve.xi, curve.w, bin.x.low);
      } else {
        curve.at_x(bin, kept);
        moved = hn::MulAdd(curve.r(), curve.h, bin.y.low);
      }
      const Mask inside = within(given, s.bound);
      Vector logarithm = hn::Log(d, curve.slope());
      if constexpr (inverse) logarithm = hn::Neg(logarithm);
      hn::Store(hn::IfThenElse(inside, moved, given), d, to.at + place);
      hn::Store(hn::IfThenElseZero(inside, logarithm), d, log.at + place);
    }
    to.write(out, k, count);
    log.write(log_slope, k, count);
  }
}

void forward(const Spline& s, std::int64_t first, std::int64_t last, const float* x, float* y,
             float* log_slope) {
  pass<false>(s, first, last, x, y, log_slope);
}
void inverse(const Spline& s, std::int64_t first, std::int64_t last, const float* y, float* x,
             float* log_slope) {
  pass<true>(s, first, last, y, x, log_slope);
}

// Gradients of a loss by what a curve is made of, from those by y and by ln dy/dx.
struct Slopes {
  Vector x;                            // by x
  Vector low_x, low_y, width, height;  // by the bin's lower ends and sizes
  Vector v0, v1;
};

HWY_INLINE Vector damped_slope(Vector gradient, Vector v, Vector slope) {
  const Vector by = damped(v);
  return hn::Div(hn::Mul(gradient, slope), hn::Mul(by, by));
}

HWY_INLINE Slopes slopes(const Curve& c, const Bin& bin, bool of_inverse, Vector gradient,
                         Vector by_log, Vector& in) {
  const Vector one = all(1.0F), two = all(2.0F);
  const Vector r = c.r(), slope = c.slope();
  const Vector of_den = hn::Div(one, c.den), of_m = hn::Div(one, c.m);
  const Vector xi2 = hn::Mul(c.xi, c.xi), eta2 = hn::Mul(c.eta, c.eta);
  const Vector free = hn::NegMulAdd(two, c.q, one);  // 1 - 2 q
  const Vector apart = hn::Sub(c.eta, c.xi);         // 1 - 2 xi
  const Vector t = hn::NegMulAdd(two, c.s, hn::Add(c.d0, c.d1));
  // ln slope = 2 ln s + ln m - 2 ln den
  const Vector m_xi =
      hn::Mul(two, hn::MulAdd(c.d1, c.xi, hn::MulSub(c.s, apart, hn::Mul(c.d0, c.eta))));
  const Vector twice = hn::Mul(two, of_den);
  const Vector log_xi = hn::MulSub(m_xi, of_m, hn::Mul(hn::Mul(t, apart), twice));
  const Vector log_s =
      hn::MulAdd(two, hn::MulAdd(c.q, of_m, hn::Div(one, c.s)), hn::Neg(hn::Mul(free, twice)));
  const Vector even = hn::Mul(c.q, twice);
  const Vector log_d0 = hn::MulSub(eta2, of_m, even), log_d1 = hn::MulSub(xi2, of_m, even);
  // Of the inverse: dx = (dy - df) / slope, and ln dx/dy = -ln slope at x.
  Vector by_y = gradient;
  if (of_inverse) {
    by_log = hn::Neg(by_log);
    const Vector whole = hn::MulAdd(by_log, hn::Div(log_xi, c.w), gradient);
    in = hn::Div(whole, slope);
    by_y = hn::Neg(in);
  }
  // y = Y + h r
  const Vector by_r = hn::Mul(by_y, c.h);
  const Vector r_s = hn::Mul(hn::NegMulAdd(r, free, xi2), of_den);
  const Vector r_d = hn::Mul(c.q, of_den);
  const Vector by_s = hn::MulAdd(by_r, r_s, hn::Mul(by_log, log_s));
  const Vector by_d0 = hn::MulAdd(by_r, hn::NegMulAdd(r, r_d, r_d), hn::Mul(by_log, log_d0));
  const Vector by_d1 = hn::MulSub(by_log, log_d1, hn::Mul(by_r, hn::Mul(r, r_d)));
  Slopes by;
  by.x = hn::MulAdd(by_y, slope, hn::Div(hn::Mul(by_log, log_xi), c.w));
  if (!of_inverse) in = by.x;
  by.low_x = hn::Neg(by.x);
  by.width = hn::Neg(hn::MulAdd(hn::Div(by_s, c.w), c.s, hn::Mul(by.x, c.xi)));
  by.low_y = by_y;
  by.height = hn::MulAdd(by_y, r, hn::Div(by_s, c.w));
  by.v0 = damped_slope(by_d0, bin.v0, c.d0);
  by.v1 = damped_slope(by_d1, bin.v1, c.d1);
  return by;
}

// From the ends of bins to the scores of their softmax: of score i, with p its share,
// p_i ([i < k] low + [i = k] size - (low sum of p below k + size p_k)) times all that is shared.
HWY_INLINE void write_scores(const float* exponentials, std::int64_t bins, const Axis& axis,
                             Vector index, Vector low, Vector size, float free, float* to) {
  const Floats d;
  const Vector share = hn::Mul(axis.scale, all(1.0F / free));  // 1 / the sum
  const Vector mean = hn::Mul(hn::MulAdd(low, axis.below, hn::Mul(size, axis.exponential)), share);
  for (std::int64_t k = 0; k < bins; ++k) {
    const Vector here = all(static_cast<float>(k));
    Vector by = hn::IfThenElseZero(hn::Lt(here, index), low);
    by = hn::IfThenElse(hn::Eq(here, index), size, by);
    const Vector e = hn::Mul(hn::LoadU(d, exponentials + k * kBlock), axis.scale);
    hn::StoreU(hn::Mul(e, hn::Sub(by, mean)), d, to + k * kBlock);
  }
}

void backward(const Spline& s, std::int64_t first, std::int64_t last, const float* x,
              const SplineGradient& gradient) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const float free = 2.0F * s.bound * (1.0F - static_cast<float>(s.bins) * kLeastBin);
  Block block(s), learned(s);
  Numbers at, out, log, in;
  for (std::int64_t k = first; k < last; ++k) {
    const std::int64_t count = std::min(kBlock, s.rows * s.numbers - k * kBlock);
    block.read(k);
    at.read(x, k, count);
    out.read(gradient.out, k, count);
    for_parts(s, k, [&](auto row, auto, auto place, auto length) {
      std::fill_n(log.at + place, length, gradient.log_slope[row]);
    });
    for (std::int64_t place = 0; place < count; place += lanes) {
      const Vector given = hn::Load(d, at.at + place), kept = kept_within(given, s.bound);
      const Bin bin = find<false>(s, block, place, kept);
      Curve curve(bin);
      curve.at_x(bin, kept);
      const Vector by_out = hn::Load(d, out.at + place);
      Vector by_in;
      const Slopes by =
          slopes(curve, bin, gradient.inverse, by_out, hn::Load(d, log.at + place), by_in);
      const Mask inside = within(given, s.bound);
      const auto kept_of = [&](Vector v) { return hn::IfThenElseZero(inside, v); };
      hn::Store(hn::IfThenElse(inside, by_in, by_out), d, in.at + place);
      write_scores(block.at(0) + place, s.bins, bin.x, bin.index, kept_of(by.low_x),
                   kept_of(by.width), free, learned.at(0) + place);
      write_scores(block.at(s.bins) + place, s.bins, bin.y, bin.index, kept_of(by.low_y),
                   kept_of(by.height), free, learned.at(s.bins) + place);
      const Vector v0 = kept_of(by.v0), v1 = kept_of(by.v1);
      for (std::int64_t knot = 1; knot < s.bins; ++knot) {
        const auto here = static_cast<float>(knot);
        const Vector low = hn::IfThenElseZero(hn::Eq(bin.index, all(here)), v0);
        const Vector high = hn::IfThenElseZero(hn::Eq(bin.index, all(here - 1.0F)), v1);
        hn::StoreU(hn::Add(low, high), d, learned.at(2 * s.bins + knot - 1) + place);
      }
    }
    in.write(gradient.in, k, count);
    learned.write(k, gradient.parameters);
  }
}

}  // namespace gradatim::neural::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::neural::kernel {

HWY_EXPORT(forward);
HWY_EXPORT(inverse);
HWY_EXPORT(backward);

void spline(const Spline& spline, std::int64_t first, std::int64_t last, const float* x, float* y,
            float* log_slope) {
  HWY_DYNAMIC_DISPATCH(forward)(spline, first, last, x, y, log_slope);
}
void spline_inverse(const Spline& spline, std::int64_t first, std::int64_t last, const float* y,
                    float* x, float* log_slope) {
  HWY_DYNAMIC_DISPATCH(inverse)(spline, first, last, y, x, log_slope);
}
void spline_backward(const Spline& spline, std::int64_t first, std::int64_t last, const float* x,
                     const SplineGradient& gradient) {
  HWY_DYNAMIC_DISPATCH(backward)(spline, first, last, x, gradient);
}

}  // namespace gradatim::neural::kernel
#endif
