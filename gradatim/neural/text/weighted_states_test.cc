#include "gradatim/neural/text/weighted_states.h"

#include <gtest/gtest.h>

namespace gradatim::neural {
namespace {

Tensor level_states(double mean) {
  const Tensor waves = at::arange(2 * 3 * 4, at::kFloat).mul(0.7).sin();
  return (waves + mean).view({2, 3, 4});
}

TEST(WeightedStates, OnesKeepTheBits) {
  const Tensor states = level_states(0.3);
  EXPECT_TRUE(at::equal(weighted_states(states, std::vector<float>(6, 1.0F)), states));
  // And those of a chunk beside one that is weighted.
  const Tensor half = weighted_states(states, std::vector<float>{1, 1, 1, 1, 2, 1});
  EXPECT_TRUE(at::equal(half[0], states[0]));
  EXPECT_FALSE(at::equal(half[1], states[1]));
}

TEST(WeightedStates, AChunkKeepsItsMeanAndTokensTheirRatio) {
  const Tensor states = level_states(0.3);
  const std::vector<float> weights = {1, 1.5, 0.5, 1, 1, 3};
  const Tensor got = weighted_states(states, weights);
  for (std::int64_t k = 0; k < 2; ++k) {
    const double before = states[k].mean().item<double>(), after = got[k].mean().item<double>();
    EXPECT_NEAR(after, before, 1e-6);
    const Tensor factors = (got[k] / states[k]).mean(1);  // [tokens]
    for (std::int64_t t = 1; t < 3; ++t) {
      const auto w = static_cast<std::size_t>(3 * k + t);
      EXPECT_NEAR(factors[t].item<double>() / factors[0].item<double>(),
                  weights[w] / weights[3 * static_cast<std::size_t>(k)], 1e-4);
    }
  }
}

TEST(WeightedStates, AMeanOfNothingScalesNothing) {
  Tensor states = level_states(0.0);
  states = states - states.mean({1, 2}, true);
  const std::vector<float> weights = {1, 2, 1, 1, 0, 1};
  const Tensor column = at::tensor(at::ArrayRef<float>(weights)).view({2, 3, 1});
  EXPECT_TRUE(at::equal(weighted_states(states, weights), states * column));
}

TEST(WeightedStates, ChunksAreJoinedAlongTheTokens) {
  PromptTokens prompt{.ids = {7, 1, 8, 7, 2, 8},
                      .weights = {1, 1, 1, 1, 1, 1},
                      .chunks = 2,
                      .length = 3,
                      .cut = ""};
  EXPECT_EQ(prompt_ids(prompt).sizes(), (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(prompt_ids(prompt)[1][1].item<std::int64_t>(), 2);
  const Tensor states = level_states(0.3);
  const Tensor joined = prompt_states(states, prompt);
  EXPECT_TRUE(at::equal(joined, at::cat({states.slice(0, 0, 1), states.slice(0, 1, 2)}, 1)));
}

}  // namespace
}  // namespace gradatim::neural
