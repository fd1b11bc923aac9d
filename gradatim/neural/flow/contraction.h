// Contraction: a perceptron g with |g(a) - g(b)| <= lipschitz |a - b|, whatever its parameters.
//
// Its matrices are divided by a bound of their largest singular value where that is above what a
// layer may have, and its nonlinearity z sigmoid(z) / 1.1 has no slope beyond 1 (LipSwish, Chen et
// al. 2019). The bound is the Schatten norm of order 256, (sum of sigma^256)^(1/256), by squarings
// of W'W: never below sigma, at most 2 % above it for 128 units, and a function of W alone, where
// power iterations would need vectors that go from step to step.
#pragma once

#include <cstdint>
#include <vector>

#include "gradatim/neural/nn/parameters.h"
#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

struct ContractionConfig {
  int width = 64;
  int layers = 2;  // hidden ones
  double lipschitz = 0.9;
};

class Contraction {
 public:
  /// The last layer begins at 0.
  Contraction(const Scope& scope, std::int64_t dims, std::int64_t context,
              const ContractionConfig& config);

  /// The matrices as g multiplies by them, [out, in].
  std::vector<Tensor> matrices() const;

  struct Passed {
    Tensor g;                    // [rows, dims]
    std::vector<Tensor> slopes;  // of the hidden units, [rows, 1, width]
  };
  /// x [rows, dims]; slopes where they are `wanted`.
  Passed pass(const std::vector<Tensor>& matrices, const Tensor& x, const Tensor& context,
              bool wanted) const;
  /// The derivative of g along v [rows or 1, count, dims] -> [rows, count, dims].
  static Tensor along(const std::vector<Tensor>& matrices, const std::vector<Tensor>& slopes,
                      const Tensor& v);

 private:
  double bound_;  // of a matrix
  std::vector<Tensor> weights_, biases_;
  Tensor told_;  // [width, context]
};

/// The Schatten norm of order 256 of a matrix, differentiable once.
Tensor spectral_bound(const Tensor& matrix);

}  // namespace gradatim::neural
