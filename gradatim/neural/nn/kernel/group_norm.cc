#include "gradatim/neural/nn/kernel/group_norm.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/neural/nn/kernel/group_norm.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// Behind foreach_target.h.
#include "gradatim/neural/nn/kernel/exponential-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradatim::neural::kernel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;

// Numbers of some channels of a pixel: a whole vector, or the rest at the end of the channels.
struct Whole {
  static Vector load(const float* x) { return hn::LoadU(Floats(), x); }
  static void store(Vector value, float* x) { hn::StoreU(value, Floats(), x); }
};
struct Rest {
  std::int64_t count;
  Vector load(const float* x) const {
    HWY_ALIGN float room[hn::MaxLanes(Floats())] = {};
    std::copy_n(x, count, room);
    return hn::Load(Floats(), room);
  }
  void store(Vector value, float* x) const {
    HWY_ALIGN float room[hn::MaxLanes(Floats())];
    hn::Store(value, Floats(), room);
    std::copy_n(room, count, x);
  }
};

// Calls f(channel, Whole or Rest) over the channels of a tensor.
template <class F>
void for_channels(std::int64_t channels, const F& f) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Floats()));
  std::int64_t c = 0;
  for (; c + lanes <= channels; c += lanes) f(c, Whole());
  if (c < channels) f(c, Rest{channels - c});
}

HWY_INLINE Vector sigmoid(Vector z) {
  const Vector one = hn::Set(Floats(), 1.0F);
  z = hn::Max(z, hn::Set(Floats(), -87.0F));
  return hn::Div(one, hn::Add(one, exponential(Floats(), hn::Neg(z))));
}

// Sum and sum of squares of x less its first pixel, by channel.
void moments(const float* x, std::int64_t pixels, std::int64_t channels, float* sum,
             float* square) {
  for_channels(channels, [&](std::int64_t c, auto part) {
    const Vector first = part.load(x + c);
    Vector sums[4], squares[4];
    for (int k = 0; k < 4; ++k) sums[k] = squares[k] = hn::Zero(Floats());
    const auto take = [&](std::int64_t p, int k) {
      const Vector value = hn::Sub(part.load(x + p * channels + c), first);
      sums[k] = hn::Add(sums[k], value);
      squares[k] = hn::MulAdd(value, value, squares[k]);
    };
    std::int64_t p = 0;
    for (; p + 4 <= pixels; p += 4) {
      for (int k = 0; k < 4; ++k) take(p + k, k);
    }
    for (; p < pixels; ++p) take(p, 0);
    part.store(hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3])), sum + c);
    part.store(hn::Add(hn::Add(squares[0], squares[1]), hn::Add(squares[2], squares[3])),
               square + c);
  });
}

template <bool kSilu>
void apply(const float* x, std::int64_t pixels, std::int64_t channels, const float* slope,
           const float* level, float* y, std::int64_t stride) {
  for_channels(channels, [&](std::int64_t c, auto part) {
    const Vector a = part.load(slope + c), b = part.load(level + c);
    for (std::int64_t p = 0; p < pixels; ++p) {
      const Vector z = hn::MulAdd(a, part.load(x + p * channels + c), b);
      part.store(kSilu ? hn::Mul(z, sigmoid(z)) : z, y + p * stride + c);
    }
  });
}

// What the backward pass of a channel needs and finds: z = slope x + level; sums over pixels of
// dz, of dz (x - centre) and of x - centre.
struct Sums {
  const float *slope, *level, *centre;
  float *dz, *product, *deviation;
};

// Leaves dz in dx.
template <bool kSilu>
void backward_sums(const float* x, const float* dy, std::int64_t pixels, std::int64_t channels,
                   std::int64_t stride, const Sums& s, float* dx) {
  const Vector one = hn::Set(Floats(), 1.0F);
  for_channels(channels, [&](std::int64_t c, auto part) {
    const Vector a = part.load(s.slope + c), b = part.load(s.level + c);
    const Vector centre = part.load(s.centre + c);
    Vector sum = hn::Zero(Floats()), product = sum, deviation = sum;
    for (std::int64_t p = 0; p < pixels; ++p) {
      const Vector value = part.load(x + p * channels + c);
      Vector dz = part.load(dy + p * stride + c);
      if constexpr (kSilu) {
        const Vector z = hn::MulAdd(a, value, b);
        const Vector s1 = sigmoid(z);
        dz = hn::Mul(dz, hn::Mul(s1, hn::MulAdd(z, hn::Sub(one, s1), one)));
      }
      part.store(dz, dx + p * channels + c);
      const Vector apart = hn::Sub(value, centre);
      sum = hn::Add(sum, dz);
      product = hn::MulAdd(dz, apart, product);
      deviation = hn::Add(deviation, apart);
    }
    part.store(sum, s.dz + c);
    part.store(product, s.product + c);
    part.store(deviation, s.deviation + c);
  });
}

// dx = slope dz + pull (x - centre) + level + add, where dx holds dz.
void backward_finish(const float* x, const float* add, std::int64_t pixels, std::int64_t channels,
                     const float* slope, const float* centre, const float* pull, const float* level,
                     float* dx) {
  for_channels(channels, [&](std::int64_t c, auto part) {
    const Vector a = part.load(slope + c), k = part.load(pull + c);
    const Vector b = hn::NegMulAdd(k, part.load(centre + c), part.load(level + c));
    for (std::int64_t p = 0; p < pixels; ++p) {
      const std::int64_t at = p * channels + c;
      Vector sum = hn::MulAdd(a, part.load(dx + at), hn::MulAdd(k, part.load(x + at), b));
      if (add != nullptr) sum = hn::Add(sum, part.load(add + at));
      part.store(sum, dx + at);
    }
  });
}

// The numbers of one image by channel.
struct Image {
  std::vector<float> slope, level, centre, strength;  // strength: gain (1 + scale)

  // Of its statistics: mean[groups], inverse[groups].
  Image(const GroupNorm& norm, std::int64_t row, const float* mean, const float* inverse) {
    const std::int64_t channels = norm.channels(), width = channels / norm.groups;
    slope.resize(static_cast<std::size_t>(channels));
    level = centre = strength = slope;
    const float* scale =
        norm.scale != nullptr ? norm.scale + row * norm.modulation_stride : nullptr;
    const float* shift =
        norm.shift != nullptr ? norm.shift + row * norm.modulation_stride : nullptr;
    for (std::int64_t c = 0; c < channels; ++c) {
      const auto k = static_cast<std::size_t>(c);
      const float stretch = scale != nullptr ? 1.0F + scale[c] : 1.0F;
      const float offset = norm.offset != nullptr ? norm.offset[row * channels + c] : 0.0F;
      centre[k] = mean[c / width] - offset;
      strength[k] = norm.gain[c] * stretch;
      slope[k] = strength[k] * inverse[c / width];
      level[k] =
          norm.bias[c] * stretch + (shift != nullptr ? shift[c] : 0.0F) - slope[k] * centre[k];
    }
  }
};

void forward_image(const GroupNorm& norm, std::int64_t row, float* y) {
  const std::int64_t channels = norm.channels(), width = channels / norm.groups;
  const float* x1 = norm.x1 + row * norm.pixels * norm.first;
  const float* x2 = norm.second > 0 ? norm.x2 + row * norm.pixels * norm.second : nullptr;
  std::vector<float> sum(static_cast<std::size_t>(channels)), square(sum.size());
  moments(x1, norm.pixels, norm.first, sum.data(), square.data());
  if (x2 != nullptr) {
    moments(x2, norm.pixels, norm.second, sum.data() + norm.first, square.data() + norm.first);
  }
  float* mean = norm.statistics + row * 2 * norm.groups;
  float* inverse = mean + norm.groups;
  const auto pixels = static_cast<double>(norm.pixels);
  std::vector<double> means(static_cast<std::size_t>(width));
  for (std::int64_t g = 0; g < norm.groups; ++g) {
    double total = 0.0, spread = 0.0;
    for (std::int64_t k = 0; k < width; ++k) {
      const std::int64_t c = g * width + k;
      const double origin = double{c < norm.first ? x1[c] : x2[c - norm.first]};
      const double offset = norm.offset != nullptr ? double{norm.offset[row * channels + c]} : 0.0;
      const double middle = double{sum[static_cast<std::size_t>(c)]} / pixels;
      means[static_cast<std::size_t>(k)] = origin + offset + middle;
      total += origin + offset + middle;
      spread += double{square[static_cast<std::size_t>(c)]} / pixels - middle * middle;
    }
    total /= static_cast<double>(width);
    for (const double m : means) spread += (m - total) * (m - total);
    mean[g] = static_cast<float>(total);
    inverse[g] = static_cast<float>(
        1.0 / std::sqrt(std::fmax(spread, 0.0) / static_cast<double>(width) + norm.epsilon));
  }
  const Image image(norm, row, mean, inverse);
  float* out = y + row * norm.pixels * channels;
  const auto f = norm.silu ? &apply<true> : &apply<false>;
  f(x1, norm.pixels, norm.first, image.slope.data(), image.level.data(), out, channels);
  if (x2 == nullptr) return;
  f(x2, norm.pixels, norm.second, image.slope.data() + norm.first, image.level.data() + norm.first,
    out + norm.first, channels);
}

void backward_image(const GroupNorm& norm, std::int64_t row, const GroupNormGradient& out) {
  const std::int64_t channels = norm.channels(), width = channels / norm.groups;
  const float* mean = norm.statistics + row * 2 * norm.groups;
  const float* inverse = mean + norm.groups;
  const Image image(norm, row, mean, inverse);
  std::vector<float> dz(static_cast<std::size_t>(channels)), product(dz), deviation(dz), pull(dz),
      level(dz);
  const float* dy = out.dy + row * norm.pixels * channels;

  const auto sums = [&](const float* x, std::int64_t count, std::int64_t from, float* dx) {
    const Sums s{image.slope.data() + from, image.level.data() + from, image.centre.data() + from,
                 dz.data() + from,          product.data() + from,     deviation.data() + from};
    (norm.silu ? &backward_sums<true> : &backward_sums<false>)(x, dy + from, norm.pixels, count,
                                                               channels, s, dx);
  };
  const std::int64_t at1 = row * norm.pixels * norm.first, at2 = row * norm.pixels * norm.second;
  sums(norm.x1 + at1, norm.first, 0, out.dx1 + at1);
  if (norm.second > 0) sums(norm.x2 + at2, norm.second, norm.first, out.dx2 + at2);

  for (std::int64_t g = 0; g < norm.groups; ++g) {
    double of_dz = 0.0, of_product = 0.0;
    for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
      const auto k = static_cast<std::size_t>(c);
      of_dz += double{image.strength[k]} * double{dz[k]};
      of_product += double{image.strength[k]} * double{product[k]};
    }
    const double count = static_cast<double>(width * norm.pixels), r = double{inverse[g]};
    for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
      const auto k = static_cast<std::size_t>(c);
      pull[k] = static_cast<float>(-r * r * r * of_product / count);
      level[k] = static_cast<float>(-r * of_dz / count);
      const std::int64_t place = row * channels + c, other = row * norm.modulation_stride + c;
      const float stretch = norm.scale != nullptr ? 1.0F + norm.scale[other] : 1.0F;
      const float of_normal = product[k] * inverse[g];
      out.dgain[place] = stretch * of_normal;
      out.dbias[place] = stretch * dz[k];
      if (out.dscale != nullptr) {
        out.dscale[other] = norm.gain[c] * of_normal + norm.bias[c] * dz[k];
        out.dshift[other] = dz[k];
      }
      if (out.doffset != nullptr) {
        out.doffset[place] = image.slope[k] * dz[k] + pull[k] * deviation[k] +
                             static_cast<float>(norm.pixels) * level[k];
      }
    }
  }
  const auto finish = [&](const float* x, const float* add, std::int64_t count, std::int64_t from,
                          float* dx) {
    backward_finish(x, add, norm.pixels, count, image.slope.data() + from,
                    image.centre.data() + from, pull.data() + from, level.data() + from, dx);
  };
  finish(norm.x1 + at1, out.add1 != nullptr ? out.add1 + at1 : nullptr, norm.first, 0,
         out.dx1 + at1);
  if (norm.second > 0) {
    finish(norm.x2 + at2, out.add2 != nullptr ? out.add2 + at2 : nullptr, norm.second, norm.first,
           out.dx2 + at2);
  }
}

}  // namespace gradatim::neural::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::neural::kernel {

HWY_EXPORT(forward_image);
HWY_EXPORT(backward_image);

void group_norm(const GroupNorm& norm, float* y) {
  at::parallel_for(0, norm.rows, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      HWY_DYNAMIC_DISPATCH(forward_image)(norm, row, y);
    }
  });
}

void group_norm_backward(const GroupNorm& norm, const GroupNormGradient& gradient) {
  at::parallel_for(0, norm.rows, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      HWY_DYNAMIC_DISPATCH(backward_image)(norm, row, gradient);
    }
  });
}

}  // namespace gradatim::neural::kernel
#endif
