// How a code is drawn from logits: what sampling of priors has in common.
#pragma once

#include <cstdint>
#include <span>

#include "gradatim/neural/quantize/lane_matrix.h"
#include "gradatim/neural/quantize/prior_net.h"

namespace gradatim::neural {

/// UsageError GRD-1158 where the temperature, top_k or top_p are no such numbers.
void check_draw(const CodeDraw& draw);
/// The code of logits [codes], which it changes, at a number in [0, 1). Sums are in float64 and in
/// the order of codes; of equal logits, the lower code is the likelier one.
std::int64_t draw_code(std::span<float> logits, const CodeDraw& draw, double uniform);

/// Draws place k of a block's rows by logits [codes, lanes] into codes, [rows, length] of all.
class LaneDraws {
 public:
  LaneDraws(const CodeDraw& draw, const CodeShape& shape, std::int64_t* codes);
  void operator()(const LaneBlock& block, std::int64_t k, const float* logits) const;

 private:
  const CodeDraw& draw_;
  const CodeShape& shape_;
  std::int64_t* codes_;
};

}  // namespace gradatim::neural
