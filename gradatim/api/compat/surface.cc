#include "gradatim/api/compat/surface.h"

#include <fmt/format.h>

#include "gradatim/api/write/words.h"
#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::api::compat {
namespace {

// Takes what stands before `separator` off the front; all of the text where it does not occur.
std::string_view take(std::string_view& text, std::string_view separator) {
  const auto at = text.find(separator);
  const auto head = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view{} : text.substr(at + separator.size());
  return head;
}

bool consume(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::vector<std::string> listed(std::string_view text) {
  std::vector<std::string> items;
  for (const auto& item : split(text, ',')) items.emplace_back(trim(item));
  return items;
}

// "list of at most 3 reals in (0, 1)", "one of gini, error", "integer in [1, inf)".
bool read_type(std::string_view text, SettingSurface& setting) {
  std::string range;
  if (const auto in = text.find(" in "); in != std::string_view::npos) {
    range = text.substr(in + 4);
    text = text.substr(0, in);
  }
  if (consume(text, "list of at most ")) {
    setting.capacity = parse_integer(take(text, " "));
    if (!setting.capacity) return false;
    if (!text.starts_with("of ") && text.ends_with("s")) text.remove_suffix(1);
  }
  if (consume(text, "one of ") || consume(text, "of ")) {
    setting.type = "choice";
    setting.choices = listed(text);
    return true;
  }
  setting.type = std::string(text);
  if (text == "groups of features") return true;
  if (text.ends_with(" by feature")) text.remove_suffix(11);
  if (range.empty()) return text == "flag" || text == "integer" || text == "real";
  const auto read = read_range(range);
  if (read) setting.range = *read;
  return read.has_value();
}

// "delta : real in (0, inf) = 1  [label]  alias turn  deprecated 0.2"
std::optional<SettingSurface> read_setting(std::string_view line) {
  SettingSurface setting;
  setting.name = std::string(take(line, " : "));
  if (!read_type(take(line, " = "), setting)) return std::nullopt;
  setting.initial = std::string(take(line, "  "));
  while (!line.empty()) {
    auto field = take(line, "  ");
    if (consume(field, "[")) {
      setting.unit = std::string(field.substr(0, field.size() - 1));
    } else if (consume(field, "alias ")) {
      setting.aliases = write::words(field);
    } else if (consume(field, "deprecated ")) {
      setting.deprecated = std::string(field);
    } else {
      return std::nullopt;
    }
  }
  return setting;
}

bool read_line(std::string_view line, Surface& surface) {
  if (consume(line, "aliases: ")) {
    surface.aliases = write::words(line);
  } else if (consume(line, "deprecated: ")) {
    surface.deprecated = std::string(line);
  } else if (consume(line, "arguments: ")) {
    surface.arguments = write::words(line);
  } else if (consume(line, "errors: ")) {
    surface.errors = write::words(line);
  } else if (consume(line, "python: ")) {
    surface.python = std::string(line);
  } else if (consume(line, "part ")) {
    PartSurface part;
    part.name = std::string(take(line, " : "));
    part.kind = std::string(take(line, " = "));
    part.initial = std::string(line);
    surface.parts.push_back(part);
    return !part.initial.empty();
  } else {
    auto setting = read_setting(line);
    if (!setting) return false;
    surface.settings.push_back(std::move(*setting));
  }
  return true;
}

}  // namespace

std::optional<Range> read_range(std::string_view text) {
  if (text.size() < 5) return std::nullopt;
  const auto ends = split(text.substr(1, text.size() - 2), ',');
  if (ends.size() != 2) return std::nullopt;
  const auto low = parse_number(trim(ends[0]));
  const auto high = parse_number(trim(ends[1]));
  if (!low || !high) return std::nullopt;
  return Range{*low, *high, text.front() == '(', text.back() == ')'};
}

Surface read_surface(std::string_view text, const std::string& path) {
  Surface surface;
  int number = 0;
  for (const auto& raw : split(text, '\n')) {
    ++number;
    std::string_view line = raw;
    if (line.empty() || line.starts_with('#')) continue;
    bool good = true;
    if (surface.name.empty()) {
      surface.name = std::string(take(line, " : "));
      surface.kind = std::string(take(line, "   since "));
      surface.since = std::string(line);
      good = !surface.since.empty();
    } else {
      good = consume(line, "  ") && read_line(line, surface);
    }
    GRADATIM_CHECK(good, DataError, 2003,
                   "{}, line {}: not a line of a golden file: '{}'; 'gradatim api write' makes it "
                   "anew",
                   path, number, raw);
  }
  GRADATIM_CHECK(!surface.name.empty(), DataError, 2003,
                 "{}: an empty golden file; 'gradatim api write' makes it anew", path);
  return surface;
}

}  // namespace gradatim::api::compat
