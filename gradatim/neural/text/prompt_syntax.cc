#include "gradatim/neural/text/prompt_syntax.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/neural/text/unicode.h"

namespace gradatim::neural {
namespace {

constexpr double kBracket = 1.1;
constexpr std::string_view kBreak = "BREAK";

// A pair of brackets: how it multiplies, and where its text ends: at the closing one, or at the
// colon in front of a number.
struct Bracket {
  std::size_t open = 0, close = 0, text_end = 0;
  double factor = 1.0;
};

bool is_escape(std::string_view text, std::size_t at) {
  return text[at] == '\\' && at + 1 < text.size() &&
         std::string_view("()[]\\").find(text[at + 1]) != std::string_view::npos;
}

[[noreturn]] void refuse_bracket(std::string_view text, std::size_t at, const char* lacks) {
  throw UsageError(1217, fmt::format("the prompt's '{}' at byte {} has no '{}'; add it, or write "
                                     "'\\{}' for one that is text",
                                     text[at], at, lacks, text[at]));
}

double checked_weight(double weight) {
  GRADATIM_CHECK(weight >= -kGreatestWeight && weight <= kGreatestWeight, UsageError, 1218,
                 "a part of the prompt has the weight {}; weights lie between {} and {}",
                 number_text(weight), -kGreatestWeight, kGreatestWeight);
  return weight;
}

// Takes the number in front of the closing bracket, if there is one with a colon before it.
void take_number(std::string_view text, Bracket& bracket) {
  const std::string_view inside = text.substr(bracket.open + 1, bracket.close - bracket.open - 1);
  constexpr std::string_view kNumeric = "0123456789+-.eE \t\r\n";
  const std::size_t colon = inside.find_last_not_of(kNumeric);
  if (colon == std::string_view::npos || inside[colon] != ':') return;
  std::string_view number = trim(inside.substr(colon + 1));
  if (number.find_first_of("0123456789") == std::string_view::npos) return;
  const std::string_view shown = number;
  if (number.starts_with('+')) number.remove_prefix(1);
  const auto weight = parse_number(number);
  GRADATIM_CHECK(weight, UsageError, 1218,
                 "the weight '{}' at byte {} of the prompt is no number; write one such as 1.3",
                 shown.substr(0, 40), shown.data() - text.data());
  bracket.factor = checked_weight(*weight);
  bracket.text_end = bracket.open + 1 + colon;
}

// In order of their opening. Each is looked back through only as far as the number within it.
std::vector<Bracket> brackets_of(std::string_view text) {
  std::vector<Bracket> all;
  std::vector<std::size_t> open;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (is_escape(text, at)) {
      ++at;
    } else if (c == '(' || c == '[') {
      open.push_back(all.size());
      all.push_back({.open = at});
    } else if (c == ')' || c == ']') {
      const bool round = c == ')';
      if (open.empty() || text[all[open.back()].open] != (round ? '(' : '[')) {
        refuse_bracket(text, at, round ? "(" : "[");
      }
      Bracket& own = all[open.back()];
      own.close = own.text_end = at;
      own.factor = round ? kBracket : 1.0 / kBracket;
      if (round) take_number(text, own);
      open.pop_back();
    }
  }
  if (!open.empty()) {
    const std::size_t at = all[open.back()].open;
    refuse_bracket(text, at, text[at] == '(' ? ")" : "]");
  }
  return all;
}

bool is_edge(std::string_view text, std::size_t at) {
  return at >= text.size() || std::string_view("()[] \t\r\n").find(text[at]) != text.npos;
}

bool is_break(std::string_view text, std::size_t at) {
  return text.substr(at).starts_with(kBreak) && (at == 0 || is_edge(text, at - 1)) &&
         is_edge(text, at + kBreak.size());
}

// Gathers characters into parts.
class Parts {
 public:
  void add(char c, double weight) {
    if (all_.empty() || starts_ || all_.back().weight != weight) {
      all_.push_back({.text = "", .weight = checked_weight(weight), .new_chunk = starts_});
      starts_ = false;
    }
    all_.back().text += c;
  }
  void start_chunk() { starts_ = true; }
  std::vector<PromptPart> take() { return std::move(all_); }

 private:
  std::vector<PromptPart> all_;
  bool starts_ = false;
};

}  // namespace

std::vector<PromptPart> parse_prompt(std::string_view text) {
  check_text(text);
  const std::vector<Bracket> brackets = brackets_of(text);
  std::vector<const Bracket*> open;
  std::vector<double> weights = {1.0};  // by depth: products are taken up, never divided back
  Parts parts;
  auto next = brackets.begin();
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!open.empty() && at == open.back()->text_end) {
      at = open.back()->close;
      open.pop_back();
      weights.pop_back();
    } else if (next != brackets.end() && at == next->open) {
      weights.push_back(weights.back() * next->factor);
      open.push_back(&*next++);
    } else if (is_break(text, at)) {
      parts.start_chunk();
      at += kBreak.size() - 1;
    } else {
      if (is_escape(text, at)) ++at;
      parts.add(text[at], weights.back());
    }
  }
  return parts.take();
}

}  // namespace gradatim::neural
