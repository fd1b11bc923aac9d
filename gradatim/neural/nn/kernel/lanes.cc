#include "gradatim/neural/nn/kernel/lanes.h"

#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/neural/nn/kernel/lanes.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "gradatim/neural/nn/kernel/exponential-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradatim::neural::kernel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::CappedTag<float, static_cast<std::size_t>(kGroup)>;
using Vector = hn::Vec<Floats>;

constexpr auto kLanes = static_cast<std::int64_t>(hn::MaxLanes(Floats()));
constexpr Floats d;
// Numbers of a head whose sums stay in registers, which are 32 with AVX-512, else 16.
constexpr int kTile = HWY_TARGET <= HWY_AVX3 ? 16 : 8;

HWY_INLINE Vector sum_of(std::int64_t count, std::int64_t step, const float* x, auto term) {
  Vector sum[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  std::int64_t k = 0;
  for (; k + 4 <= count; k += 4) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) sum[j] = term(k + j, hn::LoadU(d, x + (k + j) * step), sum[j]);
  }
  for (; k < count; ++k) sum[0] = term(k, hn::LoadU(d, x + k * step), sum[0]);
  return hn::Add(hn::Add(sum[0], sum[1]), hn::Add(sum[2], sum[3]));
}

void layer_norm(const LaneNorm& norm, const float* x, float* y) {
  const Vector share = hn::Set(d, 1.0F / static_cast<float>(norm.width));
  for (std::int64_t lane = 0; lane < norm.lanes; lane += kLanes) {
    const float* from = x + lane;
    const Vector mean =
        hn::Mul(share, sum_of(norm.width, norm.lanes, from,
                              [](std::int64_t, Vector v, Vector sum) { return hn::Add(sum, v); }));
    const Vector square =
        sum_of(norm.width, norm.lanes, from, [mean](std::int64_t, Vector v, Vector sum) {
          const Vector far = hn::Sub(v, mean);
          return hn::MulAdd(far, far, sum);
        });
    const Vector deviation = hn::Sqrt(hn::MulAdd(square, share, hn::Set(d, norm.epsilon)));
    const Vector factor = hn::Div(hn::Set(d, 1.0F), deviation);
    for (std::int64_t k = 0; k < norm.width; ++k) {
      const Vector far = hn::Sub(hn::LoadU(d, from + k * norm.lanes), mean);
      const Vector normal = hn::Mul(far, factor);
      hn::StoreU(hn::MulAdd(normal, hn::Set(d, norm.gain[k]), hn::Set(d, norm.bias[k])), d,
                 y + k * norm.lanes + lane);
    }
  }
}

// 1 / (1 + exp(-x))
HWY_INLINE Vector sigmoid(Vector x) {
  const Vector most = hn::Set(d, 87.0F);
  const Vector e = exponential(d, hn::Min(hn::Neg(x), most));
  return hn::Div(hn::Set(d, 1.0F), hn::Add(hn::Set(d, 1.0F), e));
}

HWY_INLINE void each(float* x, std::int64_t count, auto f) {
  for (std::int64_t k = 0; k < count; k += kLanes) hn::StoreU(f(hn::LoadU(d, x + k)), d, x + k);
}

// (1 + tanh u) / 2 is the sigmoid of 2 u, u = sqrt(2 / pi) (x + 0.044715 x^3).
void gelu_by_tanh(float* x, std::int64_t count) {
  each(x, count, [](Vector v) {
    const Vector cube = hn::Mul(hn::Mul(v, v), hn::Set(d, 2.0F * 0.79788456F * 0.044715F));
    return hn::Mul(v, sigmoid(hn::Mul(v, hn::Add(cube, hn::Set(d, 2.0F * 0.79788456F)))));
  });
}
void silu(float* x, std::int64_t count) {
  each(x, count, [](Vector v) { return hn::Mul(v, sigmoid(v)); });
}
void relu(float* x, std::int64_t count) {
  each(x, count, [](Vector v) { return hn::Max(v, hn::Zero(d)); });
}

void gate(const float* a, const float* b, float* y, std::int64_t count) {
  const Vector one = hn::Set(d, 1.0F), two = hn::Set(d, 2.0F);
  for (std::int64_t k = 0; k < count; k += kLanes) {
    const Vector bent = hn::MulSub(two, sigmoid(hn::Mul(two, hn::LoadU(d, a + k))), one);
    hn::StoreU(hn::Mul(bent, sigmoid(hn::LoadU(d, b + k))), d, y + k);
  }
}

// kCount numbers of the head from `first` on, over all places.
template <int kCount>
HWY_INLINE void mix(const KeptHead& head, std::int64_t first, std::int64_t lane,
                    const float* weights, Vector factor, Rows<float> out) {
  Vector sum[kCount];
#pragma GCC unroll 16
  for (int j = 0; j < kCount; ++j) sum[j] = hn::Zero(d);
  for (std::int64_t t = 0; t < head.places; ++t) {
    const Vector weight = hn::LoadU(d, weights + t * kGroup + lane);
    const float* value = head.values + (t * head.width + first) * kGroup + lane;
#pragma GCC unroll 16
    for (int j = 0; j < kCount; ++j) {
      sum[j] = hn::MulAdd(weight, hn::LoadU(d, value + j * kGroup), sum[j]);
    }
  }
#pragma GCC unroll 16
  for (int j = 0; j < kCount; ++j) {
    hn::StoreU(hn::Mul(sum[j], factor), d, out.data + (first + j) * out.row + lane);
  }
}

void attend(const KeptHead& head, Rows<const float> query, float* scores, Rows<float> out) {
  for (std::int64_t lane = 0; lane < kGroup; lane += kLanes) {
    const float* q = query.data + lane;
    const Vector scale = hn::Set(d, head.scale);
    Vector most = hn::Set(d, -std::numeric_limits<float>::infinity());
    for (std::int64_t t = 0; t < head.places; ++t) {
      const float* key = head.keys + t * head.width * kGroup + lane;
      const Vector score =
          hn::Mul(scale, sum_of(head.width, kGroup, key, [&](std::int64_t k, Vector v, Vector sum) {
                    return hn::MulAdd(v, hn::LoadU(d, q + k * query.row), sum);
                  }));
      hn::StoreU(score, d, scores + t * kGroup + lane);
      most = hn::Max(most, score);
    }
    Vector total = hn::Zero(d);
    for (std::int64_t t = 0; t < head.places; ++t) {
      float* score = scores + t * kGroup + lane;
      const Vector weight = exponential(d, hn::Sub(hn::LoadU(d, score), most));
      hn::StoreU(weight, d, score);
      total = hn::Add(total, weight);
    }
    const Vector factor = hn::Div(hn::Set(d, 1.0F), total);
    std::int64_t first = 0;
    for (; first + kTile <= head.width; first += kTile) {
      mix<kTile>(head, first, lane, scores, factor, out);
    }
    for (; first < head.width; ++first) mix<1>(head, first, lane, scores, factor, out);
  }
}

void exponentials(float* x, std::int64_t count, float most, float factor) {
  std::int64_t k = 0;
  const auto run = [&](auto tag) {
    const auto step = static_cast<std::int64_t>(hn::Lanes(tag));
    for (; k + step <= count; k += step) {
      const auto far = hn::Sub(hn::LoadU(tag, x + k), hn::Set(tag, most));
      const auto power = hn::Mul(far, hn::Set(tag, factor));
      const auto none = hn::Lt(power, hn::Set(tag, -87.0F));
      hn::StoreU(hn::IfThenZeroElse(none, exponential(tag, power)), tag, x + k);
    }
  };
  run(Floats());
  run(hn::CappedTag<float, 1>());
}

}  // namespace gradatim::neural::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::neural::kernel {

HWY_EXPORT(layer_norm);
HWY_EXPORT(gelu_by_tanh);
HWY_EXPORT(silu);
HWY_EXPORT(relu);
HWY_EXPORT(gate);
HWY_EXPORT(attend);
HWY_EXPORT(exponentials);

void layer_norm(const LaneNorm& norm, const float* x, float* y) {
  HWY_DYNAMIC_DISPATCH(layer_norm)(norm, x, y);
}
void gelu_by_tanh(float* x, std::int64_t count) { HWY_DYNAMIC_DISPATCH(gelu_by_tanh)(x, count); }
void silu(float* x, std::int64_t count) { HWY_DYNAMIC_DISPATCH(silu)(x, count); }
void relu(float* x, std::int64_t count) { HWY_DYNAMIC_DISPATCH(relu)(x, count); }
void gate(const float* a, const float* b, float* y, std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(gate)(a, b, y, count);
}
void attend(const KeptHead& head, Rows<const float> query, float* scores, Rows<float> out) {
  HWY_DYNAMIC_DISPATCH(attend)(head, query, scores, out);
}
void exponentials(float* x, std::int64_t count, float most, float factor) {
  HWY_DYNAMIC_DISPATCH(exponentials)(x, count, most, factor);
}

}  // namespace gradatim::neural::kernel
#endif
