#include <fmt/format.h>

#include "gradatim/api/write/python.h"

namespace gradatim::api::write {
namespace {

constexpr std::size_t kWidth = 100;

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

}  // namespace

void Docstring::paragraph(std::string_view text) {
  if (text.empty()) return;
  const bool first = text_.empty();
  const auto lines = wrapped(text, kWidth, indent_, first ? indent_ + "\"\"\"" : indent_);
  text_ += first ? lines.substr(indent_.size() + 3) : "\n" + lines;
}

void Docstring::text(std::string_view text, std::string_view hanging) {
  text_ += wrapped(text, kWidth, indent_ + std::string(hanging), indent_);
}

void Docstring::section(std::string_view title) {
  text_ += fmt::format("\n{0}{1}\n{0}{2}\n", indent_, title, std::string(title.size(), '-'));
}

void Docstring::item(std::string_view name, std::string_view doc) {
  verbatim(name);
  text_ += wrapped(doc, kWidth, indent_ + "    ");
}

void Docstring::parameters(const std::vector<PythonArgument>& arguments) {
  if (arguments.empty()) return;
  section("Parameters");
  for (const auto& argument : arguments) {
    const auto initial = argument.initial.empty() ? "" : ", default=" + argument.initial;
    text_ += wrapped(fmt::format("{} : {}{}", argument.name, argument.type, initial), kWidth,
                     indent_ + "        ", indent_);
    text_ += wrapped(argument.doc, kWidth, indent_ + "    ");
  }
}

void Docstring::verbatim(std::string_view line) { text_ += fmt::format("{}{}\n", indent_, line); }

std::string Docstring::quoted() const {
  const bool raw = text_.find('\\') != std::string::npos;
  return fmt::format("{0}{1}\"\"\"{2}{0}\"\"\"\n", indent_, raw ? "r" : "",
                     replaced(text_, "\"\"\"", "'''"));
}

void describe_source(Docstring& doc, const Entry& entry) {
  const Text& text = entry.text;
  doc.section("Notes");
  std::string notes = fmt::format("`{}`", text.name);
  if (!text.aliases.empty()) notes += ", also `" + joined(words(text.aliases), "`, `") + "`";
  notes += fmt::format(", since {}.", text.since);
  if (!text.deprecated.empty()) {
    notes += fmt::format(" Deprecated since {}{}.", text.deprecated,
                         text.replaced_by.empty() ? "" : fmt::format("; use {}", text.replaced_by));
  }
  if (!text.shape.empty()) notes += fmt::format(" Shapes: {}.", text.shape);
  if (!text.errors.empty()) notes += fmt::format(" Errors: {}.", text.errors);
  if (!text.measured.empty()) notes += fmt::format(" Measured: {}.", text.measured);
  doc.text(notes);
  doc.section("References");
  doc.text(fmt::format(".. [1] {}", text.source), "   ");
}

}  // namespace gradatim::api::write
