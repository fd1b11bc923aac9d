#include "gradatim/neural/text/prompt.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradatim/core/error.h"
#include "gradatim/neural/text/prompt_syntax.h"

namespace gradatim::neural {
namespace {

constexpr std::size_t kCommaWithin = 20;

struct Token {
  std::int64_t id = 0;
  float weight = 1.0F;
};
using Tokens = std::vector<Token>;

// What BREAK separates; one at least.
std::vector<Tokens> sections_of(const TextCodec& codec, std::string_view text, bool weighted) {
  const std::vector<PromptPart> parts =
      weighted ? parse_prompt(text) : std::vector<PromptPart>{{.text = std::string(text)}};
  std::vector<Tokens> sections(1);
  for (const PromptPart& part : parts) {
    const bool fresh = part.new_chunk && !sections.back().empty();
    if (fresh) sections.emplace_back();
    for (const auto id : codec.tokens(part.text)) {
      sections.back().push_back({id, static_cast<float>(part.weight)});
    }
  }
  if (sections.size() > 1 && sections.back().empty()) sections.pop_back();
  return sections;
}

// Where the chunk that begins at `from` ends, of more tokens than fit.
std::size_t chunk_end(const TextCodec& codec, const Tokens& tokens, std::size_t from,
                      std::size_t room) {
  const std::size_t full = from + room, least = full - std::min(room - 1, kCommaWithin);
  for (std::size_t end = full; end > least; --end) {
    if (codec.decode({&tokens[end - 1].id, 1}) == ",") return end;
  }
  return full;
}

void add_chunk(PromptTokens& prompt, std::span<const Token> tokens, SpecialTokens special) {
  prompt.ids.push_back(special.begin);
  for (const Token& token : tokens) prompt.ids.push_back(token.id);
  prompt.ids.push_back(special.end);
  prompt.weights.push_back(1.0F);
  for (const Token& token : tokens) prompt.weights.push_back(token.weight);
  ++prompt.chunks;
  const auto size = static_cast<std::size_t>(prompt.chunks * prompt.length);
  prompt.ids.resize(size, special.pad);
  prompt.weights.resize(size, 1.0F);
}

void truncate(PromptTokens& prompt, const TextCodec& codec, const std::vector<Tokens>& sections) {
  const Tokens& first = sections.front();
  const auto kept = std::min(first.size(), static_cast<std::size_t>(prompt.length) - 2);
  add_chunk(prompt, std::span(first).first(kept), codec.special());
  std::vector<std::int64_t> rest;
  for (const Tokens& section : sections) {
    const std::size_t from = &section == &first ? kept : 0;
    for (std::size_t k = from; k < section.size(); ++k) rest.push_back(section[k].id);
  }
  prompt.cut = codec.decode(rest);
}

}  // namespace

PromptTokens prompt_tokens(const TextCodec& codec, std::string_view text,
                           const PromptOptions& options) {
  GRADATIM_CHECK(options.length >= 3, UsageError, 1179,
                 "a prompt in chunks of {} tokens has no room between begin and end; give it 3 or "
                 "more",
                 options.length);
  PromptTokens prompt{.ids = {}, .weights = {}, .length = options.length, .cut = ""};
  const std::vector<Tokens> sections = sections_of(codec, text, options.weighted);
  if (options.truncate) {
    truncate(prompt, codec, sections);
    return prompt;
  }
  const auto room = static_cast<std::size_t>(options.length - 2);
  for (const Tokens& section : sections) {
    std::size_t from = 0;
    while (section.size() - from > room) {
      const std::size_t end = chunk_end(codec, section, from, room);
      add_chunk(prompt, std::span(section).subspan(from, end - from), codec.special());
      from = end;
    }
    add_chunk(prompt, std::span(section).subspan(from), codec.special());
  }
  return prompt;
}

void pad_chunks(PromptTokens& prompt, std::int64_t chunks, const TextCodec& codec) {
  while (prompt.chunks < chunks) add_chunk(prompt, {}, codec.special());
}

}  // namespace gradatim::neural
