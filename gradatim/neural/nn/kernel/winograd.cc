#include "gradatim/neural/nn/kernel/winograd.h"

#include <ATen/Parallel.h>

#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/neural/nn/kernel/winograd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gradatim::neural::kernel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using Lanes = hn::CappedTag<float, kWinogradChannels>;
using Vector = hn::Vec<Lanes>;

// The points are +-a and +-b; a b = 1.
constexpr float kA = 0.70710678F, kB = 1.41421356F;
constexpr float kA2 = 0.5F, kB2 = 2.0F, kA3 = 0.35355339F, kB3 = 2.82842712F, kSum = 2.5F;

// Six numbers of a line of x, in place.
HWY_INLINE void input_line(Vector& d0, Vector& d1, Vector& d2, Vector& d3, Vector& d4, Vector& d5) {
  const Lanes d;
  const Vector sum = hn::Set(d, kSum);
  const Vector even_a = hn::NegMulAdd(hn::Set(d, kB2), d2, d4);
  const Vector odd_a = hn::Mul(hn::Set(d, kA), hn::NegMulAdd(hn::Set(d, kB2), d1, d3));
  const Vector even_b = hn::NegMulAdd(hn::Set(d, kA2), d2, d4);
  const Vector odd_b = hn::Mul(hn::Set(d, kB), hn::NegMulAdd(hn::Set(d, kA2), d1, d3));
  d0 = hn::Add(d0, hn::NegMulAdd(sum, d2, d4));
  d5 = hn::Add(d5, hn::NegMulAdd(sum, d3, d1));
  d1 = hn::Add(even_a, odd_a);
  d2 = hn::Sub(even_a, odd_a);
  d3 = hn::Add(even_b, odd_b);
  d4 = hn::Sub(even_b, odd_b);
}

// Six numbers of a line become four.
HWY_INLINE void output_line(const Vector& m0, const Vector& m1, const Vector& m2, const Vector& m3,
                            const Vector& m4, const Vector& m5, Vector& y0, Vector& y1, Vector& y2,
                            Vector& y3) {
  const Lanes d;
  const Vector even_a = hn::Add(m1, m2), odd_a = hn::Sub(m1, m2);
  const Vector even_b = hn::Add(m3, m4), odd_b = hn::Sub(m3, m4);
  y0 = hn::Add(m0, hn::Add(even_a, even_b));
  y1 = hn::MulAdd(hn::Set(d, kA), odd_a, hn::Mul(hn::Set(d, kB), odd_b));
  y2 = hn::MulAdd(hn::Set(d, kA2), even_a, hn::Mul(hn::Set(d, kB2), even_b));
  y3 = hn::MulAdd(hn::Set(d, kA3), odd_a, hn::MulAdd(hn::Set(d, kB3), odd_b, m5));
}

// Where a tile begins: its row, line and column.
struct Corner {
  std::int64_t row, y, x;

  Corner(const WinogradImages& images, std::int64_t tile)
      : row(tile / (images.down() * images.across())),
        y(tile / images.across() % images.down() * kWinogradTile),
        x(tile % images.across() * kWinogradTile) {}
};

// Calls f(place in a square of `side`, offset of a pixel in the images, or -1 outside).
template <class F>
void for_square(const WinogradImages& images, const Corner& corner, std::int64_t before,
                std::int64_t side, const F& f) {
  for (std::int64_t i = 0; i < side; ++i) {
    const std::int64_t y = corner.y + i - before;
    for (std::int64_t j = 0; j < side; ++j) {
      const std::int64_t x = corner.x + j - before;
      const bool inside = y >= 0 && y < images.height && x >= 0 && x < images.width;
      const std::int64_t pixel = (corner.row * images.height + y) * images.width + x;
      f(i * side + j, inside ? pixel * images.channels : -1);
    }
  }
}

void input_tiles(const WinogradImages& images, const float* x, std::int64_t first,
                 std::int64_t begin, std::int64_t end, float* v, std::int64_t plane) {
  const Lanes d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::vector<float> zeros(static_cast<std::size_t>(images.channels));
  for (std::int64_t tile = begin; tile < end; ++tile) {
    const float* from[kWinogradPlanes];
    for_square(images, Corner(images, first + tile), 1, 6,
               [&](std::int64_t k, std::int64_t at) { from[k] = at < 0 ? zeros.data() : x + at; });
    float* to = v + tile * images.channels;
    for (std::int64_t c = 0; c < images.channels; c += lanes) {
      Vector t[6][6];
      for (int j = 0; j < 6; ++j) {
        for (int i = 0; i < 6; ++i) t[i][j] = hn::LoadU(d, from[6 * i + j] + c);
        input_line(t[0][j], t[1][j], t[2][j], t[3][j], t[4][j], t[5][j]);
      }
      for (int i = 0; i < 6; ++i) {
        input_line(t[i][0], t[i][1], t[i][2], t[i][3], t[i][4], t[i][5]);
        for (int j = 0; j < 6; ++j) hn::StoreU(t[i][j], d, to + (6 * i + j) * plane + c);
      }
    }
  }
}

void output_tiles(const WinogradImages& images, const float* const* planes, const float* bias,
                  std::int64_t first, std::int64_t begin, std::int64_t end, float* y) {
  const Lanes d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::vector<float> dropped(static_cast<std::size_t>(images.channels));
  for (std::int64_t tile = begin; tile < end; ++tile) {
    float* to[kWinogradTile * kWinogradTile];
    for_square(images, Corner(images, first + tile), 0, kWinogradTile,
               [&](std::int64_t k, std::int64_t at) { to[k] = at < 0 ? dropped.data() : y + at; });
    const std::int64_t from = tile * images.channels;
    for (std::int64_t c = 0; c < images.channels; c += lanes) {
      Vector t[4][6];
      for (int j = 0; j < 6; ++j) {
        Vector m[6];
        for (int i = 0; i < 6; ++i) m[i] = hn::LoadU(d, planes[6 * i + j] + from + c);
        output_line(m[0], m[1], m[2], m[3], m[4], m[5], t[0][j], t[1][j], t[2][j], t[3][j]);
      }
      const Vector offset = hn::LoadU(d, bias + c);
      for (int i = 0; i < 4; ++i) {
        Vector out[4];
        output_line(t[i][0], t[i][1], t[i][2], t[i][3], t[i][4], t[i][5], out[0], out[1], out[2],
                    out[3]);
        for (int j = 0; j < 4; ++j) hn::StoreU(hn::Add(out[j], offset), d, to[4 * i + j] + c);
      }
    }
  }
}

}  // namespace gradatim::neural::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::neural::kernel {

HWY_EXPORT(input_tiles);
HWY_EXPORT(output_tiles);

void winograd_inputs(const WinogradImages& images, const float* x, std::int64_t first,
                     std::int64_t count, float* v, std::int64_t plane) {
  at::parallel_for(0, count, 8, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(input_tiles)(images, x, first, begin, end, v, plane);
  });
}

void winograd_outputs(const WinogradImages& images, const float* const* planes, const float* bias,
                      std::int64_t first, std::int64_t count, float* y) {
  at::parallel_for(0, count, 8, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(output_tiles)(images, planes, bias, first, begin, end, y);
  });
}

}  // namespace gradatim::neural::kernel
#endif
