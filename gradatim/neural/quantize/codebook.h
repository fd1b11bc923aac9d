// Codebook: the vectors of some codes, learned by gradient or as moving averages of what they stand
// for.
//
// Averages, of decay g: N = g N + (1 - g) n, m = g m + (1 - g) sum z, e = m / N', where n vectors
// of a batch with the sum `sum z` are nearest to a code, and N' = (N + eps) / (sum N + codes eps)
// sum N keeps e finite (van den Oord, Vinyals and Kavukcuoglu (2017), appendix A). m = N' e is not
// kept. Sums of a batch travel in the gradients of `codebook` and `count`.
//
// A code whose N falls below `restart_below` of the mean is dead: the next batch moves it to one of
// its vectors. Who has that vector adds it to the gradient of `codebook`, where others add nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "gradatim/neural/nn/parameters.h"
#include "gradatim/neural/quantize/vector_quantizer.h"
#include "gradatim/neural/quantizer/codebook.h"

namespace gradatim::neural {

class Codebook {
 public:
  /// `number` tells the draws of a model's codebooks apart.
  Codebook(const Scope& scope, std::int64_t dims, const CodebookConfig& config,
           std::int64_t number = 0);

  std::int64_t size() const { return config_.codes; }
  void start(const Tensor& z, std::uint64_t seed);
  /// codes: [vectors].
  Quantized quantize(const Tensor& z, const QuantizeStep& step);
  void update();
  Tensor codes(const Tensor& z) const;       // [vectors]
  Tensor decode(const Tensor& codes) const;  // [vectors, dims]

 private:
  Tensor table() const;  // the vectors as they are used
  std::vector<bool> dead() const;
  void note(const Tensor& z, const Tensor& codes, const QuantizeStep& step);

  CodebookConfig config_;
  std::int64_t number_;
  Tensor codebook_, count_;  // [codes, dims]; [codes], of averages alone
};

}  // namespace gradatim::neural
