// Laws that hold for every export of this build, whatever its kind.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "gradatim/api/settings.h"
#include "gradatim/api/toys_test.h"
#include "gradatim/api/write/words.h"
#include "gradatim/core/error.h"

namespace gradatim::api {
namespace {

// The toys keep the laws from being vacuous while the library is small.
std::vector<const Registry*> registries() { return {&Registry::instance(), &toys::registry()}; }

template <class F>
void for_every_entry(F f) {
  for (const Registry* registry : registries()) {
    for (const Entry* entry : registry->list()) {
      SCOPED_TRACE(std::string(entry->text.name));
      f(*entry, *registry);
    }
  }
}

template <class F>
void for_every_setting(F f) {
  for_every_entry([&](const Entry& entry, const Registry&) {
    for (const auto& setting : entry.settings) {
      SCOPED_TRACE(std::string(setting.name));
      f(entry, setting);
    }
  });
}

Value as_value(const Setting& setting, double x) {
  const bool integer = setting.type == Type::integer;
  const Scalar scalar = integer ? Scalar(static_cast<std::int64_t>(x)) : Scalar(x);
  if (setting.form == Form::list) return std::vector<Scalar>{scalar};
  if (setting.form == Form::by_feature) return ByName{{"x", scalar}};
  return std::visit([](const auto& v) -> Value { return v; }, scalar);
}

double step(const Setting& setting, double from, double towards) {
  if (setting.type == Type::integer) return towards > from ? from + 1 : from - 1;
  return std::nextafter(from, towards);
}

// The bound itself or the value next to it, on either side of what is admitted.
void expect_bound(const Entry& entry, const Setting& setting, double bound, bool open,
                  double outwards) {
  if (std::isinf(bound)) return;
  const double outside = open ? bound : step(setting, bound, outwards);
  const double inside = open ? step(setting, bound, -outwards) : bound;
  try {
    checked(entry, setting, as_value(setting, outside));
    ADD_FAILURE() << outside << " was accepted";
  } catch (const UsageError& error) {
    EXPECT_EQ(error.code(), 1003);
    EXPECT_NE(error.message().find(std::string(setting.name)), std::string::npos);
  }
  EXPECT_NO_THROW(checked(entry, setting, as_value(setting, inside))) << inside;
}

TEST(Laws, EveryEntryBuildsWithDefaults) {
  for_every_entry([](const Entry& entry, const Registry& registry) {
    EXPECT_NE(build({.component = std::string(entry.text.name)}, registry), nullptr);
  });
}

TEST(Laws, EveryBoundIsRefusedOutsideAndAcceptedInside) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for_every_setting([](const Entry& entry, const Setting& setting) {
    if (setting.type != Type::integer && setting.type != Type::real) return;
    const Range& range = setting.note.range;
    expect_bound(entry, setting, range.low, range.open_low, -kInfinity);
    expect_bound(entry, setting, range.high, range.open_high, kInfinity);
  });
}

TEST(Laws, NoNumberIsNaNOrInfinite) {
  for_every_setting([](const Entry& entry, const Setting& setting) {
    if (setting.type != Type::real) return;
    EXPECT_THROW(checked(entry, setting, as_value(setting, std::nan(""))), UsageError);
    EXPECT_THROW(checked(entry, setting, as_value(setting, HUGE_VAL)), UsageError);
  });
}

TEST(Laws, EveryChoiceIsAcceptedAndNoOther) {
  for_every_setting([](const Entry& entry, const Setting& setting) {
    if (setting.type != Type::choice) return;
    EXPECT_FALSE(setting.choices.empty());
    for (const auto choice : setting.choices) {
      EXPECT_NO_THROW(parse_value(entry, setting, choice));
    }
    EXPECT_THROW(parse_value(entry, setting, "no_such_choice"), UsageError);
  });
}

TEST(Laws, EveryListHasItsCapacityAndNoMore) {
  for_every_setting([](const Entry& entry, const Setting& setting) {
    if (setting.form != Form::list) return;
    const auto initial = std::get<std::vector<Scalar>>(setting.initial());
    if (initial.empty()) return;
    std::vector<Scalar> items(setting.capacity, initial.front());
    EXPECT_NO_THROW(checked(entry, setting, items));
    items.push_back(initial.front());
    EXPECT_THROW(checked(entry, setting, items), UsageError);
  });
}

TEST(Laws, SettingsSurviveJson) {
  for_every_entry([](const Entry& entry, const Registry& registry) {
    const auto full = complete({.component = std::string(entry.text.name)}, registry);
    EXPECT_EQ(settings_from_json(to_json(full), registry), full);
    EXPECT_EQ(complete(full, registry), full);
  });
}

TEST(Laws, DefaultsSurviveText) {
  for_every_setting([](const Entry& entry, const Setting& setting) {
    const Value initial = setting.initial();
    EXPECT_EQ(parse_value(entry, setting, to_text(initial)), initial);
  });
}

TEST(Laws, OptionsGiveTheSameSettingsAsJson) {
  for_every_entry([](const Entry& entry, const Registry& registry) {
    std::vector<Option> options;
    for (const auto& setting : entry.settings) {
      options.emplace_back(setting.name, to_text(setting.initial()));
    }
    const auto parsed = parse_settings(entry.text.name, options, registry);
    EXPECT_EQ(settings_from_json(to_json(parsed), registry), parsed);
  });
}

TEST(Laws, EveryEntrySaysWhatItIsAndWhereItComesFrom) {
  for_every_entry([](const Entry& entry, const Registry&) {
    EXPECT_TRUE(entry.text.summary.ends_with('.'));
    EXPECT_GT(entry.text.source.size(), 5U);
    EXPECT_FALSE(entry.kind.empty());
    EXPECT_FALSE(entry.text.since.empty());
    EXPECT_TRUE(entry.file.starts_with("gradatim/")) << entry.file;
    EXPECT_GT(entry.line, 0);
    for (const auto& part : entry.parts) EXPECT_TRUE(part.doc.ends_with('.')) << part.name;
  });
}

TEST(Laws, NamesAreUnique) {
  for (const Registry* registry : registries()) {
    std::set<std::string> seen;
    for (const Entry* entry : registry->list()) {
      EXPECT_TRUE(seen.insert(std::string(entry->text.name)).second) << entry->text.name;
      for (const auto& alias : write::words(entry->text.aliases)) {
        EXPECT_TRUE(seen.insert(alias).second) << alias;
      }
    }
  }
}

TEST(Laws, NoSettingIsAKeywordOfPython) {
  static const std::set<std::string, std::less<>> kKeywords = {
      "and",  "as",    "assert", "async",  "await", "class", "def",    "del",      "elif", "except",
      "for",  "from",  "global", "import", "in",    "is",    "lambda", "nonlocal", "not",  "or",
      "pass", "raise", "return", "try",    "while", "with",  "yield",  "self"};
  for_every_setting([](const Entry&, const Setting& setting) {
    EXPECT_FALSE(kKeywords.contains(setting.name));
    EXPECT_NE(setting.name, "component");
  });
}

TEST(Laws, TheDefaultOfEveryPartExists) {
  for_every_entry([](const Entry& entry, const Registry& registry) {
    for (const auto& part : entry.parts) {
      EXPECT_FALSE(registry.list(part.kind).empty());
      if (part.initial == "auto") continue;
      EXPECT_NE(registry.find(part.initial), nullptr);
    }
  });
}

}  // namespace
}  // namespace gradatim::api
