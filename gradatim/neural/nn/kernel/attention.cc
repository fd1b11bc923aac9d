#include "gradatim/neural/nn/kernel/attention.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/neural/nn/kernel/attention.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// Behind foreach_target.h.
#include <hwy/contrib/math/math-inl.h>

#include "gradatim/neural/nn/kernel/exponential-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradatim::neural::kernel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;
using Narrow = hn::CappedTag<float, 8>;

constexpr auto kLanes = static_cast<std::int64_t>(hn::MaxLanes(Floats()));
constexpr std::int64_t kChunk = 8;  // numbers of a head that stay in registers

// The numbers of one head, each token's padded with zeros to whole chunks.
class Head {
 public:
  Head(const float* x, std::int64_t tokens, std::int64_t stride, std::int64_t width, float scale)
      : tokens_(tokens), padded_((width + kChunk - 1) / kChunk * kChunk), width_(width) {
    numbers_.resize(static_cast<std::size_t>((tokens + kLanes) * padded_));
    for (std::int64_t t = 0; t < tokens; ++t) {
      for (std::int64_t c = 0; c < width; ++c) at(t)[c] = x[t * stride + c] * scale;
    }
  }

  float* at(std::int64_t token) { return numbers_.data() + token * padded_; }
  const float* at(std::int64_t token) const { return numbers_.data() + token * padded_; }
  std::int64_t padded() const { return padded_; }
  /// [padded, kLanes] of the tokens from `first` on; zeros behind the last.
  void transpose(std::int64_t first, float* block) const {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      for (std::int64_t c = 0; c < padded_; ++c) block[c * kLanes + lane] = at(first + lane)[c];
    }
  }
  void write(float* x, std::int64_t stride, float scale) const {
    for (std::int64_t t = 0; t < tokens_; ++t) {
      for (std::int64_t c = 0; c < width_; ++c) x[t * stride + c] = at(t)[c] * scale;
    }
  }

 private:
  std::int64_t tokens_, padded_, width_;
  std::vector<float> numbers_;
};

// scores[j] = sum over c of block[c] keys[j][c]; returns the largest, or less where one is NaN:
// the exponential of that one is NaN whatever is taken off.
HWY_NOINLINE Vector products(const float* block, const Head& keys, std::int64_t tokens,
                             float* scores) {
  const Floats d;
  Vector most = hn::Set(d, -std::numeric_limits<float>::infinity());
  for (std::int64_t from = 0; from < keys.padded(); from += kChunk) {
    Vector q[kChunk];
    for (int c = 0; c < kChunk; ++c) q[c] = hn::Load(d, block + (from + c) * kLanes);
    for (std::int64_t j = 0; j < tokens; ++j) {
      const float* key = keys.at(j) + from;
      Vector sum = from > 0 ? hn::Load(d, scores + j * kLanes) : hn::Zero(d);
      for (int c = 0; c < kChunk; ++c) sum = hn::MulAdd(q[c], hn::Set(d, key[c]), sum);
      hn::Store(sum, d, scores + j * kLanes);
      if (from + kChunk == keys.padded()) most = hn::Max(most, sum);
    }
  }
  return most;
}

// exp(scores - most) in place, and their sum. In functions of their own, loops keep sums in
// registers; where calls follow, they do not.
HWY_NOINLINE Vector exponentials(Vector most, std::int64_t tokens, float* scores) {
  const Floats d;
  Vector sum = hn::Zero(d);
  for (std::int64_t j = 0; j < tokens; ++j) {
    const Vector p = exponential(d, hn::Sub(hn::Load(d, scores + j * kLanes), most));
    sum = hn::Add(sum, p);
    hn::Store(p, d, scores + j * kLanes);
  }
  return sum;
}

// scores become p = exp(scores - logsum), and ds, the gradient by p, that by the scores.
HWY_NOINLINE void weigh(Vector logsum, Vector delta, std::int64_t tokens, float* scores,
                        float* ds) {
  const Floats d;
  for (std::int64_t j = 0; j < tokens; ++j) {
    const Vector p = exponential(d, hn::Sub(hn::Load(d, scores + j * kLanes), logsum));
    hn::Store(p, d, scores + j * kLanes);
    hn::Store(hn::Mul(p, hn::Sub(hn::Load(d, ds + j * kLanes), delta)), d, ds + j * kLanes);
  }
}

// block[c] = sum over j of weights[j] values[j][c].
HWY_NOINLINE void combine(const float* weights, const Head& values, std::int64_t tokens,
                          float* block) {
  const Floats d;
  for (std::int64_t from = 0; from < values.padded(); from += kChunk) {
    Vector sums[kChunk];
    for (int c = 0; c < kChunk; ++c) sums[c] = hn::Zero(d);
    for (std::int64_t j = 0; j < tokens; ++j) {
      const Vector weight = hn::Load(d, weights + j * kLanes);
      const float* value = values.at(j) + from;
      for (int c = 0; c < kChunk; ++c) {
        sums[c] = hn::MulAdd(weight, hn::Set(d, value[c]), sums[c]);
      }
    }
    for (int c = 0; c < kChunk; ++c) hn::Store(sums[c], d, block + (from + c) * kLanes);
  }
}

// out[j][c] += sum over lanes of weights[j][lane] queries[first + lane][c]; vectors hold c here.
HWY_NOINLINE void scatter(const float* weights, const Head& queries, std::int64_t first,
                          std::int64_t tokens, Head& out) {
  const Narrow d;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t from = 0; from < queries.padded(); from += step) {
    hn::Vec<Narrow> q[kLanes];
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      q[lane] = hn::LoadU(d, queries.at(first + lane) + from);
    }
    for (std::int64_t j = 0; j < tokens; ++j) {
      hn::Vec<Narrow> sums[2] = {hn::LoadU(d, out.at(j) + from), hn::Zero(d)};
      const float* weight = weights + j * kLanes;
      for (std::int64_t lane = 0; lane < kLanes; ++lane) {
        sums[lane % 2] = hn::MulAdd(q[lane], hn::Set(d, weight[lane]), sums[lane % 2]);
      }
      hn::StoreU(hn::Add(sums[0], sums[1]), d, out.at(j) + from);
    }
  }
}

// Where a head's numbers begin.
struct HeadPlace {
  std::int64_t queries, keys, outs;

  HeadPlace(const Attention& a, std::int64_t place) {
    const std::int64_t row = place / a.heads, first = place % a.heads * a.width;
    queries = row * a.tokens * a.query_stride + first;
    keys = row * a.keys * a.key_stride + first;
    outs = row * a.tokens * a.heads * a.width + first;
  }
};

// Aligned room for blocks of queries.
struct Room {
  std::vector<float> numbers;
  float* at = nullptr;

  explicit Room(std::int64_t vectors) : numbers(static_cast<std::size_t>((vectors + 1) * kLanes)) {
    auto address = reinterpret_cast<std::uintptr_t>(numbers.data());
    const std::uintptr_t size = kLanes * sizeof(float);
    at = reinterpret_cast<float*>((address + size - 1) / size * size);
  }
};

void forward_head(const Attention& a, std::int64_t place, float* out) {
  const Floats d;
  const std::int64_t all = a.heads * a.width;
  const HeadPlace at(a, place);
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(a.width)));
  const Head queries(a.query + at.queries, a.tokens, a.query_stride, a.width, scale);
  const Head keys(a.key + at.keys, a.keys, a.key_stride, a.width, 1.0F);
  const Head values(a.value + at.keys, a.keys, a.key_stride, a.width, 1.0F);
  const Room block_room(queries.padded()), score_room(a.keys);
  float *block = block_room.at, *scores = score_room.at;
  for (std::int64_t first = 0; first < a.tokens; first += kLanes) {
    queries.transpose(first, block);
    const Vector most = products(block, keys, a.keys, scores);
    const Vector sum = exponentials(most, a.keys, scores);
    combine(scores, values, a.keys, block);
    const std::int64_t count = std::min(kLanes, a.tokens - first);
    HWY_ALIGN float sums[kLanes];
    hn::Store(sum, d, sums);
    float* result = out + at.outs + first * all;
    for (std::int64_t lane = 0; lane < count; ++lane) {
      const float inverse = 1.0F / sums[lane];
      for (std::int64_t c = 0; c < a.width; ++c) {
        result[lane * all + c] = block[c * kLanes + lane] * inverse;
      }
    }
    const Vector logsum = hn::Add(most, hn::Log(d, sum));
    hn::Store(hn::IfThenElse(hn::IsNaN(sum), sum, logsum), d, sums);  // Log takes NaN for a number
    std::copy_n(sums, count, a.logsum + place * a.tokens + first);
  }
}

// With p = softmax: dv = p' do, ds = p (do v' - delta), dq = ds k, dk = ds' q.
void backward_head(const Attention& a, std::int64_t place, const float* out, const float* dout,
                   float* dquery, float* dkey, float* dvalue) {
  const Floats d;
  const std::int64_t all = a.heads * a.width;
  const HeadPlace at(a, place);
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(a.width)));
  const Head queries(a.query + at.queries, a.tokens, a.query_stride, a.width, scale);
  const Head keys(a.key + at.keys, a.keys, a.key_stride, a.width, 1.0F);
  const Head values(a.value + at.keys, a.keys, a.key_stride, a.width, 1.0F);
  const Head outs(out + at.outs, a.tokens, all, a.width, 1.0F);
  const Head slopes(dout + at.outs, a.tokens, all, a.width, 1.0F);
  Head dq(a.query + at.queries, a.tokens, a.query_stride, a.width, 0.0F);
  Head dk(a.key + at.keys, a.keys, a.key_stride, a.width, 0.0F), dv(dk);

  const Room query_room(queries.padded()), slope_room(queries.padded()), score_room(a.keys),
      slant_room(a.keys);
  float *query = query_room.at, *slope = slope_room.at, *p = score_room.at, *ds = slant_room.at;
  for (std::int64_t first = 0; first < a.tokens; first += kLanes) {
    const std::int64_t count = std::min(kLanes, a.tokens - first);
    HWY_ALIGN float deltas[kLanes] = {};
    for (std::int64_t lane = 0; lane < count; ++lane) {
      for (std::int64_t c = 0; c < a.width; ++c) {
        deltas[lane] += outs.at(first + lane)[c] * slopes.at(first + lane)[c];
      }
    }
    queries.transpose(first, query);
    slopes.transpose(first, slope);
    products(query, keys, a.keys, p);
    products(slope, values, a.keys, ds);
    HWY_ALIGN float logsums[kLanes] = {};
    std::copy_n(a.logsum + place * a.tokens + first, count, logsums);
    const Vector logsum = hn::Load(d, logsums);
    weigh(logsum, hn::Load(d, deltas), a.keys, p, ds);
    // Lanes behind the last query hold zeros of queries and slopes: they add nothing.
    scatter(p, slopes, first, a.keys, dv);
    scatter(ds, queries, first, a.keys, dk);
    combine(ds, keys, a.keys, query);
    for (std::int64_t lane = 0; lane < count; ++lane) {
      for (std::int64_t c = 0; c < a.width; ++c) {
        dq.at(first + lane)[c] = query[c * kLanes + lane];
      }
    }
  }
  dq.write(dquery + at.queries, a.query_stride, scale);
  dk.write(dkey + at.keys, a.key_stride, 1.0F);
  dv.write(dvalue + at.keys, a.key_stride, 1.0F);
}

}  // namespace gradatim::neural::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::neural::kernel {

HWY_EXPORT(forward_head);
HWY_EXPORT(backward_head);

void attention(const Attention& problem, float* out) {
  at::parallel_for(0, problem.rows * problem.heads, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t place = first; place < last; ++place) {
      HWY_DYNAMIC_DISPATCH(forward_head)(problem, place, out);
    }
  });
}

void attention_backward(const Attention& problem, const float* out, const float* dout,
                        float* dquery, float* dkey, float* dvalue) {
  at::parallel_for(0, problem.rows * problem.heads, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t place = first; place < last; ++place) {
      HWY_DYNAMIC_DISPATCH(backward_head)(problem, place, out, dout, dquery, dkey, dvalue);
    }
  });
}

}  // namespace gradatim::neural::kernel
#endif
