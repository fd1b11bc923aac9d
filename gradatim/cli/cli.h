// The command `gradatim`: what a verb is, and how its options are read.
//
//  1. main.cc finds the Command of the verb and reads the words behind it by its option table.
//  2. Every verb takes the common options too; a Session (session.h) applies them.
//  3. `train` also takes the settings of its model, which parse_arguments leaves as they were
//  typed.
//  4. The verb prints results on stdout and everything else on stderr; errors are exceptions.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/api/settings.h"

namespace gradatim::cli {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;

struct OptionSpec {
  std::string_view name;   // without the dashes
  std::string_view value;  // "FILE"; empty for a flag, which takes no value
  std::string_view doc;
  std::string_view alias = {};  // what others call it
};

class Arguments;

struct Command {
  std::string_view name;
  std::string_view synopsis;  // what stands behind the name
  std::string_view summary;
  std::span<const OptionSpec> options;  // beside the common ones
  std::size_t positionals = 1;          // at most
  bool takes_settings = false;          // other options are settings of a component:
  std::string_view component = {};      // this one, or where empty the model named first
  int (*run)(const Arguments& arguments) = nullptr;
  bool joins_group = false;  // of the processes that a launcher started; else it runs in one
  // What --help is about, where that depends on the words: a component, and options to leave out.
  struct Help {
    std::string_view component;
    std::span<const std::string_view> hidden = {};
  };
  Help (*help)(const Arguments& arguments) = nullptr;
};

/// --threads, --seed, --log, --device, --help.
std::span<const OptionSpec> common_options();
/// --processes, --timeout: of verbs with joins_group.
std::span<const OptionSpec> group_options(const Command& command);

/// The words behind a verb. Values are texts; the accessors check them (UsageError GRD-1003 out of
/// range, GRD-1004 not a number, GRD-1010 missing).
class Arguments {
 public:
  const Command* command = nullptr;
  std::vector<std::string> words;  // as they were typed
  std::vector<std::string> positional;
  std::map<std::string, std::string, std::less<>> values;  // of the verb's own options
  std::vector<api::Option> settings;                       // the other options, in order
  bool help = false;

  bool has(std::string_view name) const { return values.find(name) != values.end(); }
  std::string text(std::string_view name, std::string_view fallback = {}) const;
  /// The value, which must be there.
  std::string required(std::string_view name) const;
  std::string required_positional(std::string_view what) const;
  /// "a,b" as two words.
  std::vector<std::string> list(std::string_view name) const;
  std::int64_t integer(std::string_view name, std::int64_t fallback, std::int64_t low,
                       std::int64_t high = std::numeric_limits<std::int64_t>::max()) const;
  double number(std::string_view name, double fallback, double low) const;
};

/// `--name value`, `--name=value`, a flag alone; "-" in a name is "_". What comes last counts.
/// UsageError GRD-1002 for an unknown option (with the nearest name), GRD-1010 for a missing value.
Arguments parse_arguments(const Command& command, std::span<const std::string> words);
/// True for an option of the command or a common one.
const OptionSpec* find_option(const Command& command, std::string_view name);
/// The command's own options and the common ones.
std::vector<std::string> option_names(const Command& command);

/// What `gradatim VERB --help` prints, but for some options, and `gradatim --help`.
std::string help_of(const Command& command, std::span<const std::string_view> hidden = {});
std::string help_of(std::span<const Command* const> commands);
/// What `gradatim train MODEL --help` adds: every option of the component and of its parts, those
/// that `words` choose or the defaults. UsageError GRD-1001 for a choice that there is not.
std::string help_of_component(const api::Entry& entry, std::span<const api::Option> words);

extern const Command kTrain;
extern const Command kPredict;
extern const Command kEvaluate;
extern const Command kCv;
extern const Command kSearch;
extern const Command kExplain;
extern const Command kSample;
extern const Command kLogprob;
extern const Command kEncode;
extern const Command kDecode;
extern const Command kConvert;

/// The signal that asked this process to stop; 0 where none did.
int caught_signal();

// Verbs about the registry, which need no options.
int run_list(std::span<const std::string> args);
int run_describe(std::span<const std::string> args);
int run_api(std::span<const std::string> args);

}  // namespace gradatim::cli
