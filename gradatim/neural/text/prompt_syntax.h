// Weights within a prompt, in the syntax that users of Stable Diffusion's web interfaces know:
//
//   (words)  1.1 times      ((words))  1.21 times      [words]  1 / 1.1 times
//   (words:1.3)  1.3 times; a colon without a number behind it is text
//   \( \) \[ \] \\  the character itself; any other backslash is text
//   BREAK  what follows begins a new chunk of tokens
//
// Brackets nest and their weights multiply. One that has no counterpart is an error rather than
// text, so that no weight is lost without a word.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gradatim::neural {

/// Weights lie between this and its negative.
inline constexpr double kGreatestWeight = 10.0;

struct PromptPart {
  std::string text;
  double weight = 1.0;
  bool new_chunk = false;  // BREAK lies in front
};

/// Parts in the order of the text, neighbours of one weight as one; no part for no text. In time
/// and memory that grow with the text alone, however deep its brackets. UsageError GRD-1217 for a
/// bracket without its counterpart, GRD-1218 for a weight that is no number of that range; errors
/// of check_text().
std::vector<PromptPart> parse_prompt(std::string_view text);

}  // namespace gradatim::neural
