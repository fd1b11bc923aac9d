#include "gradatim/api/write/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/api/settings.h"
#include "gradatim/core/text.h"

namespace gradatim::api::write {
namespace {

// Columns that UTF-8 text takes: its bytes that do not continue a character.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t width, std::string_view indent,
                    std::string_view first) {
  std::string out;
  std::string line(first.empty() ? indent : first);
  std::size_t used = columns(line);
  bool fresh = true;
  for (const auto& word : words(text)) {
    const std::size_t size = columns(word);
    if (!fresh && used + 1 + size > width) {
      out += line + "\n";
      line = indent;
      used = columns(line);
      fresh = true;
    }
    line += (fresh ? "" : " ") + word;
    used += size + (fresh ? 0 : 1);
    fresh = false;
  }
  return out + line + "\n";
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> list;
  std::string flat(text);
  std::ranges::replace(flat, '\n', ' ');
  for (auto& word : split(flat, ' ')) {
    if (!word.empty()) list.push_back(std::move(word));
  }
  return list;
}

std::string joined(std::span<const std::string> words, std::string_view separator) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += separator;
    text += words[i];
  }
  return text;
}

std::string camel_case(std::string_view snake_case) {
  std::string name;
  bool up = true;
  for (const char c : snake_case) {
    if (c == '_' || c == '.') {
      up = true;
      continue;
    }
    name += up && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    up = false;
  }
  return name;
}

std::string_view first_segment(std::string_view name) { return name.substr(0, name.find('.')); }
std::string_view last_segment(std::string_view name) { return name.substr(name.rfind('.') + 1); }

std::string short_name(const Entry& entry) {
  const std::string prefix = std::string(entry.kind) + ".";
  if (entry.text.name.starts_with(prefix))
    return std::string(entry.text.name.substr(prefix.size()));
  return std::string(last_segment(entry.text.name));
}

std::string short_default(const Part& part) { return std::string(last_segment(part.initial)); }

std::string range_and_unit(const Setting& setting) {
  std::string text;
  const Range& range = setting.note.range;
  const bool number = setting.type == Type::integer || setting.type == Type::real;
  if (number && !(std::isinf(range.low) && std::isinf(range.high))) text = "in " + to_text(range);
  if (!setting.note.unit.empty())
    text += fmt::format("{}[{}]", text.empty() ? "" : " ", setting.note.unit);
  return text;
}

std::vector<std::string> codes(std::string_view errors) {
  std::vector<std::string> found;
  for (auto at = errors.find("GRD-"); at != std::string_view::npos;
       at = errors.find("GRD-", at + 1)) {
    found.emplace_back(errors.substr(at, 8));
  }
  std::ranges::sort(found);
  return found;
}

User user_of(std::string_view kind, const Registry& registry) {
  User other;
  for (const Entry* entry : registry.list()) {
    for (const auto& part : entry->parts) {
      if (part.kind != kind || entry->kind == kind) continue;
      // Of several users one of the kind's own package is the plainest.
      if (first_segment(entry->text.name) == first_segment(kind)) return {entry, &part};
      if (other.entry == nullptr) other = {entry, &part};
    }
  }
  return other;
}

bool is_model(const Entry& entry, const Registry& registry) {
  return entry.signature.empty() && user_of(entry.kind, registry).entry == nullptr;
}

std::string python_tag(const Entry& entry) {
  for (const auto& tag : words(entry.text.tags)) {
    if (tag.starts_with("python:")) return tag.substr(7);
  }
  return {};
}

std::vector<std::string> tasks(const Entry& entry) {
  static constexpr std::string_view kTasks[] = {"classifier", "regressor", "ranker", "survival"};
  std::vector<std::string> found;
  for (const auto& tag : words(entry.text.tags)) {
    if (std::ranges::find(kTasks, tag) != std::end(kTasks)) found.push_back(tag);
  }
  return found;
}

bool learns_samples(const Entry& entry) {
  const auto tags = words(entry.text.tags);
  return std::ranges::find(tags, "samples") != tags.end();
}

bool is_flow(const Entry& entry) {
  const auto tags = words(entry.text.tags);
  return std::ranges::find(tags, "flow") != tags.end();
}

bool is_latent(const Entry& entry) {
  const auto tags = words(entry.text.tags);
  return std::ranges::find(tags, "latent") != tags.end();
}

bool has_codes(const Entry& entry) {
  const auto tags = words(entry.text.tags);
  return std::ranges::find(tags, "codes") != tags.end();
}

bool tells_labels(const Entry& entry) {
  const auto tags = words(entry.text.tags);
  return std::ranges::find(tags, "labels") != tags.end();
}

}  // namespace gradatim::api::write
