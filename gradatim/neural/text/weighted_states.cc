#include "gradatim/neural/text/weighted_states.h"

#include <algorithm>
#include <cmath>

#include "gradatim/core/error.h"

namespace gradatim::neural {
namespace {

constexpr double kLeastMean = 1e-3;

// In double precision: a mean is a small difference of many numbers.
struct Level {
  double mean, size;
  explicit Level(const Tensor& states)
      : mean(states.mean(at::kDouble).item<double>()),
        size(states.abs().mean(at::kDouble).item<double>()) {}
  bool telling() const { return std::abs(mean) > kLeastMean * size; }
};

Tensor weighted_chunk(const Tensor& states, std::span<const float> weights) {
  if (std::ranges::all_of(weights, [](float w) { return w == 1.0F; })) return states;
  const Tensor column = at::tensor(at::ArrayRef<float>(weights.data(), weights.size()));
  const Tensor weighted = states * column.to(states.scalar_type()).unsqueeze(1);
  const Level before(states), after(weighted);
  return before.telling() && after.telling() ? weighted * (before.mean / after.mean) : weighted;
}

}  // namespace

Tensor weighted_states(const Tensor& states, std::span<const float> weights) {
  GRADATIM_ASSERT(states.dim() == 3 &&
                  static_cast<std::int64_t>(weights.size()) == states.size(0) * states.size(1));
  if (std::ranges::all_of(weights, [](float w) { return w == 1.0F; })) return states;
  const auto tokens = static_cast<std::size_t>(states.size(1));
  std::vector<Tensor> chunks;
  for (std::int64_t k = 0; k < states.size(0); ++k) {
    const auto own = weights.subspan(static_cast<std::size_t>(k) * tokens, tokens);
    chunks.push_back(weighted_chunk(states.select(0, k), own));  // [tokens, width]
  }
  return at::stack(chunks);
}

Tensor prompt_ids(const PromptTokens& prompt) {
  return at::tensor(at::ArrayRef<std::int64_t>(prompt.ids))
      .view({prompt.chunks, prompt.length});  // [chunks, length]
}

Tensor prompt_states(const Tensor& states, const PromptTokens& prompt) {
  return weighted_states(states, prompt.weights)
      .reshape({1, prompt.chunks * prompt.length, states.size(2)});
}

}  // namespace gradatim::neural
