// PriorNet: the distribution of codes, one after the other:
//
//   P(c | label) = prod_k P(c_k | c_0 .. c_(k-1), label)
//
//  1. make_prior() builds it from its settings for a CodeShape, with initial values; load_prior()
//     with those of a file.
//  2. In training, log_prob() under an active gradient mode knows how to go back.
//  3. sample() draws codes; row k is a pure function of (seed, k), whatever lies beside it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gradatim/core/philox.h"
#include "gradatim/neural/nn/parameters.h"
#include "gradatim/neural/quantizer.h"

namespace gradatim::neural {

/// How codes are drawn.
struct CodeDraw {
  std::uint64_t seed = 0;
  std::int64_t first_row = 0;  // number of the first of these rows among all
  double temperature = 1.0;    // logits are divided by it; 0: the likeliest code
  std::int64_t top_k = 0;      // keep the likeliest so many; 0: all
  double top_p = 1.0;          // and of these the likeliest that reach this probability together
};

class PriorNet {
 public:
  explicit PriorNet(CodeShape shape) : shape_(std::move(shape)) {}
  virtual ~PriorNet() = default;

  const CodeShape& shape() const { return shape_; }
  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }
  /// ln P of codes [rows, length] under labels [rows] (undefined where there are no classes), by
  /// place: [rows, length], float32; `dropout`: draws of what a step of training leaves out.
  virtual Tensor log_prob(const Tensor& codes, const Tensor& labels,
                          const std::optional<Philox>& dropout = {}) = 0;
  /// Codes [rows, length], int64, of labels [rows].
  virtual Tensor sample(std::int64_t rows, const Tensor& labels, const CodeDraw& draw) = 0;

 private:
  CodeShape shape_;
  Parameters parameters_;
};

/// What a CodePrior's maker() names; the caller owns the result. UsageError GRD-1157 where it does
/// not suit the codes.
using MakePriorNet = PriorNet*(const void* config, const CodeShape& shape);
std::unique_ptr<PriorNet> make_prior(const CodePrior& prior, const CodeShape& shape,
                                     at::Device device = at::kCPU);
std::unique_ptr<PriorNet> load_prior(const CodePrior& prior, const CodeShape& shape,
                                     const SafetensorsFile& file, const std::string& prefix);

/// Codes [rows] drawn from logits [rows, codes] by uniform numbers [rows]; changes logits.
Tensor draw_codes(Tensor logits, const CodeDraw& draw, const Tensor& uniform);

}  // namespace gradatim::neural
