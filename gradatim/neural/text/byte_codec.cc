#include "gradatim/neural/text/byte_codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/message.h"
#include "gradatim/neural/text/byte_table.h"
#include "gradatim/neural/text/pieces.h"
#include "gradatim/neural/text/unicode.h"

namespace gradatim::neural {
namespace {

// Every byte that begins no character as U+FFFD: tokens in any order may spell what is not UTF-8.
std::string as_utf8(std::string_view bytes) {
  std::string text;
  while (const auto bad = invalid_utf8(bytes)) {
    text += bytes.substr(0, *bad);
    text += "\uFFFD";
    bytes.remove_prefix(*bad + 1);
  }
  return text.append(bytes);
}

}  // namespace

ByteCodec::ByteCodec(BytePairs pairs, const std::string& source) : pairs_(std::move(pairs)) {
  for (std::size_t k = 0; k < pairs_.tokens.size(); ++k) {
    const bool fresh = numbers_.emplace(pairs_.tokens[k], static_cast<std::int64_t>(k)).second;
    GRADATIM_CHECK(fresh, ModelError, 3069, "{}: the token '{}' is there twice", source,
                   data::shown(pairs_.tokens[k]));
  }
  for (const auto& [left, right] : pairs_.merges) {
    const auto merged = number_of(left + right);
    const auto first = number_of(left), second = number_of(right);
    GRADATIM_CHECK(first >= 0 && second >= 0 && merged >= 0, ModelError, 3069,
                   "{}: the merge of '{}' and '{}' names a token that the vocabulary lacks", source,
                   data::shown(left), data::shown(right));
    merges_.add(first, second, merged);
  }
  const auto special = [&](const std::string& token) {
    const auto number = number_of(token);
    GRADATIM_CHECK(number >= 0, ModelError, 3069, "{}: the vocabulary lacks the token '{}'", source,
                   token);
    return number;
  };
  special_ = {special(pairs_.begin), special(pairs_.end), special(pairs_.pad)};
  unknown_ = special(pairs_.unknown);
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const auto or_unknown = [&](std::int64_t number) { return number < 0 ? unknown_ : number; };
    inner_[byte] = or_unknown(number_of(byte_characters()[byte]));
    last_[byte] = or_unknown(number_of(byte_characters()[byte] + kWordEnd));
  }
  for (const auto& word : pairs_.added) {
    Added added{normalised(word.front(), pairs_.lower_case), {}};
    for (const auto& token : word) added.tokens.push_back(special(token));
    added_.push_back(std::move(added));
  }
  std::ranges::stable_sort(
      added_, [](const Added& a, const Added& b) { return a.spelled.size() > b.spelled.size(); });
}

std::int64_t ByteCodec::number_of(const std::string& token) const {
  const auto found = numbers_.find(token);
  return found == numbers_.end() ? -1 : found->second;
}

bool ByteCodec::stands_for_no_text(std::int64_t token) const {
  return token == special_.begin || token == special_.end || token == special_.pad ||
         token == unknown_;
}

std::vector<ByteCodec::Section> ByteCodec::sections(std::string_view text) const {
  std::vector<Section> found;
  std::size_t from = 0, at = 0;
  while (at < text.size()) {
    const std::string* longest = nullptr;
    for (const auto* token : {&pairs_.begin, &pairs_.end, &pairs_.pad, &pairs_.unknown}) {
      const bool here = !token->empty() && text.substr(at).starts_with(*token);
      if (here && (longest == nullptr || token->size() > longest->size())) longest = token;
    }
    if (longest == nullptr) {
      ++at;
      continue;
    }
    found.push_back({text.substr(from, at - from), number_of(*longest)});
    from = at += longest->size();
  }
  found.push_back({text.substr(from)});
  return found;
}

void ByteCodec::add_text(std::string_view normal, std::vector<std::int64_t>& tokens) const {
  const auto add_plain = [&](std::string_view text) {
    for (const auto piece : clip_pieces(text)) add_piece(piece, tokens);
  };
  std::size_t from = 0;
  for (std::size_t at = 0; at < normal.size() && !added_.empty();) {
    const auto here = std::ranges::find_if(added_, [&](const Added& added) {
      return !added.spelled.empty() && normal.substr(at).starts_with(added.spelled);
    });
    if (here == added_.end()) {
      ++at;
      continue;
    }
    add_plain(normal.substr(from, at - from));
    tokens.insert(tokens.end(), here->tokens.begin(), here->tokens.end());
    from = at += here->spelled.size();
  }
  add_plain(normal.substr(from));
}

void ByteCodec::add_piece(std::string_view piece, std::vector<std::int64_t>& tokens) const {
  std::vector<std::int64_t> symbols;
  for (const char byte : piece) symbols.push_back(inner_[static_cast<std::uint8_t>(byte)]);
  symbols.back() = last_[static_cast<std::uint8_t>(piece.back())];
  symbols = merges_.apply(symbols);
  tokens.insert(tokens.end(), symbols.begin(), symbols.end());
}

std::vector<std::int64_t> ByteCodec::tokens(std::string_view text) const {
  check_text(text);
  std::vector<std::int64_t> all;
  for (const Section& section : sections(text)) {
    add_text(normalised(section.text, pairs_.lower_case), all);
    if (section.token >= 0) all.push_back(section.token);
  }
  return all;
}

std::string ByteCodec::normal(std::string_view text) const {
  check_text(text);
  std::string joined;
  for (const Section& section : sections(text)) {
    const std::string normal = normalised(section.text, pairs_.lower_case);
    for (const auto piece : clip_pieces(normal)) {
      if (!joined.empty()) joined += ' ';
      joined += piece;
    }
  }
  return joined;
}

std::string ByteCodec::decode(std::span<const std::int64_t> tokens) const {
  const std::string_view end = kWordEnd;
  std::string text;
  for (const auto token : tokens) {
    GRADATIM_CHECK(token >= 0 && token < vocabulary(), DataError, 2098,
                   "the vocabulary has {} tokens, none of them number {}", vocabulary(), token);
    if (stands_for_no_text(token)) continue;
    std::string_view symbol = pairs_.tokens[static_cast<std::size_t>(token)];
    const bool last = symbol.ends_with(end);
    if (last) symbol.remove_suffix(end.size());
    text += bytes_of(symbol);
    if (last) text += ' ';
  }
  if (text.ends_with(' ')) text.pop_back();
  return as_utf8(text);
}

std::string ByteCodec::store() const {
  return nlohmann::json{{"tokenizer", "neural.tokenizer.bytes"},
                        {"tokens", pairs_.tokens},
                        {"merges", pairs_.merges},
                        {"begin", pairs_.begin},
                        {"end", pairs_.end},
                        {"pad", pairs_.pad},
                        {"unknown", pairs_.unknown},
                        {"lower_case", pairs_.lower_case}}
      .dump();
}

}  // namespace gradatim::neural
