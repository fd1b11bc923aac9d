#include "gradatim/api/write/python.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradatim/api/settings.h"
#include "gradatim/api/write/writers.h"

namespace gradatim::api::write {
namespace {

constexpr std::size_t kWidth = 100;

std::string scalar(const Scalar& x) {
  if (const auto* flag = std::get_if<bool>(&x)) return *flag ? "True" : "False";
  if (const auto* word = std::get_if<std::string>(&x)) return fmt::format("\"{}\"", *word);
  std::string text = std::visit([](const auto& v) { return to_text(Value(v)); }, x);
  const bool real = std::holds_alternative<double>(x);
  if (real && text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::string element_type(const Setting& setting) {
  if (setting.type == Type::flag) return "bool";
  if (setting.type == Type::integer) return "int";
  if (setting.type == Type::real) return "float";
  if (setting.type == Type::text) return "str";
  std::vector<std::string> quoted;
  for (const auto choice : setting.choices) quoted.push_back(fmt::format("\"{}\"", choice));
  return fmt::format("Literal[{}]", joined(quoted, ", "));
}

// "name: Literal[...] = x," over several lines where one is too long.
std::string argument_line(const PythonArgument& argument, const std::string& indent) {
  std::string type = argument.type;
  const auto line = [&] {
    return fmt::format(
        "{}{}{}{}{},\n", indent, argument.name, type.empty() ? "" : ": ", type,
        argument.initial.empty() ? "" : (type.empty() ? "=" : " = ") + argument.initial);
  };
  const auto open = type.find("Literal[");
  if (line().size() <= kWidth + 1 || open == std::string::npos) return line();
  std::string words = type.substr(open + 8);
  const std::string rest = words.substr(words.find(']'));
  words.resize(words.find(']'));
  type.resize(open + 8);
  type += "\n";
  for (std::size_t at = 0; at != std::string::npos;) {
    const auto comma = words.find(", ", at);
    type += fmt::format("{}    {},\n", indent, words.substr(at, comma - at));
    at = comma == std::string::npos ? comma : comma + 2;
  }
  type += indent + rest;
  return line();
}

}  // namespace

std::string python_value(const Value& value) {
  if (std::holds_alternative<ByName>(value) || std::holds_alternative<Groups>(value)) return "()";
  const auto* items = std::get_if<std::vector<Scalar>>(&value);
  if (items == nullptr) {
    return std::visit(
        [](const auto& x) -> std::string {
          if constexpr (std::is_constructible_v<Scalar, decltype(x)>) return scalar(x);
          return {};
        },
        value);
  }
  std::string text = "(";
  for (std::size_t i = 0; i < items->size(); ++i) text += (i > 0 ? ", " : "") + scalar((*items)[i]);
  return text + (items->size() == 1 ? ",)" : ")");
}

PythonArgument python_argument(const Setting& setting) {
  const std::string one = element_type(setting);
  std::string doc(setting.note.doc);
  Setting bare = setting;
  bare.note.unit = {};
  const auto range = range_and_unit(bare);
  if (!range.empty()) doc += " I" + range.substr(1) + ".";
  if (!setting.note.unit.empty()) doc += fmt::format(" Unit: {}.", setting.note.unit);
  if (setting.form == Form::list) doc += fmt::format(" At most {} of them.", setting.capacity);
  if (!setting.note.deprecated.empty()) {
    doc += fmt::format(" Deprecated since {}.", setting.note.deprecated);
  }
  std::string type = one;
  if (setting.form == Form::list) type = fmt::format("Sequence[{}]", one);
  if (setting.form == Form::by_feature)
    type = fmt::format("Mapping[str, {0}] | Sequence[{0}]", one);
  if (setting.form == Form::groups) type = fmt::format("Sequence[Sequence[{}]]", one);
  return {std::string(setting.name), type, python_value(setting.initial()), doc};
}

PythonArgument python_argument(const Part& part, const Registry& registry) {
  std::vector<std::string> choices;
  for (const Entry* entry : registry.list(part.kind)) choices.push_back(short_name(*entry));
  return {
      std::string(part.name), "PartLike", fmt::format("\"{}\"", short_default(part)),
      fmt::format("{} One of {}, an object of {}, or your own.", part.doc, joined(choices, ", "),
                  python_module_name(*registry.list(part.kind).front()))};
}

std::string python_signature(const std::vector<std::string>& leading,
                             const std::vector<PythonArgument>& arguments,
                             std::string_view indent) {
  const std::string inner = std::string(indent) + "    ";
  std::string text = "(\n";
  for (const auto& word : leading) text += fmt::format("{}{},\n", inner, word);
  for (const auto& argument : arguments) text += argument_line(argument, inner);
  return text + std::string(indent) + ")";
}

std::string python_import(std::string_view module, const std::vector<std::string>& names) {
  const auto line = fmt::format("from {} import {}\n", module, joined(names, ", "));
  if (line.size() <= kWidth + 1) return line;
  return fmt::format("from {} import (\n    {},\n)\n", module, joined(names, ",\n    "));
}

std::string python_module(std::string_view doc, std::string_view body,
                          const std::vector<std::string>& names,
                          const std::vector<std::string>& imports) {
  // Characters that ruff takes for a slip of the keyboard are meant here.
  static constexpr std::string_view kLookalikes[] = {"×", "–", "−", "’", "‘", "∗", "α", "σ", "ρ"};
  const bool lookalike = std::ranges::any_of(
      kLookalikes, [&](auto c) { return body.find(c) != std::string_view::npos; });
  std::string text = fmt::format("# {}\n{}\"\"\"{}\"\"\"\n\n", kGeneratedMark,
                                 lookalike ? "# ruff: noqa: RUF002\n" : "", doc);
  std::vector<std::string> typing;
  for (const std::string_view name : {"ClassVar", "Literal"}) {
    if (body.find(fmt::format("{}[", name)) != std::string_view::npos) typing.emplace_back(name);
  }
  std::string standard;
  std::vector<std::string> collections;
  for (const std::string_view name : {"Mapping", "Sequence"}) {
    if (body.find(fmt::format("{}[", name)) != std::string_view::npos)
      collections.emplace_back(name);
  }
  if (!collections.empty()) standard += python_import("collections.abc", collections);
  if (!typing.empty()) standard += python_import("typing", typing);
  if (!standard.empty()) text += standard + "\n";
  for (const auto& line : imports) text += line;
  text += imports.empty() ? "__all__ = [\n" : "\n__all__ = [\n";
  for (const auto& name : names) text += fmt::format("    \"{}\",\n", name);
  return text + "]\n" + std::string(body);
}

std::string python_module_name(const Entry& entry) {
  auto kind = std::string(entry.kind.substr(entry.kind.find('.') + 1));  // all of it without a dot
  std::ranges::replace(kind, '.', '_');
  return fmt::format("gradatim.{}.{}", first_segment(entry.text.name), kind);
}

std::string python_name(const Entry& entry) {
  const auto last = last_segment(entry.text.name);
  return entry.signature.empty() ? camel_case(last) : std::string(last);
}

}  // namespace gradatim::api::write
