// ScalarMap: an increasing function of one number with parameters that a conditioner says: what
// couplings and autoregressive steps do to each number that they move.
#pragma once

#include <cstdint>
#include <memory>

#include "gradatim/neural/flow/transform.h"

namespace gradatim::neural {

class ScalarMap {
 public:
  virtual ~ScalarMap() = default;
  /// Of one number.
  virtual std::int64_t parameters() const = 0;
  /// x [rows, n] under parameters [rows, parameters(), n]; both contiguous. With all parameters 0
  /// it is the identity, or near it.
  virtual Moved forward(const Tensor& x, const Tensor& parameters) const = 0;
  virtual Moved inverse(const Tensor& y, const Tensor& parameters) const = 0;
};

/// y = x + b
std::unique_ptr<ScalarMap> additive_map();
/// y = x exp(s) + b, s = bound tanh(a / bound), which keeps exp(s) and its inverse finite.
std::unique_ptr<ScalarMap> affine_map(double bound);

}  // namespace gradatim::neural
