// SquaredDistances: |a_i - b_j|^2 of float32 points in any number of dimensions.
//
// Summed as differences, in float32 by groups of dimensions: |a|^2 - 2 a.b + |b|^2 would save a
// third of the arithmetic and lose the small distances, which decide an assignment.
#pragma once

#include <cstdint>
#include <vector>

namespace gradatim::process {

class SquaredDistances {
 public:
  /// Takes a copy of b [n, dims].
  SquaredDistances(const float* b, std::int64_t n, std::int64_t dims);

  /// out[i, j] for all columns j; `pitch` at least n rounded up to kColumns, and what is behind
  /// the last column is written too. The same bits on every SIMD target.
  void rows(const float* a, std::int64_t count, float* out, std::int64_t pitch) const;
  std::int64_t pitch() const { return (n_ + kColumns - 1) / kColumns * kColumns; }

  static constexpr std::int64_t kColumns = 32;

 private:
  std::int64_t n_, dims_;
  std::vector<float> b_;  // [groups of kColumns, dims, kColumns]
};

}  // namespace gradatim::process
