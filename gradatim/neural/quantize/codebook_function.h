// The nearest code to every vector as one differentiable function: what the decoder sees is the
// code's vector e, its gradient goes straight through to the encoder's z, and
//
//   loss = (sum |sg(z) - e|^2 + commitment |z - sg(e)|^2) / dims,
//
// the first term where codes learn by gradient. sg() stops gradients. van den Oord, Vinyals and
// Kavukcuoglu (2017), Neural discrete representation learning.
#pragma once

#include <functional>

#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

struct Found {
  Tensor codes;          // [vectors], int64
  Tensor vectors;        // [vectors, dims], of these codes
  double squares = 0.0;  // sum of |z - e|^2
};
/// z: [vectors, dims], table: [codes, dims], without gradients. A vector's code does not depend on
/// what lies beside it, nor on threads.
Found find_nearest(const Tensor& z, const Tensor& table);
/// The codes alone.
Tensor nearest_codes(const Tensor& z, const Tensor& table);

struct StraightThrough {
  Tensor vectors;  // [vectors, dims]
  Tensor loss;     // a scalar
};
/// Knows how to go back: to z, and to the table where it requires gradients.
StraightThrough straight_through(const Tensor& z, const Tensor& table, const Found& found,
                                 double commitment);

/// Adds every vector to the row of its code in sums [codes, dims]; codes below 0 are left out.
void add_by_code(const Tensor& z, const Tensor& codes, const Tensor& sums);

/// What some vectors become, with the gradient of it for the gradient of z: `hard` [vectors, ...]
/// without a derivative of its own.
Tensor passed_through(const Tensor& z, const Tensor& hard);

}  // namespace gradatim::neural
