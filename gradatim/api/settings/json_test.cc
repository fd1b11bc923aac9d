#include <gtest/gtest.h>

#include <cmath>

#include "gradatim/api/settings.h"
#include "gradatim/api/toys_test.h"
#include "gradatim/core/error.h"

namespace gradatim::api {
namespace {

Settings from(std::string_view json) { return settings_from_json(json, toys::registry()); }

std::string message(std::string_view json) {
  try {
    from(json);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(SettingsJson, RoundTripsExactly) {
  const std::string text =
      R"({"component":"toy.boost","learning_rate":0.1,"quantiles":[0.30000000000000004,0.5],)"
      R"("shuffle":true,"learner":{"component":"toy.learner.tree","grow_policy":"lossguide",)"
      R"("reg_lambda":1e-300,"split":"toy.split.exact"},"loss":"toy.loss.huber"})";
  EXPECT_EQ(to_json(from(text)), text);
  EXPECT_EQ(from(to_json(from(text))), from(text));
}

TEST(SettingsJson, KeepsTheSignOfZeroAndTheTypeOfWholeReals) {
  Settings settings{.component = "toy.learner.tree"};
  settings.values["reg_lambda"] = -0.0;
  const auto back = from(to_json(settings));
  EXPECT_TRUE(std::signbit(std::get<double>(back.values.at("reg_lambda"))));
  EXPECT_EQ(from(R"({"component": "toy.learner.tree", "reg_lambda": 3})").values.at("reg_lambda"),
            Value(3.0));
}

TEST(SettingsJson, AcceptsAliasesShortNamesAndPaths) {
  const auto wanted =
      from(R"({"component":"toy.boost","loss":{"component":"toy.loss.huber","delta":2.0},)"
           R"("learner":{"component":"toy.learner.tree","max_depth":3}})");
  EXPECT_EQ(from(R"({"component":"toy.gbdt","max_depth":3,"loss.turn":2,"loss":"huber"})"), wanted);
  EXPECT_EQ(from(R"({"component":"toy.gbdt","loss":{"component":"huber","delta":2},)"
                 R"("learner":{"max_depth":3}})"),
            wanted);
  EXPECT_EQ(from(R"("toy.gbdt")"), from(R"({"component":"toy.boost"})"));
}

TEST(SettingsJson, RefusesInOneSentence) {
  EXPECT_EQ(message("{"), "the settings are not valid JSON at byte 2 (GRD-1004)");
  EXPECT_EQ(message("[]"),
            "the settings name no component; begin with {\"component\": \"...\"}, as "
            "'gradatim list' shows them (GRD-1002)");
  EXPECT_EQ(message(R"({"component": 3})"),
            "\"component\" must be the name of a component; got 3 (GRD-1004)");
  EXPECT_EQ(message(R"({"component":"toy.boost","n_estimators":"5"})"),
            "toy.boost: n_estimators must be an integer in [1, inf) [rounds]; got '5' (GRD-1004)");
  EXPECT_EQ(message(R"({"component":"toy.boost","n_estimators":null})"),
            "toy.boost: n_estimators must be an integer in [1, inf) [rounds]; got null (GRD-1004)");
  EXPECT_EQ(message(R"({"component":"toy.boost","n_estimators":1e300})"),
            "toy.boost: n_estimators must be an integer in [1, inf) [rounds]; got 1e+300 "
            "(GRD-1004)");
  EXPECT_EQ(message(R"({"component":"toy.boost","n_estimators":{"a":1}})"),
            "toy.boost has no option 'n_estimators.a'; did you mean 'n_estimators'? (GRD-1002)");
  EXPECT_EQ(message(R"({"component":"toy.boost","loss":3})"),
            "toy.boost: loss must be the name of a toy.loss (GRD-1004)");
  EXPECT_EQ(message(R"({"component":"toy.boost","quantiles":[[0.5]]})"),
            "toy.boost: quantiles must be a list of at most 3 numbers in (0, 1); got [0.5] "
            "(GRD-1004)");
}

}  // namespace
}  // namespace gradatim::api
