// Transform: an invertible map that computes: a step of a flow, or a chain of steps.
//
//  1. A MakeTransform builds it at a FlowPlace from its settings, and adds its parameters there.
//  2. start() shows it data once, behind the initial values and before training: what is chosen by
//     data (activation norms) is a parameter from then on, saved as any other.
//  3. forward() leads samples towards the base, inverse() leads back; both tell ln |det| of the map
//     that they are, so that one's is the other's with the other sign. Under an active gradient
//     mode both know how to go back.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "gradatim/neural/bijection.h"
#include "gradatim/neural/nn/parameters.h"
#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

struct Moved {
  Tensor x;        // [rows, ...]
  Tensor log_det;  // [rows], or undefined where it is 0 for all
};
/// The sum of two ln |det|, either of which may be undefined.
Tensor add_log_det(const Tensor& a, const Tensor& b);

class Transform {
 public:
  virtual ~Transform() = default;
  /// x [rows, the place's sample...], contiguous; context [rows, context], or undefined where the
  /// flow has none.
  virtual Moved forward(const Tensor& x, const Tensor& context) const = 0;
  /// y [rows, out_shape...]. NumericError GRD-4032 where an inverse leaves the range of floats.
  virtual Moved inverse(const Tensor& y, const Tensor& context) const = 0;
  virtual void start(const Tensor& /*x*/, const Tensor& /*context*/) {}
  /// Of one sample behind forward(), where that is another shape than before it.
  virtual std::vector<std::int64_t> out_shape(const std::vector<std::int64_t>& sample) const {
    return sample;
  }
};

/// Where a step is in a flow.
struct FlowPlace {
  Scope scope;
  std::vector<std::int64_t> sample;  // one sample as it comes here
  std::int64_t context = 0;          // numbers that it is told
  std::int64_t number = 0;           // of the step among its like: which half it moves, and so on

  std::int64_t dims() const { return c10::multiply_integers(sample); }
};

/// What a Bijection's or an Architecture's maker() names; the caller owns the result.
/// UsageError GRD-1191 where it does not suit the place.
using MakeTransform = Transform*(const void* config, const FlowPlace& place);

/// Steps, one behind the other.
class Chain final : public Transform {
 public:
  void add(std::unique_ptr<Transform> step) { steps_.push_back(std::move(step)); }

  Moved forward(const Tensor& x, const Tensor& context) const override;
  Moved inverse(const Tensor& y, const Tensor& context) const override;
  void start(const Tensor& x, const Tensor& context) override;
  std::vector<std::int64_t> out_shape(const std::vector<std::int64_t>& sample) const override;

 private:
  std::vector<std::unique_ptr<Transform>> steps_;
};

}  // namespace gradatim::neural
