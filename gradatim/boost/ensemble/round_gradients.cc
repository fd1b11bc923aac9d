#include "gradatim/boost/ensemble/round_gradients.h"

#include "gradatim/core/parallel.h"

namespace gradatim::boost {
namespace {

constexpr std::int64_t kBlock = 4096;

// Of several outputs the first trees change scores that the gradients of the others are made from;
// the other reasons read the gradients themselves, or quantise them more than once.
bool must_keep(const AdditiveConfig& config, const Loss& loss, int outputs, bool held_out) {
  const bool sampled_by_gradient = config.sampling.method != SamplingMethod::uniform;
  const bool newton_leaves = config.first_order && !loss.constant_hessian();
  return outputs > 1 || loss.whole() || held_out || sampled_by_gradient || newton_leaves ||
         config.num_parallel_tree > 1;
}

}  // namespace

RoundGradients::RoundGradients(const AdditiveConfig& config, const Loss& loss,
                               const ScoredRows& train, int outputs,
                               std::span<const std::uint8_t> held_out)
    : config_(config),
      loss_(loss),
      train_(train),
      outputs_(outputs),
      held_out_(held_out),
      kept_(must_keep(config, loss, outputs, !held_out.empty())) {}

void RoundGradients::begin() {
  if (!kept_) return;
  const std::int64_t rows = train_.rows();
  g_.resize(rows * outputs_);
  h_.resize(rows * outputs_);
  auto fill = [&](std::int64_t begin, std::int64_t end) {
    make(begin, end, g_.data() + begin, h_.data() + begin);
  };
  if (loss_.whole()) {
    fill(0, rows);
  } else {
    parallel_for(rows, kBlock, fill);
  }
}

// Outputs lie as far apart as scores do; where gradients are not kept there is only one.
void RoundGradients::make(std::int64_t begin, std::int64_t end, float* g, float* h) const {
  const std::int64_t rows = train_.rows();
  loss_.gradients({end - begin, train_.data().label.data() + begin, train_.scores() + begin, g, h,
                   rows, outputs_, train_.data().targets});
  if (held_out_.empty()) return;
  for (int k = 0; k < outputs_; ++k) {
    for (std::int64_t row = begin; row < end; ++row) {
      if (held_out_[row] != 0) g[k * rows + row - begin] = h[k * rows + row - begin] = 0.0F;
    }
  }
}

void RoundGradients::quantise(int k, std::span<const float> weight, const QuantiseOptions& options,
                              Statistics& out) const {
  if (kept_) {
    boost::quantise(g(k), config_.first_order ? std::span<const float>() : h(k), weight, options,
                    out);
    return;
  }
  quantise_made(
      train_.rows(),
      [&](std::int64_t begin, std::int64_t end, float* g, float* h) { make(begin, end, g, h); },
      weight, options, out);
}

}  // namespace gradatim::boost
