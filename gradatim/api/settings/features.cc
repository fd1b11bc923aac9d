#include "gradatim/api/internal/features.h"

#include "gradatim/api/settings.h"
#include "gradatim/core/text.h"

namespace gradatim::api::internal {
namespace {

constexpr std::string_view kSeparators = ",;:\"[]{}";

std::string quoted(const std::string& name) {
  const bool plain = name.find_first_of(kSeparators) == std::string::npos && trim(name) == name;
  if (plain && !name.empty()) return name;
  std::string text = "\"";
  for (const char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

// Cuts at `separator` outside quotes.
std::vector<std::string_view> cut(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  bool inside = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') inside = !inside;
    if (text[i] != separator || inside) continue;
    pieces.push_back(trim(text.substr(begin, i - begin)));
    begin = i + 1;
  }
  pieces.push_back(trim(text.substr(begin)));
  return pieces;
}

std::string unquoted(std::string_view text) {
  text = trim(text);
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  std::string name;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '"') ++i;
    name += text[i];
  }
  return name;
}

std::string_view without_brackets(std::string_view text) {
  text = trim(text);
  for (const std::string_view pair : {"{}", "[]", "()"}) {
    if (text.starts_with(pair[0]) && text.ends_with(pair[1])) {
      return trim(text.substr(1, text.size() - 2));
    }
  }
  return text;
}

}  // namespace

std::string named_text(const ByName& items) {
  if (items.empty()) return "{}";
  std::string text;
  for (const auto& [name, item] : items) {
    const auto number = std::visit([](const auto& x) { return to_text(Value(x)); }, item);
    text += (text.empty() ? "" : ",") + (name.empty() ? number : quoted(name) + ":" + number);
  }
  return text;
}

std::string groups_text(const Groups& groups) {
  if (groups.empty()) return "[]";
  std::string text;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (g > 0) text += ';';
    for (std::size_t i = 0; i < groups[g].size(); ++i) {
      text += (i > 0 ? "," : "") + quoted(groups[g][i]);
    }
  }
  return text;
}

std::vector<std::pair<std::string, std::string>> parse_named(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> items;
  text = without_brackets(text);
  if (text.empty()) return items;
  for (const auto piece : cut(text, ',')) {
    // The last colon outside quotes: a name may be unquoted and hold a colon.
    const auto last = cut(piece, ':').back();
    auto name = trim(piece.substr(0, static_cast<std::size_t>(last.data() - piece.data())));
    if (name.ends_with(':')) name.remove_suffix(1);
    items.emplace_back(unquoted(name), std::string(last));
  }
  return items;
}

Groups parse_groups(std::string_view text) {
  Groups groups;
  text = trim(text);
  if (text.empty() || text == "[]" || text == "{}") return groups;
  for (const auto group : cut(text, ';')) {
    groups.emplace_back();
    for (const auto name : cut(group, ',')) groups.back().push_back(unquoted(name));
  }
  return groups;
}

Form form_of(const Value& value) {
  if (std::holds_alternative<ByName>(value)) return Form::by_feature;
  if (std::holds_alternative<Groups>(value)) return Form::groups;
  return std::holds_alternative<std::vector<Scalar>>(value) ? Form::list : Form::one;
}

}  // namespace gradatim::api::internal
