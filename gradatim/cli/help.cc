// The texts of --help.
#include <fmt/format.h>

#include <algorithm>

#include "gradatim/api/registry.h"
#include "gradatim/api/settings.h"
#include "gradatim/api/write/words.h"
#include "gradatim/cli/cli.h"
#include "gradatim/core/text.h"

namespace gradatim::cli {
namespace {

using api::write::wrapped;

constexpr std::size_t kWidth = 96;

std::string one(const OptionSpec& spec) {
  const std::string left = fmt::format("  --{} {}", spec.name, spec.value);
  const std::string indent(30, ' ');
  if (left.size() >= indent.size()) return left + "\n" + wrapped(spec.doc, kWidth, indent);
  return wrapped(spec.doc, kWidth, indent, fmt::format("{:<30}", left));
}

std::string setting_text(const api::Setting& setting, const std::string& prefix) {
  std::string text =
      fmt::format("  --{}{} {}\n", prefix, setting.name, api::to_text(setting.initial()));
  std::string doc(setting.note.doc);
  doc += " (" + api::type_text(setting);
  const auto bounds = api::write::range_and_unit(setting);
  doc += (bounds.empty() ? "" : " " + bounds) + ")";
  return text + wrapped(doc, kWidth, "        ");
}

std::string part_text(const api::Part& part, const std::string& prefix) {
  std::vector<std::string> names;
  for (const api::Entry* entry : api::Registry::instance().list(part.kind)) {
    names.push_back(api::write::short_name(*entry));
  }
  std::string text =
      fmt::format("  --{}{} {}\n", prefix, part.name, api::write::short_default(part));
  text += wrapped(fmt::format("{} (one of {})", part.doc, api::write::joined(names, ", ")), kWidth,
                  "        ");
  return text;
}

// What the words chose in the place of parts. A name alone is of the outermost part that has it.
class Choices {
 public:
  explicit Choices(std::span<const api::Option> words) : words_(words), used_(words.size()) {}

  /// Null where the model is still to choose.
  const api::Entry* of(const api::Part& part, const std::string& path) {
    const auto& registry = api::Registry::instance();
    for (std::size_t k = 0; k < words_.size(); ++k) {
      const auto& [name, value] = words_[k];
      const bool meant = name == path || (name == part.name && !used_[k]);
      if (!meant || value == "auto" || parse_number(value)) continue;  // --guidance 3 is a weight
      used_[k] = true;
      return &registry.get(value, part.kind);
    }
    return registry.find(part.initial);
  }

 private:
  std::span<const api::Option> words_;
  std::vector<bool> used_;
};

// The component's options, then those of its parts.
std::string component_text(const api::Entry& entry, const std::string& prefix, Choices& choices) {
  std::string text = fmt::format("\noptions of {}, with their defaults\n", entry.text.name);
  for (const auto& setting : entry.settings) text += setting_text(setting, prefix);
  for (const auto& part : entry.parts) text += part_text(part, prefix);
  std::vector<const api::Entry*> all;  // before those within them
  for (const auto& part : entry.parts)
    all.push_back(choices.of(part, prefix + std::string(part.name)));
  for (std::size_t k = 0; k < all.size(); ++k) {
    const api::Entry* chosen = all[k];
    if (chosen == nullptr || (chosen->settings.empty() && chosen->parts.empty())) continue;
    text += component_text(*chosen, fmt::format("{}{}.", prefix, entry.parts[k].name), choices);
  }
  return text;
}

}  // namespace

std::string help_of(const Command& command, std::span<const std::string_view> hidden) {
  std::string text = wrapped(command.summary, kWidth, "");
  text += fmt::format("\nusage: gradatim {} {}\n\noptions\n", command.name, command.synopsis);
  for (const auto options : {command.options, group_options(command)}) {
    for (const auto& spec : options) {
      if (std::ranges::find(hidden, spec.name) == hidden.end()) text += one(spec);
    }
  }
  if (!command.options.empty()) text += "\noptions of every verb\n";
  for (const auto& spec : common_options()) text += one(spec);
  return text;
}

std::string help_of(std::span<const Command* const> commands) {
  std::string text =
      "gradatim: strong models from many small steps.\n\nusage: gradatim VERB ...\n\n";
  for (const Command* command : commands) {
    text += wrapped(command->summary, kWidth, std::string(12, ' '),
                    fmt::format("  {:<10}", command->name));
  }
  return text +
         "\n'gradatim VERB --help' shows a verb's options, 'gradatim --version' the version.\n";
}

std::string help_of_component(const api::Entry& entry, std::span<const api::Option> words) {
  Choices choices(words);
  std::string text = component_text(entry, "", choices);
  text +=
      "\nAn option of a part may be written without the part ('--max_depth 6') where only one "
      "has it.\n";
  if (entry.parts.empty()) return text;
  return text + fmt::format("The options of another choice: '--{} NAME --help'.\n",
                            entry.parts.front().name);
}

}  // namespace gradatim::cli
