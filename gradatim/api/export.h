// The export registry: a public name is declared once, at its definition, and everything else
// (command line, Python, schema, reference pages, golden files) is derived from that declaration.
//
// The life of an export:
//  1. An author writes a config struct with default member initialisers, one setting<&Config::x>()
//     a member, a Text, and GRADATIM_EXPORT(path) = component<Object, Config>(text, settings,
//     parts). Name, type and default are read from the member itself.
//  2. The compiler evaluates it all; a mistake is an error whose text is the sentence.
//  3. CMake's gradatim_components() adds the source and its manifest entry from one list.
//  4. Registry (registry.h) indexes the manifest; Settings (settings.h) are parsed and checked
//     against entries; Entry::make builds the object.
//
// The idea is TensorFlow's tf_export; the differences are that the compiler checks it and that it
// carries ranges, units and prose. There are no static registrars.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

#include "gradatim/api/internal/reflect.h"
#include "gradatim/api/value.h"

namespace gradatim::api {

/// A built component; its C++ type is the interface of its kind.
using Made = std::shared_ptr<const void>;

/// What an author says about a setting beyond name, type and default.
struct Note {
  std::string_view doc;              // one or more sentences
  Range range = {};                  // of a number, or of each number in a list or by feature
  std::string_view unit = {};        // "rows", "label", "seconds"
  std::string_view alias = {};       // another accepted name, as min_split_gain for gamma
  std::string_view deprecated = {};  // the version from which the setting warns
};

struct Setting {
  std::string_view name;
  Note note;
  Type type = Type::real;
  Form form = Form::one;
  std::size_t capacity = 0;                        // of a list
  std::int64_t lowest = 0, highest = 0;            // that the member of an integer can hold
  std::span<const std::string_view> choices = {};  // of a choice
  Value (*get)(const void* config) = nullptr;
  void (*set)(void* config, const Value& value) = nullptr;  // of a checked value
  Value (*initial)() = nullptr;
};

/// A component that this one is made of. `initial` is a canonical name of that kind, or "auto"
/// where the task decides (the doc says how).
struct Part {
  std::string_view name, kind, initial, doc;
};

/// The prose of an export, kept nowhere else.
struct Text {
  std::string_view name;          // canonical public name, dotted snake_case
  std::string_view aliases = {};  // further public names, separated by blanks
  std::string_view summary;       // one sentence with a full stop
  std::string_view detail = {};   // what a user must know beyond it
  std::string_view source;        // paper, book or standard
  std::string_view shape = {};    // "label, score: [rows]"
  std::string_view errors = {};   // "GRD-2004 a label is not finite"
  std::string_view measured =
      {};                      // accuracy on a problem whose answer is known; a test computes it
  std::string_view tags = {};  // facts that front ends ask for, separated by blanks
  std::string_view since = "0.1";
  std::string_view deprecated = {};  // the version from which using it warns
  std::string_view replaced_by = {};
};

struct Entry {
  Text text;
  std::string_view kind;
  std::span<const Setting> settings;
  std::span<const Part> parts;
  std::string_view file;  // from the source root
  int line = 0;
  Made (*make)(const Entry& self, std::span<const Value> values,
               std::span<const Made> parts) = nullptr;
  std::string_view signature = {};  // of an exported function: the argument names, blank-separated
};

/// Describes one member of a config. Its name, type and default are read from the code.
template <auto kMember>
consteval Setting setting(Note note) {
  using Config = typename internal::Member<decltype(kMember)>::Owner;
  using T = typename internal::Member<decltype(kMember)>::Type;
  using Element = typename internal::Element<T>::Type;
  constexpr Form kForm = internal::Element<T>::kForm;
  if (note.doc.empty()) internal::this_setting_has_no_documentation();
  if (note.doc.back() != '.') internal::the_documentation_does_not_end_with_a_full_stop();
  internal::check_default(Config{}.*kMember, note.range);
  Setting described{.name = internal::member_name<kMember>(),
                    .note = note,
                    .type = internal::type_of<Element>(),
                    .form = kForm,
                    .get = &internal::get_member<Config, kMember>,
                    .set = &internal::set_member<Config, kMember>,
                    .initial = &internal::initial_member<Config, kMember>};
  if constexpr (kForm == Form::list) described.capacity = T::capacity();
  if constexpr (std::is_floating_point_v<Element> && !std::is_same_v<Element, double>) {
    internal::a_real_setting_is_a_double();
  }
  if constexpr (std::is_integral_v<Element>) {
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const auto most = static_cast<std::uint64_t>(std::numeric_limits<Element>::max());
    described.lowest = static_cast<std::int64_t>(std::numeric_limits<Element>::min());
    described.highest = static_cast<std::int64_t>(most < kMost ? most : kMost);
  }
  if constexpr (std::is_enum_v<Element>)
    described.choices = internal::Enumerators<Element>::names();
  return described;
}

namespace internal {

consteval void check_text(const Text& text) {
  if (!dotted_snake_case(text.name)) the_public_name_is_not_dotted_snake_case();
  if (text.summary.empty() || text.summary.back() != '.') {
    the_summary_does_not_end_with_a_full_stop();
  }
  if (text.source.empty()) the_source_is_not_named();
}

}  // namespace internal

/// A component: an Object built from a Config and, where it has any, its parts.
/// Object derives from the interface `Object::Interface`, whose `kKind` is the kind.
template <class Object, class Config>
consteval Entry component(Text text, std::span<const Setting> settings = {},
                          std::span<const Part> parts = {}, const char* file = __builtin_FILE(),
                          int line = __builtin_LINE()) {
  internal::check_text(text);
  if (settings.size() != internal::arity<Config>()) {
    internal::a_member_of_the_config_is_not_described();
  }
  using Interface = typename Object::Interface;
  auto make = [](const Entry& self, std::span<const Value> values,
                 std::span<const Made> made) -> Made {
    Config config;
    for (std::size_t i = 0; i < values.size(); ++i) self.settings[i].set(&config, values[i]);
    if constexpr (std::constructible_from<Object, Config, std::span<const Made>>) {
      return std::shared_ptr<const Interface>(std::make_shared<Object>(config, made));
    } else if constexpr (std::constructible_from<Object, Config>) {
      return std::shared_ptr<const Interface>(std::make_shared<Object>(config));
    } else {
      return std::shared_ptr<const Interface>(std::make_shared<Object>());
    }
  };
  return {text, Interface::kKind, settings, parts, internal::from_root(file), line, make};
}

/// An exported function. Its argument struct names the kind (`Arguments::kKind`), the interface
/// that wraps it (`Arguments::Interface`, made from a callable of the arguments and the tags) and
/// the argument names of the front ends (`Arguments::kSignature`). Where it takes a config as
/// second argument, its members are settings: one formula serves every quantile.
template <auto kFunction>
consteval Entry function(Text text, std::span<const Setting> settings = {},
                         const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  internal::check_text(text);
  using Argument = internal::Argument<decltype(kFunction)>;
  using Arguments = typename Argument::Type;
  using Config = typename Argument::Config;
  using Interface = typename Arguments::Interface;
  if (settings.size() != internal::arity<Config>()) {
    internal::a_member_of_the_config_is_not_described();
  }
  auto make = [](const Entry& self, std::span<const Value> values, std::span<const Made>) -> Made {
    if constexpr (std::is_invocable_v<decltype(kFunction), const Arguments&>) {
      return std::make_shared<const Interface>(self.text.name, kFunction, self.text.tags);
    } else {
      Config config;
      for (std::size_t i = 0; i < values.size(); ++i) self.settings[i].set(&config, values[i]);
      return std::make_shared<const Interface>(
          self.text.name,
          [config](const Arguments& arguments) { return kFunction(arguments, config); },
          self.text.tags);
    }
  };
  return {text, Interface::kKind,     settings, {}, internal::from_root(file), line,
          make, Arguments::kSignature};
}

/// The settings of a component without any.
struct NoSettings {};

}  // namespace gradatim::api

/// Declares and defines the entry that CMake lists in the manifest: boost/loss/huber.cc must define
/// GRADATIM_EXPORT(boost_loss_huber).
#define GRADATIM_EXPORT(path)               \
  namespace gradatim::exports {             \
  extern const ::gradatim::api::Entry path; \
  }                                         \
  constinit const ::gradatim::api::Entry gradatim::exports::path
