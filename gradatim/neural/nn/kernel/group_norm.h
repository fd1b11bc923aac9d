// Group normalisation with what stands around it in a U-Net, in one pass over memory each way:
//
//   z = ((x + offset - mean) / deviation * gain + bias) (1 + scale) + shift,   y = silu(z) or z
//
// Images are channels-last, [rows, pixels, channels]. x may be two tensors whose channels lie one
// behind the other (a skip connection), so that nobody concatenates them. The sums of a channel are
// one thread's, so results do not depend on the number of threads.
#pragma once

#include <cstdint>

namespace gradatim::neural::kernel {

struct GroupNorm {
  std::int64_t rows = 0, pixels = 0;
  std::int64_t first = 0, second = 0;  // channels of each x
  std::int64_t groups = 1;
  double epsilon = 1e-5;
  bool silu = true;
  const float* x1 = nullptr;    // [rows, pixels, first]
  const float* x2 = nullptr;    // [rows, pixels, second]
  const float* gain = nullptr;  // [channels], as bias
  const float* bias = nullptr;
  const float* offset = nullptr;  // [rows, channels], or null
  const float* scale = nullptr;   // rows of `modulation_stride` numbers, or null, as shift
  const float* shift = nullptr;
  std::int64_t modulation_stride = 0;
  float* statistics = nullptr;  // [rows, 2, groups]: mean, 1 / deviation; written, then read

  std::int64_t channels() const { return first + second; }
};

/// Writes y, [rows, pixels, channels], and the statistics. Without a second x, y may be the first.
void group_norm(const GroupNorm& norm, float* y);

struct GroupNormGradient {
  const float* dy = nullptr;    // [rows, pixels, channels]
  const float* add1 = nullptr;  // what dx1 and dx2 get besides, or null
  const float* add2 = nullptr;
  float* dx1 = nullptr;
  float* dx2 = nullptr;
  float* dgain = nullptr;  // [rows, channels], a part of each row; likewise the others
  float* dbias = nullptr;
  float* doffset = nullptr;  // or null, as are the others where the input is
  float* dscale = nullptr;   // rows of `modulation_stride` numbers
  float* dshift = nullptr;
};

void group_norm_backward(const GroupNorm& norm, const GroupNormGradient& gradient);

}  // namespace gradatim::neural::kernel
