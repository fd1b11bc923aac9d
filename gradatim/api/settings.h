// Settings: what a user said about a component and its parts, parsed, checked, and built.
//
// One tree serves the command line, TOML, Python and model files. It holds only what differs from
// the defaults until `complete()` fills it in.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradatim/api/registry.h"

namespace gradatim::api {

struct Settings {
  std::string component;                  // canonical name
  std::map<std::string, Value> values;    // by setting
  std::map<std::string, Settings> parts;  // by part; absent means the part's default ("auto" too)

  bool operator==(const Settings&) const = default;
};

/// An option as it was typed: `path` is a setting, a part, or part.setting; `text` its value.
using Option = std::pair<std::string, std::string>;

/// Reads options for a component, in order, parts before their settings whatever the order. A name
/// without a part in front ("max_depth") is taken by the component itself or else by the only part
/// (at any depth, the nearest first) that has it. UsageError: GRD-1001 unknown name of a part,
/// GRD-1002 unknown option (with the nearest name), GRD-1003 outside its range, GRD-1004 not of its
/// type, GRD-1005 not a choice, GRD-1006 ambiguous.
Settings parse_settings(std::string_view component, std::span<const Option> options,
                        const Registry& registry = Registry::instance());

/// Checks every value against its entry; throws as parse_settings does.
void check(const Settings& settings, const Registry& registry = Registry::instance());
/// The same settings with every default filled in, parts that are "auto" left out.
Settings complete(const Settings& settings, const Registry& registry = Registry::instance());
/// One sentence for each deprecated component or setting that these settings name.
std::vector<std::string> notices(const Settings& settings,
                                 const Registry& registry = Registry::instance());

/// JSON: {"component": "boost.newton", "n_estimators": 50, "loss": {"component": ...}}.
/// Reading accepts a bare string for a part without settings, aliases of names, and paths
/// ("loss.delta", "max_depth") exactly as parse_settings does.
std::string to_json(const Settings& settings);
Settings settings_from_json(std::string_view json, const Registry& registry = Registry::instance());

/// Whether an option of this path holds numbers by feature, so that an object is its value and not
/// a part with settings.
bool takes_object(std::string_view path, const Registry& registry = Registry::instance());

/// One value as text ("0.1", "true", "histogram", "1,2,3", "[]") and back, checked.
std::string to_text(const Value& value);
Value parse_value(const Entry& entry, const Setting& setting, std::string_view text);
/// The value as the setting stores it (an integer becomes a real where one is wanted), or the
/// UsageError that says what is admissible.
Value checked(const Entry& entry, const Setting& setting, Value value);
/// "integer", "real", "list of at most 8 integers", "one of gini, error".
std::string type_text(const Setting& setting);
/// "a number in (0, 1]", "one of depthwise, lossguide", "a list of at most 8 integers".
std::string admissible(const Setting& setting);
std::string to_text(const Range& range);

/// Parts that the caller made himself, by their path ("loss", "learner").
using OwnParts = std::map<std::string, Made>;

/// Builds the component and its parts. Parts left "auto" arrive as null pointers; those in `own`
/// arrive as they are.
Made build(const Settings& settings, const Registry& registry = Registry::instance(),
           const OwnParts& own = {});
template <class Interface>
std::shared_ptr<const Interface> build_as(const Settings& settings,
                                          const Registry& registry = Registry::instance(),
                                          const OwnParts& own = {}) {
  registry.get(settings.component, Interface::kKind);  // refuses a component of another kind
  return std::static_pointer_cast<const Interface>(build(settings, registry, own));
}

}  // namespace gradatim::api
