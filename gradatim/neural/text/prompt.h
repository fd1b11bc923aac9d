// A prompt as a text network is given it: chunks of as many tokens as the network takes, each with
// its own begin and end, and a weight for each token.
//
//  1. Without `weighted` brackets are words; with it parse_prompt() cuts the text, and each part
//     becomes tokens by itself.
//  2. Tokens beyond one chunk go into further ones. A chunk ends behind its last comma where that
//     lies among its last 20 tokens, so that what belongs together stays together.
//  3. The network encodes chunk by chunk; their states are joined along the tokens
//     (weighted_states.h), and the denoiser attends to all of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/neural/text/text_codec.h"

namespace gradatim::neural {

struct PromptOptions {
  std::int64_t length = 77;  // tokens of a chunk, begin and end included
  bool weighted = false;
  bool truncate = false;  // the first chunk alone, filled to its end, as diffusers does
};

struct PromptTokens {
  std::vector<std::int64_t> ids;  // [chunks, length]
  std::vector<float> weights;     // [chunks, length]; 1 for begin, end and padding
  std::int64_t chunks = 0, length = 0;
  std::string cut;  // what truncation left out, as the tokens spell it
};

/// Of a text without words there is one chunk without tokens. UsageError GRD-1179 for a length
/// below 3; errors of parse_prompt() and of TextCodec::tokens().
PromptTokens prompt_tokens(const TextCodec& codec, std::string_view text,
                           const PromptOptions& options = {});

/// Brings a prompt to so many chunks by chunks without tokens; fewer than it has change nothing. A
/// prompt and its negative are guided together, which needs the same number of both.
void pad_chunks(PromptTokens& prompt, std::int64_t chunks, const TextCodec& codec);

}  // namespace gradatim::neural
