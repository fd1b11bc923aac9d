// api/golden/NAME.txt: what others depend on, without prose, so that rewording never trips it.
//
//   boost.loss.huber : boost.loss   since 0.1
//     delta : real in (0, inf) = 1  [label]
//     errors: GRD-2004
#include <fmt/format.h>

#include "gradatim/api/settings.h"
#include "gradatim/api/write/words.h"
#include "gradatim/api/write/writers.h"

namespace gradatim::api {
namespace {

using namespace write;

std::string line(const Setting& setting) {
  std::string text = fmt::format("  {} : {}", setting.name, type_text(setting));
  Setting bare = setting;
  bare.note.unit = {};
  const auto range = range_and_unit(bare);
  if (!range.empty()) text += " " + range;
  text += " = " + to_text(setting.initial());
  if (!setting.note.unit.empty()) text += fmt::format("  [{}]", setting.note.unit);
  if (!setting.note.alias.empty()) text += "  alias " + joined(words(setting.note.alias), " ");
  if (!setting.note.deprecated.empty())
    text += fmt::format("  deprecated {}", setting.note.deprecated);
  return text + "\n";
}

std::string fact(std::string_view name, std::string_view value) {
  return value.empty() ? "" : fmt::format("  {}: {}\n", name, value);
}

}  // namespace

std::string golden_text(const Entry& entry) {
  std::string text = fmt::format("# {}\n{} : {}   since {}\n", kGeneratedMark, entry.text.name,
                                 entry.kind, entry.text.since);
  text += fact("aliases", joined(words(entry.text.aliases), " "));
  text += fact("deprecated", entry.text.deprecated);
  text += fact("arguments", joined(words(entry.signature), " "));
  for (const auto& setting : entry.settings) text += line(setting);
  for (const auto& part : entry.parts) {
    text += fmt::format("  part {} : {} = {}\n", part.name, part.kind, part.initial);
  }
  if (!python_tag(entry).empty()) {
    text += fact("python", python_tag(entry) + " " + joined(tasks(entry), " "));
  }
  return text + fact("errors", joined(codes(entry.text.errors), " "));
}

std::vector<GeneratedFile> golden_files(const Registry& registry) {
  std::vector<GeneratedFile> files;
  for (const Entry* entry : registry.list()) {
    files.push_back({fmt::format("api/golden/{}.txt", entry->text.name), golden_text(*entry)});
  }
  return files;
}

}  // namespace gradatim::api
