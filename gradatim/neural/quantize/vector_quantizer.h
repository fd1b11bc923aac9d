// VectorQuantizer: vectors to codes and back.
//
//  1. A MakeQuantizer builds it for vectors of some dimension; its parameters are added to those of
//     the whole model under a Scope, so that one optimiser, one average and one file hold all.
//  2. start() sees vectors of untrained data, where codes begin somewhere chosen by them (k-means).
//  3. In training, quantize() gives what the decoder sees and what is lost by it. A codebook that
//  no
//     gradient moves (moving averages, dead codes) leaves its sums among the gradients, which
//     travel between ranks with the others; update() then moves it, and leaves gradients of 0. (A
//     weight decay of the training shrinks it, too, with all other parameters.)
//  4. Of a trained model, codes() and decode() are all there is.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "gradatim/neural/nn/parameters.h"
#include "gradatim/neural/quantizer.h"

namespace gradatim::neural {

/// Where in training a pass is: what random draws of it depend on.
struct QuantizeStep {
  std::uint64_t seed = 0;
  std::int64_t step = 0, steps = 1;
  // Vectors of the whole batch on all ranks, and where this pass's begin among them.
  std::int64_t all = 0, first = 0;
};

struct Quantized {
  Tensor codes;  // [vectors, books], int64
  // [vectors, dims]: what the decoder sees, by whose gradient the encoder learns (straight through,
  // unless a quantiser knows better).
  Tensor vectors;
  // Codebook and commitment, the sum over these vectors of the mean over dims; a scalar that knows
  // how to go back, or undefined.
  Tensor loss;
};

class VectorQuantizer {
 public:
  virtual ~VectorQuantizer() = default;
  /// How many codes each book has.
  virtual std::span<const std::int64_t> sizes() const = 0;
  /// z: [vectors, dims], float32, the same vectors on every rank.
  virtual void start(const Tensor& /*z*/, std::uint64_t /*seed*/) {}
  /// Under an active gradient mode; z: [vectors, dims].
  virtual Quantized quantize(const Tensor& z, const QuantizeStep& step) = 0;
  /// Behind the gradients of all ranks, before the optimiser.
  virtual void update(const QuantizeStep& /*step*/) {}
  /// [vectors, books], int64.
  virtual Tensor codes(const Tensor& z) const = 0;
  /// [vectors, dims] of codes within sizes(), which the caller has checked.
  virtual Tensor decode(const Tensor& codes) const = 0;
};

/// What a Quantizer's maker() names; the caller owns the result. UsageError GRD-1147 where it does
/// not suit the dimension.
using MakeQuantizer = VectorQuantizer*(const void* config, const Scope& scope, std::int64_t dims);
std::unique_ptr<VectorQuantizer> make_quantizer(const Quantizer& quantizer, const Scope& scope,
                                                std::int64_t dims);

}  // namespace gradatim::neural
