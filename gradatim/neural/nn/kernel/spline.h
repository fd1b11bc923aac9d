// Monotone rational-quadratic splines of many numbers at once (Durkan, Bekasov, Murray and
// Papamakarios (2019), Neural spline flows), in one pass over memory each way.
//
// Within [-bound, bound], K bins have widths and heights by a softmax, each at least kLeastBin of
// the whole; knots between them have slopes exp(v / (1 + |v| / ln kMostSlope)), in (1 / kMostSlope,
// kMostSlope). Beyond, and at both ends, the slope is 1. So parameters of 0 give the identity, and
// all finite ones a function that is finite, as is its inverse.
//
// With xi the place in a bin, eta = 1 - xi, s the bin's slope, d0 and d1 those at its ends:
//
//   y = Y + h (s xi^2 + d0 xi eta) / den,   den = s (1 - 2 xi eta) + (d0 + d1) xi eta
//   dy/dx = (s / den)^2 (d1 xi^2 + 2 s xi eta + d0 eta^2)
//
// which are sums of positive terms. The inverse, with delta and epsilon = 1 - delta the place of y
// in its bin, solves a quadratic whose discriminant is one, too: e^2 + 4 s^2 delta epsilon, with
// e = d0 epsilon - d1 delta. It is never negative, and nothing is clamped or asserted.
//
// Vectors hold numbers of different rows and columns, in blocks of kBlock (product.h).
#pragma once

#include <cstdint>

namespace gradatim::neural::kernel {

constexpr float kLeastBin = 1e-3F, kMostSlope = 1e3F;

struct Spline {
  std::int64_t bins = 0;
  float bound = 0.0F;
  std::int64_t rows = 0, numbers = 0;  // of a row
  const float* parameters = nullptr;   // [rows, 3 bins - 1, numbers]: widths, heights, slopes
};

/// Blocks from `first` to before `last`. Writes y and ln dy/dx, both [rows, numbers].
void spline(const Spline& spline, std::int64_t first, std::int64_t last, const float* x, float* y,
            float* log_slope);
/// Writes x and ln dx/dy.
void spline_inverse(const Spline& spline, std::int64_t first, std::int64_t last, const float* y,
                    float* x, float* log_slope);

struct SplineGradient {
  bool inverse = false;              // of spline_inverse()
  const float* out = nullptr;        // gradient by what the pass put out, [rows, numbers]
  const float* log_slope = nullptr;  // by the sum of a row's ln slopes, [rows]
  float* in = nullptr;               // written: by what the pass took, [rows, numbers]
  float* parameters = nullptr;       // written
};
/// x: what spline() took or spline_inverse() put out.
void spline_backward(const Spline& spline, std::int64_t first, std::int64_t last, const float* x,
                     const SplineGradient& gradient);

}  // namespace gradatim::neural::kernel
