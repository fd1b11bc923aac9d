// CodeNet: an encoder and a decoder around vectors that become codes, at one level or several.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "gradatim/neural/nn/parameters.h"
#include "gradatim/neural/quantizer.h"

namespace gradatim::neural {

/// Vectors of a level, the coarsest first: [rows * places, dims], place by place.
struct CodeNetLevel {
  CodeShape::Level places;
  std::int64_t dims = 0;
};

class CodeNet {
 public:
  virtual ~CodeNet() = default;
  virtual std::span<const CodeNetLevel> levels() const = 0;

  /// What becomes of the vectors z of a level; asked once a level, the coarsest first, because
  /// finer ones depend on what it gave.
  using Quantize = std::function<Tensor(std::size_t level, const Tensor& z)>;
  /// Asks for every level, and gives back what quantize did: what decode() takes.
  virtual std::vector<Tensor> encode(const Tensor& x, const Quantize& quantize) const = 0;
  /// [rows, sample...] of the vectors of all levels.
  virtual Tensor decode(const std::vector<Tensor>& vectors) const = 0;
};

/// What an Autoencoder's maker() names, for samples {dims} or {channels, height, width}; the caller
/// owns the result. UsageError GRD-1205 where it does not suit them.
using MakeCodeNet = CodeNet*(const void* config, const Scope& scope,
                             const std::vector<std::int64_t>& sample);
std::unique_ptr<CodeNet> make_code_net(const Autoencoder& autoencoder, const Scope& scope,
                                       const std::vector<std::int64_t>& sample);

}  // namespace gradatim::neural
