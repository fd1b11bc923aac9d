// The words behind a verb as options and values. Written here and not taken from CLI11, since the
// settings of a model are only known once the model is, and since a message must name the nearest
// option of either.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/api/registry.h"
#include "gradatim/cli/cli.h"
#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::cli {
namespace {

constexpr OptionSpec kCommon[] = {
    {"threads", "N", "Threads to use; 0, the default, is every processor that we may use."},
    {"seed", "N", "Seed of every random draw; 0 by default. The same seed gives the same bytes."},
    {"log", "plain|json|quiet",
     "Progress on stderr as lines, as JSON lines, or not at all; a bar "
     "on a terminal by default."},
    {"device", "cpu|cuda|cuda:N", "Where networks compute; everything else is the cpu's."},
    {"help", "", "Print this help."},
};

bool names_setting(const api::Setting& setting, std::string_view name) {
  if (setting.name == name) return true;
  const auto aliases = split(setting.note.alias, ' ');
  return std::ranges::find(aliases, name) != aliases.end();
}

// Whether some component has a flag of that name: it may stand without a value.
bool is_flag_setting(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('.') + 1);
  for (const api::Entry* entry : api::Registry::instance().list()) {
    for (const auto& setting : entry->settings) {
      if (setting.type == api::Type::flag && setting.form == api::Form::one &&
          names_setting(setting, name)) {
        return true;
      }
    }
  }
  return false;
}

// Whether some component has a setting or a part of that name.
bool is_setting(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('.') + 1);
  for (const api::Entry* entry : api::Registry::instance().list()) {
    if (std::ranges::any_of(entry->settings,
                            [&](const auto& s) { return names_setting(s, name); }) ||
        std::ranges::any_of(entry->parts, [&](const auto& part) { return part.name == name; })) {
      return true;
    }
  }
  return false;
}

bool is_option(std::string_view word) { return word.size() > 2 && word.starts_with("--"); }
bool is_flag_value(std::string_view word) {
  return word == "true" || word == "false" || word == "1" || word == "0";
}

[[noreturn]] void unknown_option(const Command& command, const std::string& name) {
  const auto names = option_names(command);
  const auto near = nearest_name(name, names);
  throw UsageError(1002, fmt::format("{} has no option '--{}'; {}", command.name, name,
                                     near ? fmt::format("did you mean '--{}'?", *near)
                                          : fmt::format("'gradatim {} --help' shows its options",
                                                        command.name)));
}

// Reads word by word; `next` is the one after the option at hand.
class Parser {
 public:
  Parser(const Command& command, std::span<const std::string> words)
      : command_(command), words_(words) {
    result_.command = &command;
    result_.words.assign(words.begin(), words.end());
  }

  Arguments run() {
    while (next_ < words_.size()) {
      const std::string& word = words_[next_++];
      if (word == "-h") {
        result_.help = true;
      } else if (is_option(word)) {
        option(word);
      } else {
        positional(word);
      }
    }
    return std::move(result_);
  }

 private:
  void positional(const std::string& word) {
    GRADATIM_CHECK(word.size() < 2 || word.front() != '-' || parse_number(word), UsageError, 1002,
                   "'{}' is no option; options begin with two dashes", word);
    GRADATIM_CHECK(result_.positional.size() < command_.positionals, UsageError, 1010,
                   "'{}' is one word too many; usage: gradatim {} {}", word, command_.name,
                   command_.synopsis);
    result_.positional.push_back(word);
  }

  void option(const std::string& word) {
    const auto equals = word.find('=');
    std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    std::ranges::replace(name, '-', '_');
    std::optional<std::string> value;
    if (equals != std::string::npos) value = word.substr(equals + 1);
    const OptionSpec* spec = find_option(command_, name);
    if (spec != nullptr) name = spec->name;
    if (spec == nullptr && !command_.takes_settings) unknown_option(command_, name);
    if (spec != nullptr && spec->value.empty()) {  // as a flag of a component, it may say true
      const bool follows = !value && next_ < words_.size() && is_flag_value(words_[next_]);
      if (follows) value = words_[next_++];
      GRADATIM_CHECK(!value || is_flag_value(*value), UsageError, 1004,
                     "--{} is a flag: write it alone, or true or false; got '{}'", name, *value);
      if (value && (*value == "false" || *value == "0")) return;
      if (name == "help") result_.help = true;
      value = "true";
    }
    if (spec == nullptr && !value && is_flag_setting(name)) {
      value = next_ < words_.size() && is_flag_value(words_[next_]) ? words_[next_++] : "true";
    }
    if (!value) value = following(name, spec);
    if (spec != nullptr) {
      GRADATIM_CHECK(result_.values.count(name) == 0, UsageError, 1010,
                     "--{} was given twice; keep one{}", name,
                     name == "data" ? ", or name a folder or a pattern for several files" : "");
      result_.values[name] = *value;
    } else {
      result_.settings.emplace_back(name, *value);
    }
  }

  std::string following(const std::string& name, const OptionSpec* spec) {
    if (next_ < words_.size() && !is_option(words_[next_])) return words_[next_++];
    // A misspelt flag has no value either; the nearest name helps more then.
    const auto names = option_names(command_);
    const bool stranger = spec == nullptr && !is_setting(name);
    if (stranger || (spec == nullptr && nearest_name(name, names))) unknown_option(command_, name);
    throw UsageError(1010, fmt::format("--{} needs a value; write --{} {}", name, name,
                                       spec != nullptr ? spec->value : "VALUE"));
  }

  const Command& command_;
  std::span<const std::string> words_;
  std::size_t next_ = 0;
  Arguments result_;
};

constexpr OptionSpec kOfGroups[] = {
    {"processes", "N",
     "Work by so many processes of this machine, which share its threads; launchers such as "
     "torchrun do it for several machines."},
    {"timeout", "S",
     "Of several processes: how long one waits for the others, 60 by default (or what "
     "GRADATIM_TIMEOUT says)."},
};

}  // namespace

std::span<const OptionSpec> common_options() { return kCommon; }

std::span<const OptionSpec> group_options(const Command& command) {
  return command.joins_group ? std::span<const OptionSpec>(kOfGroups)
                             : std::span<const OptionSpec>();
}

const OptionSpec* find_option(const Command& command, std::string_view name) {
  for (const auto& options : {command.options, group_options(command), common_options()}) {
    for (const auto& spec : options) {
      if (spec.name == name || (!spec.alias.empty() && spec.alias == name)) return &spec;
    }
  }
  return nullptr;
}

std::vector<std::string> option_names(const Command& command) {
  std::vector<std::string> names;
  for (const auto& options : {command.options, group_options(command), common_options()}) {
    for (const auto& spec : options) names.emplace_back(spec.name);
  }
  return names;
}

Arguments parse_arguments(const Command& command, std::span<const std::string> words) {
  return Parser(command, words).run();
}

std::string Arguments::text(std::string_view name, std::string_view fallback) const {
  const auto at = values.find(name);
  return at == values.end() ? std::string(fallback) : at->second;
}

std::string Arguments::required(std::string_view name) const {
  const std::string value = text(name);
  GRADATIM_CHECK(!value.empty(), UsageError, 1010, "{} needs --{} {}", command->name, name,
                 find_option(*command, name)->value);
  return value;
}

std::string Arguments::required_positional(std::string_view what) const {
  GRADATIM_CHECK(!positional.empty(), UsageError, 1010, "{} needs {}; usage: gradatim {} {}",
                 command->name, what, command->name, command->synopsis);
  return positional.front();
}

std::vector<std::string> Arguments::list(std::string_view name) const {
  const std::string value = text(name);
  if (value.empty() || value == "[]") return {};
  std::vector<std::string> names;
  for (const auto& word : split(value, ',')) {
    GRADATIM_CHECK(!trim(word).empty(), UsageError, 1004,
                   "--{} must be names separated by commas; got '{}'", name, value);
    names.emplace_back(trim(word));
  }
  return names;
}

std::int64_t Arguments::integer(std::string_view name, std::int64_t fallback, std::int64_t low,
                                std::int64_t high) const {
  if (!has(name)) return fallback;
  const std::string value = text(name);
  const auto number = parse_integer(value);
  GRADATIM_CHECK(number, UsageError, 1004, "--{} must be an integer; got '{}'", name, value);
  GRADATIM_CHECK(*number >= low && *number <= high, UsageError, 1003,
                 "--{} must be an integer in [{}, {}]; got {}", name, low, high, *number);
  return *number;
}

double Arguments::number(std::string_view name, double fallback, double low) const {
  if (!has(name)) return fallback;
  const std::string value = text(name);
  const auto number = parse_number(value);
  GRADATIM_CHECK(number && std::isfinite(*number), UsageError, 1004,
                 "--{} must be a number; got '{}'", name, value);
  GRADATIM_CHECK(*number >= low, UsageError, 1003, "--{} must be at least {}; got {}", name, low,
                 value);
  return *number;
}

}  // namespace gradatim::cli
