#include "gradatim/neural/text/pieces.h"

#include <initializer_list>

#include "gradatim/neural/text/unicode.h"

namespace gradatim::neural {
namespace {

// The first of the words that begins at a byte of the text, or nothing.
std::string_view word_at(std::string_view text, std::size_t at,
                         std::initializer_list<std::string_view> words) {
  for (const auto word : words) {
    if (text.substr(at).starts_with(word)) return word;
  }
  return {};
}

// The byte behind the run of characters that `belongs` takes.
template <class Belongs>
std::size_t run_end(std::string_view text, std::size_t at, Belongs belongs) {
  while (at < text.size()) {
    const Character next = character_at(text, at);
    if (!belongs(next)) break;
    at += next.length;
  }
  return at;
}

bool is_punctuation(const Character& c) {
  return c.kind == CharacterKind::mark || c.kind == CharacterKind::other;
}

bool in_word(const Character& c) {
  return c.kind == CharacterKind::letter || c.kind == CharacterKind::number ||
         c.kind == CharacterKind::mark;
}

// Length of an apostrophe with a word behind it; 0: none.
std::size_t apostrophe(std::string_view text, std::size_t at) {
  const auto sign = word_at(text, at, {"'", "\u2019"});
  const std::size_t behind = at + sign.size();
  if (sign.empty() || behind >= text.size()) return 0;
  return in_word(character_at(text, behind)) ? sign.size() : 0;
}

}  // namespace

std::vector<std::string_view> clip_pieces(std::string_view text) {
  std::vector<std::string_view> pieces;
  for (std::size_t at = 0; at < text.size();) {
    const auto add = [&](std::size_t end) {
      pieces.push_back(text.substr(at, end - at));
      at = end;
    };
    // Spelled otherwise than the token itself, which was taken out of the text before: CLIP's
    // expression finds the whole word, and that of GPT-2, which is applied next, cuts it in three.
    const auto whole = word_at(text, at, {"<|startoftext|>", "<|endoftext|>"});
    if (!whole.empty()) {
      const std::size_t end = at + whole.size();
      add(at + 2);
      add(end - 2);
      add(end);
      continue;
    }
    const auto ending = word_at(text, at, {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"});
    const Character next = character_at(text, at);
    if (!ending.empty()) {
      add(at + ending.size());
    } else if (next.kind == CharacterKind::letter) {
      add(run_end(text, at, [](const auto& c) { return c.kind == CharacterKind::letter; }));
    } else if (next.kind == CharacterKind::number) {
      add(at + next.length);
    } else if (next.kind == CharacterKind::space) {
      at += next.length;
    } else {
      add(run_end(text, at, is_punctuation));
    }
  }
  return pieces;
}

std::vector<std::string_view> word_pieces(std::string_view text) {
  std::vector<std::string_view> pieces;
  for (std::size_t at = 0; at < text.size();) {
    const Character next = character_at(text, at);
    std::size_t end = at + next.length;
    if (in_word(next)) {
      end = run_end(text, at, in_word);
      while (const std::size_t sign = apostrophe(text, end)) {
        end = run_end(text, end + sign, in_word);
      }
    }
    if (next.kind != CharacterKind::space) pieces.push_back(text.substr(at, end - at));
    at = end;
  }
  return pieces;
}

}  // namespace gradatim::neural
