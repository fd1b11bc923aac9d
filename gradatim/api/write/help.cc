// The page that `gradatim describe NAME` prints.
#include <fmt/format.h>

#include <algorithm>

#include "gradatim/api/settings.h"
#include "gradatim/api/write/words.h"
#include "gradatim/api/write/writers.h"

namespace gradatim::api {
namespace {

using namespace write;

constexpr std::size_t kWidth = 88;

std::string fact(std::string_view name, std::string_view text) {
  if (text.empty()) return {};
  return wrapped(text, kWidth, std::string(12, ' '), fmt::format("  {:<10}", name));
}

std::string paragraph(std::string_view text) {
  return text.empty() ? "" : "\n" + wrapped(text, kWidth, "  ");
}

std::string one(const Setting& setting) {
  std::string type = type_text(setting);
  const auto bounds = range_and_unit(setting);
  if (!bounds.empty()) type += " " + bounds;
  std::string text = fmt::format("  {} = {}\n", setting.name, to_text(setting.initial()));
  text += wrapped(type, kWidth, "      ");
  text += wrapped(setting.note.doc, kWidth, "      ");
  if (!setting.note.alias.empty()) {
    text += fmt::format("      Also: {}.\n", joined(words(setting.note.alias), ", "));
  }
  if (!setting.note.deprecated.empty()) {
    text += fmt::format("      Deprecated since {}.\n", setting.note.deprecated);
  }
  return text;
}

std::string one(const Part& part, const Registry& registry) {
  std::vector<std::string> choices;
  for (const Entry* entry : registry.list(part.kind)) choices.push_back(short_name(*entry));
  std::string text = fmt::format("  {} = {}\n", part.name, short_default(part));
  text += wrapped(fmt::format("{}: {}", part.kind, joined(choices, ", ")), kWidth, "      ");
  return text + wrapped(part.doc, kWidth, "      ");
}

std::string arguments(const Entry& entry) {
  return entry.signature.empty()
             ? ""
             : fmt::format("{}({})", short_name(entry), joined(words(entry.signature), ", "));
}

}  // namespace

std::string help_text(const Entry& entry, const Registry& registry) {
  const Text& text = entry.text;
  std::string page = fmt::format("{} ({}, since {})\n", text.name, entry.kind, text.since);
  if (!text.deprecated.empty()) page += "  " + registry.notice(text.name) + "\n";
  page += paragraph(text.summary) + paragraph(text.detail) + "\n";
  page += fact("also", joined(words(text.aliases), ", "));
  page += fact("call", arguments(entry));
  page += fact("source", text.source) + fact("shapes", text.shape) + fact("errors", text.errors);
  page += fact("measured", text.measured);
  page += fact("declared", fmt::format("{}:{}", entry.file, entry.line));
  if (!entry.settings.empty()) page += "\nsettings\n";
  for (const auto& setting : entry.settings) page += one(setting);
  if (!entry.parts.empty()) page += "\nparts\n";
  for (const auto& part : entry.parts) page += one(part, registry);
  return page;
}

}  // namespace gradatim::api
