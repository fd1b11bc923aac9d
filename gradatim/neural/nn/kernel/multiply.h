// Multiplication of small matrices on the thread that asks, by the BLAS inside libtorch.
#pragma once

#include <cstdint>

extern "C" void sgemm_(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
                       const int* k, const float* alpha, const float* a, const int* lda,
                       const float* b, const int* ldb, const float* beta, float* c, const int* ldc);

namespace gradatim::neural::kernel {

struct Sizes {
  std::int64_t rows, columns, inner;
};
struct Matrix {
  const float* data;
  bool transposed;
};

/// c [rows, columns] = a [rows, inner] b [inner, columns], row-major, or added onto c. A transposed
/// matrix lies in memory as its transpose.
inline void multiply(const Sizes& sizes, const Matrix& a, const Matrix& b, float* c,
                     bool onto = false) {
  // The BLAS is column-major: it computes c^T = b^T a^T.
  const int rows = static_cast<int>(sizes.rows), columns = static_cast<int>(sizes.columns),
            inner = static_cast<int>(sizes.inner);
  const int step_a = a.transposed ? rows : inner, step_b = b.transposed ? inner : columns;
  const float one = 1.0F, beta = onto ? 1.0F : 0.0F;
  sgemm_(b.transposed ? "T" : "N", a.transposed ? "T" : "N", &columns, &rows, &inner, &one, b.data,
         &step_b, a.data, &step_a, &beta, c, &columns);
}

}  // namespace gradatim::neural::kernel
