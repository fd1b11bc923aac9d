// python/gradatim/PACKAGE/KIND.py: a class a component, a function an exported function.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "gradatim/api/write/python.h"
#include "gradatim/api/write/writers.h"

namespace gradatim::api {
namespace write {

void sort_names(std::vector<std::string>& names) {
  const auto rank = [](const std::string& name) {
    const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
    if (name.size() > 1 && std::ranges::none_of(name, lower)) return 0;
    return name.front() >= 'A' && name.front() <= 'Z' ? 1 : 2;
  };
  std::ranges::sort(names, {},
                    [&](const std::string& name) { return std::pair(rank(name), name); });
}

}  // namespace write

namespace {

using namespace write;

std::string component_class(const Entry& entry, const Registry& registry) {
  std::vector<PythonArgument> arguments;
  for (const auto& setting : entry.settings) arguments.push_back(python_argument(setting));
  for (const auto& part : entry.parts) arguments.push_back(python_argument(part, registry));
  Docstring doc("    ");
  doc.paragraph(entry.text.summary);
  doc.paragraph(entry.text.detail);
  doc.parameters(arguments);
  describe_source(doc, entry);
  std::string text = fmt::format("\n\nclass {}(Component):\n{}\n    _component = \"{}\"\n",
                                 python_name(entry), doc.quoted(), entry.text.name);
  if (arguments.empty()) return text;
  text += "\n    def __init__" + python_signature({"self", "*"}, arguments, "    ") + " -> None:\n";
  for (const auto& argument : arguments)
    text += fmt::format("        self.{0} = {0}\n", argument.name);
  return text;
}

// "sample_weight" may be left out, and so may whatever is written "name=None".
std::vector<PythonArgument> function_arguments(const Entry& entry) {
  std::vector<PythonArgument> arguments;
  for (const auto& word : words(entry.signature)) {
    const auto name = word.substr(0, word.find('='));
    const bool optional = name != word || name == "sample_weight";
    arguments.push_back(
        {name, optional ? "ArrayLike | None" : "ArrayLike", optional ? "None" : "",
         name == "sample_weight" ? "Weight of each row; None means 1." : "Shape: see the notes."});
  }
  return arguments;
}

// The function of _core.py that those of a kind call.
std::string caller(std::string_view kind) {
  if (kind == "process.metric") return "compare_samples";
  return fmt::format("call_{}", last_segment(kind));
}

std::string function_definition(const Entry& entry) {
  auto arguments = function_arguments(entry);
  std::vector<std::string> names;
  for (const auto& argument : arguments) names.push_back(argument.name);
  auto accepted = arguments;
  if (!entry.settings.empty()) accepted.push_back({.name = "*"});
  for (const auto& setting : entry.settings) {
    const auto argument = python_argument(setting);
    arguments.push_back(argument);
    accepted.push_back(argument);
    names.push_back(fmt::format("{0}={0}", argument.name));
  }
  Docstring doc("    ");
  doc.paragraph(entry.text.summary);
  doc.paragraph(entry.text.detail);
  doc.parameters(arguments);
  doc.section("Returns");
  doc.item("float", entry.text.summary);
  describe_source(doc, entry);
  const auto call = fmt::format("    return {}(\n        \"{}\",\n        {},\n    )\n",
                                caller(entry.kind), entry.text.name, joined(names, ",\n        "));
  return fmt::format("\n\ndef {}{} -> float:\n{}{}", python_name(entry),
                     python_signature({}, accepted, {}), doc.quoted(), call);
}

GeneratedFile kind_module(const std::string& module, std::span<const Entry* const> entries,
                          const Registry& registry) {
  const auto kind = entries.front()->kind;
  std::string body;
  std::vector<std::string> names;
  std::set<std::string> from_component;
  bool functions = false;
  for (const Entry* entry : entries) {
    names.push_back(python_name(*entry));
    if (entry->signature.empty()) {
      from_component.insert("Component");
      if (!entry->parts.empty()) from_component.insert("PartLike");
      body += component_class(*entry, registry);
    } else {
      functions = true;
      from_component.insert("ArrayLike");
      body += function_definition(*entry);
    }
  }
  sort_names(names);
  std::vector<std::string> imports;
  imports.push_back(
      python_import("gradatim._component", {from_component.begin(), from_component.end()}));
  if (functions) {
    imports.push_back(python_import("gradatim._core", {caller(kind)}));
  }
  std::string path = module;
  std::ranges::replace(path, '.', '/');
  return {fmt::format("python/{}.py", path),
          python_module(fmt::format("{}: {}.", kind, joined(names, ", ")).size() < 90
                            ? fmt::format("{}: {}.", kind, joined(names, ", "))
                            : fmt::format("Everything of the kind {}.", kind),
                        body, names, imports)};
}

// Functions of a package that are written by hand, and the module that holds them.
struct HandWritten {
  std::string_view package, module, name;
};
constexpr HandWritten kHandWritten[] = {
    {"neural", "_diffusers", "from_diffusers"},
    {"neural", "_stable_diffusion", "StableDiffusion"},
    {"process", "_diffusers", "from_diffusers"},
    {"process", "_likelihood", "log_prob"},
    {"process", "_sample", "sample"},
};

GeneratedFile package_module(const std::string& package, std::vector<std::string> modules,
                             const Registry& registry) {
  std::ranges::sort(modules);
  auto names = estimator_names(package, registry);
  std::vector<std::string> imports{python_import("gradatim." + package, modules)};
  if (!names.empty()) {
    imports.push_back(python_import(fmt::format("gradatim.{}._estimators", package), names));
  }
  names.insert(names.end(), modules.begin(), modules.end());
  for (const auto& function : kHandWritten) {
    if (function.package != package) continue;
    imports.push_back(python_import(fmt::format("gradatim.{}.{}", package, function.module),
                                    {std::string(function.name)}));
    names.emplace_back(function.name);
  }
  sort_names(names);
  std::ranges::sort(imports);
  return {fmt::format("python/gradatim/{}/__init__.py", package),
          python_module(
              fmt::format("Names of {}: estimators, and a module a kind of component.", package),
              {}, names, imports)};
}

// What _export.py checks a user's names against.
GeneratedFile names_module(const Registry& registry) {
  std::string body = "\n# Every public name of the library and its kind, aliases included.\n";
  body += "NAMES: dict[str, str] = {\n";
  for (const auto& name : registry.names()) {
    body += fmt::format("    \"{}\": \"{}\",\n", name, registry.find(name)->kind);
  }
  return {"python/gradatim/_names.py",
          python_module("The names of the library.", body + "}\n", {"NAMES"}, {})};
}

}  // namespace

std::vector<GeneratedFile> python_files(const Registry& registry) {
  std::vector<GeneratedFile> files{names_module(registry)};
  std::map<std::string, std::vector<const Entry*>> modules;
  for (const Entry* entry : registry.list()) modules[python_module_name(*entry)].push_back(entry);
  std::map<std::string, std::vector<std::string>> packages;
  for (const auto& [module, entries] : modules) {
    files.push_back(kind_module(module, entries, registry));
    packages[std::string(first_segment(entries.front()->text.name))].emplace_back(
        last_segment(module));
  }
  for (const auto& [package, names] : packages) {
    files.push_back(package_module(package, names, registry));
    if (estimator_names(package, registry).empty()) continue;
    files.push_back({fmt::format("python/gradatim/{}/_estimators.py", package),
                     estimators_module(package, registry)});
  }
  return files;
}

}  // namespace gradatim::api
