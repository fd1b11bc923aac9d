#include <gtest/gtest.h>

#include "gradatim/api/settings.h"
#include "gradatim/api/toys_test.h"
#include "gradatim/core/error.h"

namespace gradatim::api {
namespace {

const Setting& setting_of(std::string_view component, std::string_view name) {
  for (const auto& setting : toys::registry().get(component).settings) {
    if (setting.name == name) return setting;
  }
  throw std::logic_error("no such setting");
}

Value read(std::string_view component, std::string_view name, std::string_view text) {
  return parse_value(toys::registry().get(component), setting_of(component, name), text);
}

std::string message(std::string_view component, std::string_view name, std::string_view text) {
  try {
    read(component, name, text);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Value, ReadsWhatAPersonTypes) {
  EXPECT_EQ(read("toy.boost", "n_estimators", " 50 "), Value(std::int64_t{50}));
  EXPECT_EQ(read("toy.boost", "n_estimators", "1e3"), Value(std::int64_t{1000}));
  EXPECT_EQ(read("toy.boost", "learning_rate", "1"), Value(1.0));
  EXPECT_EQ(read("toy.boost", "learning_rate", ".25"), Value(0.25));
  EXPECT_EQ(read("toy.boost", "shuffle", "true"), Value(true));
  EXPECT_EQ(read("toy.boost", "shuffle", "0"), Value(false));
  EXPECT_EQ(read("toy.learner.tree", "grow_policy", "lossguide"), Value(std::string("lossguide")));
}

TEST(Value, ReadsListsWithAndWithoutBrackets) {
  const Value wanted = std::vector<Scalar>{0.1, 0.9};
  EXPECT_EQ(read("toy.boost", "quantiles", "0.1,0.9"), wanted);
  EXPECT_EQ(read("toy.boost", "quantiles", "[0.1, 0.9]"), wanted);
  EXPECT_EQ(read("toy.boost", "quantiles", "[]"), Value(std::vector<Scalar>{}));
}

TEST(Value, RefusesInOneSentence) {
  EXPECT_EQ(message("toy.loss.huber", "delta", "-1"),
            "toy.loss.huber: delta must be a number in (0, inf) [label]; got -1 (GRD-1003)");
  EXPECT_EQ(message("toy.boost", "n_estimators", "many"),
            "toy.boost: n_estimators must be an integer in [1, inf) [rounds]; got 'many' "
            "(GRD-1004)");
  EXPECT_EQ(message("toy.boost", "n_estimators", "1.5"),
            "toy.boost: n_estimators must be an integer in [1, inf) [rounds]; got 1.5 (GRD-1004)");
  EXPECT_EQ(message("toy.boost", "shuffle", "yes"),
            "toy.boost: shuffle must be true or false; got 'yes' (GRD-1004)");
  EXPECT_EQ(
      message("toy.learner.tree", "grow_policy", "lossguid"),
      "toy.learner.tree: grow_policy must be one of depthwise, lossguide; got 'lossguid'; did "
      "you mean 'lossguide'? (GRD-1005)");
  EXPECT_EQ(message("toy.boost", "quantiles", "0.1,2"),
            "toy.boost: quantiles must be a list of at most 3 numbers in (0, 1); got 2 (GRD-1003)");
  EXPECT_EQ(message("toy.boost", "quantiles", "0.1,0.2,0.3,0.4"),
            "toy.boost: quantiles must be a list of at most 3 numbers in (0, 1); got 4 of them "
            "(GRD-1003)");
  EXPECT_EQ(message("toy.boost", "learning_rate", "nan"),
            "toy.boost: learning_rate must be a number in (0, 1]; got nan (GRD-1003)");
}

TEST(Value, RefusesWhatTheMemberCannotHold) {
  EXPECT_EQ(message("toy.learner.tree", "max_depth", "200"),
            "toy.learner.tree: max_depth must be at most 127; got 200 (GRD-1003)");
  EXPECT_EQ(message("toy.boost", "n_estimators", "5000000000"),
            "toy.boost: n_estimators must be at most 2147483647; got 5000000000 (GRD-1003)");
}

TEST(Value, PrintsRangesAndTypes) {
  EXPECT_EQ(to_text(above(0)), "(0, inf)");
  EXPECT_EQ(to_text(above_to(0, 1)), "(0, 1]");
  EXPECT_EQ(to_text(from_below(0, 0.5)), "[0, 0.5)");
  EXPECT_EQ(to_text(between(1, 1000000)), "[1, 1000000]");
  EXPECT_EQ(to_text(at_least(1e300)), "[1e+300, inf)");
  EXPECT_EQ(to_text(Range{}), "(-inf, inf)");
  EXPECT_EQ(type_text(setting_of("toy.boost", "quantiles")), "list of at most 3 reals");
  EXPECT_EQ(type_text(setting_of("toy.learner.tree", "grow_policy")),
            "one of depthwise, lossguide");
}

TEST(Value, RangesNeverAdmitNaNOrInfinity) {
  EXPECT_FALSE(Range{}.contains(std::numeric_limits<double>::infinity()));
  EXPECT_FALSE(Range{}.contains(std::numeric_limits<double>::quiet_NaN()));
  EXPECT_TRUE(Range{}.contains(std::numeric_limits<double>::lowest()));
}

}  // namespace
}  // namespace gradatim::api
