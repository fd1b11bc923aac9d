// docs/reference/: one page an export. No file or line in it: moving code changes nothing public.
#include <fmt/format.h>

#include <algorithm>

#include "gradatim/api/settings.h"
#include "gradatim/api/write/python.h"
#include "gradatim/api/write/writers.h"

namespace gradatim::api {
namespace {

using namespace write;

std::string cell(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '|') safe += '\\';
    safe += c;
  }
  return safe;
}

std::string row(std::vector<std::string> cells) {
  for (auto& text : cells) text = cell(text);
  return fmt::format("| {} |\n", joined(cells, " | "));
}

std::string page_path(std::string_view name) {
  std::string path(name);
  std::ranges::replace(path, '.', '/');
  return path + ".md";
}

std::string fact(std::string_view name, const std::string& value) {
  return value.empty() ? "" : row({std::string(name), value});
}

std::string code_list(std::span<const std::string> names) {
  return names.empty() ? "" : fmt::format("`{}`", joined(names, "`, `"));
}

std::string facts(const Entry& entry, const Registry& registry) {
  const Text& text = entry.text;
  std::string table = "| | |\n|---|---|\n";
  table += fact("kind", fmt::format("`{}`", entry.kind)) + fact("since", std::string(text.since));
  table += fact("also", code_list(words(text.aliases)));
  table += fact("deprecated", text.deprecated.empty() ? "" : registry.notice(text.name));
  table += fact("source", std::string(text.source)) + fact("shapes", std::string(text.shape));
  table += fact("errors", std::string(text.errors));
  table += fact("measured", std::string(text.measured));
  std::vector<std::string> python;
  for (const auto& task : tasks(entry)) {
    if (python_tag(entry).empty()) break;
    python.push_back(fmt::format("gradatim.{}.{}{}", first_segment(text.name), python_tag(entry),
                                 camel_case(task)));
  }
  python.push_back(python_module_name(entry) + "." + python_name(entry));
  return table + fact("Python", code_list(python));
}

std::string parameters(const Entry& entry) {
  if (entry.settings.empty()) return {};
  std::string table =
      "\n## Parameters\n\n| name | type | range | default | unit | meaning |\n"
      "|---|---|---|---|---|---|\n";
  for (const auto& setting : entry.settings) {
    const bool number = setting.type == Type::integer || setting.type == Type::real;
    std::string doc(setting.note.doc);
    const auto also = words(setting.note.alias);
    if (!also.empty()) doc += fmt::format(" Also {}.", code_list(also));
    if (!setting.note.deprecated.empty()) {
      doc += fmt::format(" Deprecated since {}.", setting.note.deprecated);
    }
    table +=
        row({fmt::format("`{}`", setting.name), type_text(setting),
             number ? to_text(setting.note.range) : "",
             fmt::format("`{}`", to_text(setting.initial())), std::string(setting.note.unit), doc});
  }
  return table;
}

std::string parts(const Entry& entry, const Registry& registry) {
  if (entry.parts.empty()) return {};
  std::string table =
      "\n## Parts\n\n| name | kind | default | choices | meaning |\n"
      "|---|---|---|---|---|\n";
  for (const auto& part : entry.parts) {
    std::vector<std::string> choices;
    for (const Entry* other : registry.list(part.kind)) choices.push_back(short_name(*other));
    table += row({fmt::format("`{}`", part.name), fmt::format("`{}`", part.kind),
                  fmt::format("`{}`", short_default(part)), joined(choices, ", "),
                  std::string(part.doc)});
  }
  return table;
}

std::string page(const Entry& entry, const Registry& registry) {
  std::string text =
      fmt::format("<!-- {} -->\n# {}\n\n{}\n", kGeneratedMark, entry.text.name, entry.text.summary);
  if (!entry.text.detail.empty()) text += fmt::format("\n{}\n", entry.text.detail);
  return text + "\n" + facts(entry, registry) + parameters(entry) + parts(entry, registry) +
         use_text(entry, registry);
}

}  // namespace

std::vector<GeneratedFile> reference_files(const Registry& registry) {
  std::vector<GeneratedFile> files;
  std::string index =
      fmt::format("<!-- {} -->\n# Reference\n\nEvery public name, by kind.\n", kGeneratedMark);
  for (const auto& kind : registry.kinds()) {
    index += fmt::format("\n## {}\n\n", kind);
    for (const Entry* entry : registry.list(kind)) {
      const auto path = page_path(entry->text.name);
      index += fmt::format("- [`{}`]({}): {}\n", entry->text.name, path, entry->text.summary);
      files.push_back({"docs/reference/" + path, page(*entry, registry)});
    }
  }
  files.push_back({"docs/reference/index.md", index});
  return files;
}

}  // namespace gradatim::api
