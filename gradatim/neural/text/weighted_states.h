// The states of a prompt: those of its chunks side by side, and its weights upon them.
//
// A state is multiplied by the weight of its token, and then all of a chunk by one number that
// gives the chunk the mean that it had, as the web interface of AUTOMATIC1111 does, so that weights
// shift the stress between words rather than the level of all. Where a mean is no more than a
// thousandth of what the states measure, it is an accident of signs and no number is taken. A chunk
// whose weights are all 1 keeps its bits.
#pragma once

#include <span>

#include "gradatim/neural/nn/tensor.h"
#include "gradatim/neural/text/prompt.h"

namespace gradatim::neural {

/// states: [chunks, tokens, width]; weights: [chunks, tokens] -> [chunks, tokens, width].
Tensor weighted_states(const Tensor& states, std::span<const float> weights);

/// A prompt's tokens for the text network: [chunks, length], int64.
Tensor prompt_ids(const PromptTokens& prompt);

/// What the network made of prompt_ids() -> [1, chunks * length, width], weighted.
Tensor prompt_states(const Tensor& states, const PromptTokens& prompt);

}  // namespace gradatim::neural
