// Dequantizer: noise u in (0, 1) for data that are whole numbers, drawn from a density that is
// learned and depends on the data (variational dequantisation, Ho et al. 2019; Hoogeboom et al.
// 2021).
//
// A cell's probability P(x) = E_q [p(x + u) / q(u | x)], so that E_q [ln p(x + u) - ln q(u | x)] is
// never above ln P(x). u is Phi(f(e; x)) of normal noise e: Phi the distribution function of the
// normal law, f couplings that are told x. It begins uniform: with f the identity, q is 1.
#pragma once

#include <cstdint>

#include "gradatim/neural/flow/conditioner.h"
#include "gradatim/neural/flow/transform.h"

namespace gradatim::neural {

struct DequantizerConfig {
  int couplings = 4;
  ConditionerConfig conditioner = {64, 2, Activation::relu};
};

struct Drawn {
  Tensor u;      // as x, in [0, 1)
  Tensor log_q;  // [rows]
};

class Dequantizer {
 public:
  Dequantizer(const Scope& scope, std::int64_t dims, const DequantizerConfig& config);
  /// x [rows, ...], in any scale where numbers are about 1; noise: normal numbers as many.
  /// Differentiable.
  Drawn draw(const Tensor& x, const Tensor& noise) const;

 private:
  Chain steps_;
};

}  // namespace gradatim::neural
