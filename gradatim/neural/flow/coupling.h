// Coupling: x = (a, b) becomes (a, f(b; c(a))), f a ScalarMap and c a Conditioner, so that the
// Jacobian is triangular and ln |det| is the sum of ln f'.
//
// Rows of one number have no other part: c is then told the context alone.
#pragma once

#include <memory>

#include "gradatim/neural/bijection/settings.h"
#include "gradatim/neural/flow/conditioner.h"
#include "gradatim/neural/flow/scalar_map.h"

namespace gradatim::neural {

/// Of a row: `first`, first + step, ..., `count` numbers.
struct PickedNumbers {
  std::int64_t first, step, count;
};

/// Rows as the part that stays and the part that moves, and back.
class Parts {
 public:
  /// Steps of even and odd numbers move the one part and the other.
  Parts(Mask mask, std::int64_t dims, std::int64_t number);

  std::int64_t stays() const { return stays_; }
  std::int64_t moves() const { return dims_ - stays_; }
  /// Contiguous, [rows, stays()] and [rows, moves()].
  std::pair<Tensor, Tensor> split(const Tensor& x) const;
  Tensor join(const Tensor& stayed, const Tensor& moved) const;

 private:
  PickedNumbers part(bool first) const;

  Mask mask_;
  std::int64_t dims_, stays_;
  bool first_stays_;  // whether the first half, or numbers 0, 2, ..., stay
};

class Coupling final : public Transform {
 public:
  Coupling(const FlowPlace& place, Mask mask, const ConditionerConfig& conditioner,
           std::unique_ptr<ScalarMap> map);

  Moved forward(const Tensor& x, const Tensor& context) const override;
  Moved inverse(const Tensor& y, const Tensor& context) const override;

 private:
  Tensor said(const Tensor& stays, const Tensor& context) const;

  Parts parts_;
  std::unique_ptr<ScalarMap> map_;
  Conditioner conditioner_;
};

}  // namespace gradatim::neural
