// Settings that name features: as text, as JSON, and what they refuse.
#include <gtest/gtest.h>

#include "gradatim/api/settings.h"
#include "gradatim/api/toys_test.h"
#include "gradatim/core/error.h"

namespace gradatim::api {
namespace {

Value parsed(const std::string& name, const std::string& text) {
  const auto settings =
      parse_settings("toy.learner.tree", std::vector<Option>{{name, text}}, toys::registry());
  return settings.values.at(name);
}

int code(const std::string& name, const std::string& text) {
  try {
    parsed(name, text);
  } catch (const UsageError& error) {
    return error.code();
  }
  return 0;
}

TEST(ByFeature, ReadsNamesOrPositions) {
  const Value named = ByName{{"a", std::int64_t{1}}, {"b", std::int64_t{-1}}};
  EXPECT_EQ(parsed("direction", "b:-1, a:1"), named);
  EXPECT_EQ(parsed("direction", "{a:1,b:-1}"), named);
  const Value in_order = ByName{{"", std::int64_t{1}}, {"", std::int64_t{0}}};
  EXPECT_EQ(parsed("direction", "(1, 0)"), in_order);
  EXPECT_EQ(parsed("direction", "{}"), Value(ByName{}));
}

TEST(ByFeature, NamesWithSeparatorsStandInQuotes) {
  const Value value = ByName{{" x", std::int64_t{0}}, {"a,\"b\":c", std::int64_t{1}}};
  const auto text = to_text(value);
  EXPECT_EQ(text, "\" x\":0,\"a,\"\"b\"\":c\":1");
  EXPECT_EQ(parsed("direction", text), value);
  EXPECT_EQ(parsed("direction", "a:b:1"), Value(ByName{{"a:b", std::int64_t{1}}}));
}

TEST(ByFeature, RefusesWhatIsOutOfRangeMixedOrSaidTwice) {
  EXPECT_EQ(code("direction", "a:2"), 1003);
  EXPECT_EQ(code("direction", "a:up"), 1004);
  EXPECT_EQ(code("direction", "a:1,0"), 1003);
  EXPECT_EQ(code("direction", "a:1,a:0"), 1003);
}

TEST(FeatureGroups, AreSeparatedBySemicolons) {
  const Value groups = Groups{{"a", "b"}, {"c;d"}};
  EXPECT_EQ(parsed("together", "a, b; \"c;d\""), groups);
  EXPECT_EQ(parsed("together", to_text(groups)), groups);
}

TEST(SettingsOfFeatures, SurviveJson) {
  const auto check = [](const std::string& json) {
    const auto settings = settings_from_json(json, toys::registry());
    EXPECT_EQ(settings_from_json(to_json(settings), toys::registry()), settings);
    return settings.parts.empty() ? settings : settings.parts.at("learner");
  };
  auto tree = check(R"({"component": "toy.boost", "direction": {"b": -1, "a": 1}})");
  EXPECT_EQ(to_text(tree.values.at("direction")), "a:1,b:-1");
  tree = check(R"({"component": "toy.boost", "learner": {"direction": [0, 1]}})");
  EXPECT_EQ(to_text(tree.values.at("direction")), "0,1");
  tree = check(R"({"component": "toy.learner.tree", "together": [["a", "b"], ["c"]]})");
  EXPECT_EQ(to_text(tree.values.at("together")), "a,b;c");
  tree = check(R"({"component": "toy.learner.tree", "together": "a,b;c"})");
  EXPECT_EQ(to_text(tree.values.at("together")), "a,b;c");
  tree = check(R"({"component": "toy.boost", "learner.direction": {"a": 1}, "together": null})");
  EXPECT_EQ(to_text(tree.values.at("direction")), "a:1");
  EXPECT_EQ(to_text(tree.values.at("together")), "[]");
  EXPECT_THROW(
      settings_from_json(R"({"component": "toy.learner.tree", "together": [1]})", toys::registry()),
      UsageError);
}

}  // namespace
}  // namespace gradatim::api
