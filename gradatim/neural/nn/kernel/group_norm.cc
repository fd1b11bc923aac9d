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

// Calls f(channel, Whole or Rest) over channels of a tensor.
template <class F>
void for_channels(std::int64_t begin, std::int64_t end, const F& f) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Floats()));
  std::int64_t c = begin;
  for (; c + lanes <= end; c += lanes) f(c, Whole());
  if (c < end) f(c, Rest{end - c});
}
template <class F>
void for_channels(std::int64_t channels, const F& f) {
  for_channels(0, channels, f);
}

HWY_INLINE Vector sigmoid(Vector z) {
  const Vector one = hn::Set(Floats(), 1.0F);
  z = hn::Max(z, hn::Set(Floats(), -87.0F));
  return hn::Div(one, hn::Add(one, exponential(Floats(), hn::Neg(z))));
}

constexpr std::int64_t kPixels = 64;  // of a block, whose numbers stay in a cache

// Sum and sum of squares of x less its first pixel, of channels `begin` to `end`. Each is four sums
// over every fourth pixel, whatever the blocks.
void moments(const float* x, std::int64_t pixels, std::int64_t channels, std::int64_t begin,
             std::int64_t end, float* sum, float* square) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Floats()));
  std::vector<float> kept(static_cast<std::size_t>((end - begin + lanes) * 8));
  for (std::int64_t from = 0; from < pixels; from += kPixels) {
    const std::int64_t to = std::min(from + kPixels, pixels);
    float* place = kept.data();
    for_channels(begin, end, [&](std::int64_t c, auto part) {
      const Vector first = part.load(x + c);
      Vector sums[4], squares[4];
      for (int k = 0; k < 4; ++k) {
        sums[k] = hn::LoadU(Floats(), place + k * lanes);
        squares[k] = hn::LoadU(Floats(), place + (k + 4) * lanes);
      }
      const auto take = [&](std::int64_t p, int k) {
        const Vector value = hn::Sub(part.load(x + p * channels + c), first);
        sums[k] = hn::Add(sums[k], value);
        squares[k] = hn::MulAdd(value, value, squares[k]);
      };
      std::int64_t p = from;
      for (; p + 4 <= to; p += 4) {
        for (int k = 0; k < 4; ++k) take(p + k, k);
      }
      for (; p < to; ++p) take(p, 0);
      for (int k = 0; k < 4; ++k) {
        hn::StoreU(sums[k], Floats(), place + k * lanes);
        hn::StoreU(squares[k], Floats(), place + (k + 4) * lanes);
      }
      place += 8 * lanes;
    });
  }
  const float* place = kept.data();
  for_channels(begin, end, [&](std::int64_t c, auto part) {
    const auto at = [&](int k) { return hn::LoadU(Floats(), place + k * lanes); };
    part.store(hn::Add(hn::Add(at(0), at(1)), hn::Add(at(2), at(3))), sum + c);
    part.store(hn::Add(hn::Add(at(4), at(5)), hn::Add(at(6), at(7))), square + c);
    place += 8 * lanes;
  });
}

// y may be x.
template <bool kSilu>
void apply(const float* x, std::int64_t pixels, std::int64_t channels, const float* slope,
           const float* level, float* y, std::int64_t stride) {
  for (std::int64_t from = 0; from < pixels; from += kPixels) {
    const std::int64_t to = std::min(from + kPixels, pixels);
    for_channels(channels, [&](std::int64_t c, auto part) {
      const Vector a = part.load(slope + c), b = part.load(level + c);
      for (std::int64_t p = from; p < to; ++p) {
        const Vector z = hn::MulAdd(a, part.load(x + p * channels + c), b);
        part.store(kSilu ? hn::Mul(z, sigmoid(z)) : z, y + p * stride + c);
      }
    });
  }
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

// The sums of channels `begin` to `end` of an image: of each, then of squares, [2, channels].
void forward_sums(const GroupNorm& norm, std::int64_t row, std::int64_t begin, std::int64_t end,
                  float* sums) {
  const std::int64_t channels = norm.channels();
  if (begin < norm.first) {
    moments(norm.x1 + row * norm.pixels * norm.first, norm.pixels, norm.first, begin,
            std::min(end, norm.first), sums, sums + channels);
  }
  if (end > norm.first) {
    moments(norm.x2 + row * norm.pixels * norm.second, norm.pixels, norm.second,
            std::max<std::int64_t>(begin - norm.first, 0), end - norm.first, sums + norm.first,
            sums + channels + norm.first);
  }
}

// Of the sums of an image, its statistics.
void forward_statistics(const GroupNorm& norm, std::int64_t row, const float* sum) {
  const std::int64_t channels = norm.channels(), width = channels / norm.groups;
  const float* square = sum + channels;
  const float* x1 = norm.x1 + row * norm.pixels * norm.first;
  const float* x2 = norm.second > 0 ? norm.x2 + row * norm.pixels * norm.second : nullptr;
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
      const double middle = double{sum[c]} / pixels;
      means[static_cast<std::size_t>(k)] = origin + offset + middle;
      total += origin + offset + middle;
      spread += double{square[c]} / pixels - middle * middle;
    }
    total /= static_cast<double>(width);
    for (const double m : means) spread += (m - total) * (m - total);
    mean[g] = static_cast<float>(total);
    inverse[g] = static_cast<float>(
        1.0 / std::sqrt(std::fmax(spread, 0.0) / static_cast<double>(width) + norm.epsilon));
  }
}

// Pixels `begin` to `end` of y, by the statistics.
void forward_pixels(const GroupNorm& norm, std::int64_t row, std::int64_t begin, std::int64_t end,
                    float* y) {
  const std::int64_t channels = norm.channels();
  const float* mean = norm.statistics + row * 2 * norm.groups;
  const Image image(norm, row, mean, mean + norm.groups);
  const std::int64_t pixel = row * norm.pixels + begin;
  float* out = y + pixel * channels;
  const auto f = norm.silu ? &apply<true> : &apply<false>;
  f(norm.x1 + pixel * norm.first, end - begin, norm.first, image.slope.data(), image.level.data(),
    out, channels);
  if (norm.second == 0) return;
  f(norm.x2 + pixel * norm.second, end - begin, norm.second, image.slope.data() + norm.first,
    image.level.data() + norm.first, out + norm.first, channels);
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

HWY_EXPORT(forward_sums);
HWY_EXPORT(forward_statistics);
HWY_EXPORT(forward_pixels);
HWY_EXPORT(backward_image);

namespace {

// Parts of an image that threads share where there are fewer images: channels of the sums, in whole
// vectors, then pixels. No number depends on them.
std::int64_t parts_of(const GroupNorm& norm) {
  constexpr std::int64_t kFew = 1 << 16;
  if (norm.pixels * norm.channels() < kFew) return 1;
  return (at::get_num_threads() + norm.rows - 1) / norm.rows;
}

template <class F>
void for_parts(std::int64_t rows, std::int64_t parts, std::int64_t count, std::int64_t unit,
               const F& f) {
  const std::int64_t each = ((count + parts - 1) / parts + unit - 1) / unit * unit;
  at::parallel_for(0, rows * parts, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t k = first; k < last; ++k) {
      const std::int64_t begin = k % parts * each, end = std::min(begin + each, count);
      if (begin < end) f(k / parts, begin, end);
    }
  });
}

}  // namespace

void group_norm(const GroupNorm& norm, float* y) {
  constexpr std::int64_t kUnit = 16;
  const std::int64_t channels = norm.channels(), parts = parts_of(norm);
  std::vector<float> sums(static_cast<std::size_t>(norm.rows * 2 * channels));
  for_parts(norm.rows, parts, channels, kUnit,
            [&](std::int64_t row, std::int64_t begin, std::int64_t end) {
              float* of_row = sums.data() + row * 2 * channels;
              HWY_DYNAMIC_DISPATCH(forward_sums)(norm, row, begin, end, of_row);
              if (parts > 1) return;
              HWY_DYNAMIC_DISPATCH(forward_statistics)(norm, row, of_row);
              HWY_DYNAMIC_DISPATCH(forward_pixels)(norm, row, 0, norm.pixels, y);
            });
  if (parts == 1) return;
  for (std::int64_t row = 0; row < norm.rows; ++row) {
    HWY_DYNAMIC_DISPATCH(forward_statistics)(norm, row, sums.data() + row * 2 * channels);
  }
  for_parts(norm.rows, parts, norm.pixels, kUnit,
            [&](std::int64_t row, std::int64_t begin, std::int64_t end) {
              HWY_DYNAMIC_DISPATCH(forward_pixels)(norm, row, begin, end, y);
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
