#include "gradatim/core/normal.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "gradatim/core/math.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/core/normal.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gradatim::HWY_NAMESPACE {

constexpr int kBlocks = 16;  // at a time, so that the compiler sees vectors

// cos and sin of 2 pi v for v in [0, 1): the nearest quarter turn, then series in |r| <= pi / 4.
inline void turn(double v, double* cosine, double* sine) {
  constexpr double kShift = 0x1.8p52;
  const double quarter = (v * 4.0 + kShift) - kShift;
  const double r = (v - quarter * 0.25) * 6.283185307179586;
  const double s = r * r;
  const double sin_r =
      r * (1.0 + s * (-1.0 / 6 +
                      s * (1.0 / 120 + s * (-1.0 / 5040 +
                                            s * (1.0 / 362880 + s * (-1.0 / 39916800 +
                                                                     s * (1.0 / 6227020800.0)))))));
  const double cos_r =
      1.0 +
      s * (-0.5 +
           s * (1.0 / 24 +
                s * (-1.0 / 720 +
                     s * (1.0 / 40320 + s * (-1.0 / 3628800 +
                                             s * (1.0 / 479001600 - s * (1.0 / 87178291200.0)))))));
  const bool odd = quarter == 1.0 || quarter == 3.0;
  const double c = odd ? sin_r : cos_r;
  const double d = odd ? cos_r : sin_r;
  *cosine = quarter == 1.0 || quarter == 2.0 ? -c : c;
  *sine = quarter == 2.0 || quarter == 3.0 ? -d : d;
}

// Sixteen blocks in a plain loop: ten rounds of 32-bit multiplies, lane by lane.
void blocks(const Philox& draws, std::uint64_t first, double* out, int count) {
  std::uint32_t words[4][kBlocks];
  for (int i = 0; i < kBlocks; ++i) {
    const PhiloxBlock block = draws.block(first + static_cast<std::uint64_t>(i));
    for (int j = 0; j < 4; ++j) words[j][i] = block[static_cast<std::size_t>(j)];
  }
  double radius[2 * kBlocks], cosine[2 * kBlocks], sine[2 * kBlocks];
  for (int i = 0; i < kBlocks; ++i) {
    for (int j = 0; j < 2; ++j) {
      const double u = (static_cast<double>(words[2 * j][i]) + 0.5) * 0x1p-32;
      radius[2 * i + j] = std::sqrt(-2.0 * math::log(u));
      turn(static_cast<double>(words[2 * j + 1][i]) * 0x1p-32, &cosine[2 * i + j],
           &sine[2 * i + j]);
    }
  }
  for (int k = 0; k < count; ++k) {
    out[k] = radius[k / 2] * (k % 2 == 0 ? cosine[k / 2] : sine[k / 2]);
  }
}

void normals_loop(const Philox& draws, std::uint64_t first, double* out, std::size_t count) {
  constexpr std::size_t kStep = 4 * kBlocks;
  for (std::size_t done = 0; done < count; done += kStep) {
    const std::size_t part = count - done < kStep ? count - done : kStep;
    blocks(draws, first / 4 + done / 4, out + done, static_cast<int>(part));
  }
}

}  // namespace gradatim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim {

HWY_EXPORT(normals_loop);

void normals(const Philox& draws, std::uint64_t first, std::span<double> out) {
  HWY_DYNAMIC_DISPATCH(normals_loop)(draws, first, out.data(), out.size());
}

void normal_rows(const Philox& draws, std::uint64_t first_row, std::size_t dims,
                 std::span<double> out) {
  const std::size_t width = (dims + 3) / 4 * 4;
  if (width == dims) return normals(draws, width * first_row, out);
  // Many short rows at a time, then picked: a call draws 64 numbers at least.
  constexpr std::size_t kBuffer = 512;
  std::array<double, kBuffer> drawn;
  const std::size_t most = width <= kBuffer / 8 ? kBuffer / width : 1;
  while (!out.empty()) {
    const std::size_t rows = std::min(most, out.size() / dims);
    if (rows == 1) {
      normals(draws, width * first_row, out.first(dims));
    } else {
      normals(draws, width * first_row, std::span(drawn).first(rows * width));
      for (std::size_t k = 0; k < rows; ++k) {
        std::copy_n(drawn.data() + k * width, dims, out.data() + k * dims);
      }
    }
    first_row += rows;
    out = out.subspan(rows * dims);
  }
}

}  // namespace gradatim
#endif
