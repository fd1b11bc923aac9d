// y = x exp(s) + b of many numbers at once, s = bound tanh(a / bound), in one pass over memory each
// way, where torch takes a dozen.
#pragma once

#include <cstdint>

namespace gradatim::neural::kernel {

struct Affine {
  float bound = 0.0F;
  std::int64_t numbers = 0;           // of a row
  const float* parameters = nullptr;  // [rows, 2, numbers]: a, b
};

/// Rows from `first` to before `last`. Writes y [rows, numbers] and the sums of s [rows].
void affine(const Affine& affine, std::int64_t first, std::int64_t last, const float* x, float* y,
            float* log_det);
/// Writes x = (y - b) exp(-s), and the sums of -s.
void affine_inverse(const Affine& affine, std::int64_t first, std::int64_t last, const float* y,
                    float* x, float* log_det);

struct AffineGradient {
  bool inverse = false;            // of affine_inverse()
  const float* out = nullptr;      // gradient by what the pass put out, [rows, numbers]
  const float* log_det = nullptr;  // [rows]
  float* in = nullptr;             // written: by what the pass took
  float* parameters = nullptr;     // written
};
/// x: what affine() took or affine_inverse() put out.
void affine_backward(const Affine& affine, std::int64_t first, std::int64_t last, const float* x,
                     const AffineGradient& gradient);

}  // namespace gradatim::neural::kernel
