#include <gtest/gtest.h>

#include "gradatim/api/settings.h"
#include "gradatim/api/toys_test.h"
#include "gradatim/core/error.h"

namespace gradatim::api {
namespace {

Settings parsed(std::vector<Option> options) {
  return parse_settings("toy.boost", options, toys::registry());
}

std::string message(std::vector<Option> options) {
  try {
    parsed(std::move(options));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ParseSettings, HoldsOnlyWhatWasSaid) {
  const auto settings =
      parse_settings("toy.gbdt", std::vector<Option>{{"n_estimators", "5"}}, toys::registry());
  EXPECT_EQ(settings, (Settings{"toy.boost", {{"n_estimators", std::int64_t{5}}}, {}}));
}

TEST(ParseSettings, TakesPartsBeforeTheirSettingsWhateverTheOrder) {
  const auto one = parsed({{"loss", "huber"}, {"loss.delta", "2"}});
  const auto other = parsed({{"loss.delta", "2"}, {"loss", "toy.loss.pseudo_huber"}});
  EXPECT_EQ(one, other);
  EXPECT_EQ(one.parts.at("loss").component, "toy.loss.huber");
  EXPECT_EQ(one.parts.at("loss").values.at("delta"), Value(2.0));
}

TEST(ParseSettings, FindsANameInTheOnlyPartThatHasIt) {
  const auto settings = parsed({{"max_depth", "3"}, {"bins", "64"}});
  const auto& learner = settings.parts.at("learner");
  EXPECT_EQ(learner.component, "toy.learner.tree");
  EXPECT_EQ(learner.values.at("max_depth"), Value(std::int64_t{3}));
  EXPECT_EQ(learner.parts.at("split").values.at("bins"), Value(std::int64_t{64}));
  EXPECT_EQ(parsed({{"learner.split.bins", "64"}}), parsed({{"bins", "64"}}));
}

TEST(ParseSettings, ChoosesAnInnerPartByItsShortName) {
  const auto settings = parsed({{"split", "exact"}});
  EXPECT_EQ(settings.parts.at("learner").parts.at("split").component, "toy.split.exact");
}

TEST(ParseSettings, TakesTheLastOfTwoValues) {
  EXPECT_EQ(parsed({{"eta", "0.5"}, {"learning_rate", "0.2"}}).values.at("learning_rate"),
            Value(0.2));
  EXPECT_EQ(parsed({{"learner.max_depth", "3"}, {"max_depth", "4"}}), parsed({{"max_depth", "4"}}));
  EXPECT_EQ(parsed({{"loss", "huber"}, {"loss", "auto"}}), parsed({}));
}

TEST(ParseSettings, NamesTheNearestOption) {
  EXPECT_EQ(message({{"n_estimatos", "5"}}),
            "toy.boost has no option 'n_estimatos'; did you mean 'n_estimators'? (GRD-1002)");
  EXPECT_EQ(message({{"learner.max_dept", "5"}}),
            "toy.learner.tree has no option 'max_dept'; did you mean 'max_depth'? (GRD-1002)");
  EXPECT_EQ(
      message({{"foo.bar.baz", "5"}}),
      "toy.boost has no option 'foo.bar.baz'; 'gradatim describe toy.boost' shows its options "
      "(GRD-1002)");
}

TEST(ParseSettings, NamesTheComponentThatWouldHaveTheOption) {
  EXPECT_EQ(message({{"bins", "5"}, {"split", "exact"}}),
            "toy.boost has no option 'bins'; toy.split.fast has it where learner.split is fast "
            "(GRD-1002)");
  EXPECT_EQ(message({{"loss.delta", "5"}}),
            "toy.boost: 'loss.delta' needs loss to be named, since it is 'auto'; 'gradatim list "
            "toy.loss' shows the choices (GRD-1002)");
}

TEST(ParseSettings, RefusesAPartThatDoesNotExist) {
  EXPECT_EQ(message({{"loss", "hubr"}}),
            "there is no toy.loss named 'hubr'; did you mean 'huber'? (GRD-1001)");
}

struct Twin {
  static constexpr std::string_view kKind = "toy.twin";
  virtual ~Twin() = default;
};
struct TwinConfig {
  int size = 1;
};
struct Leaf : Twin {
  using Interface = Twin;
  explicit Leaf(const TwinConfig& /*config*/) {}
};
struct Pair : Twin {
  using Interface = Twin;
};
constexpr Setting kLeaf[] = {setting<&TwinConfig::size>({.doc = "A size."})};
constexpr Part kPair[] = {{"left", "toy.twin", "toy.twin.leaf", "One."},
                          {"right", "toy.twin", "toy.twin.leaf", "Other."}};
constexpr Entry kLeafEntry = component<Leaf, TwinConfig>(
    {.name = "toy.twin.leaf", .summary = "A leaf.", .source = "Nobody"}, kLeaf);
constexpr Entry kPairEntry = component<Pair, NoSettings>(
    {.name = "toy.twin.pair", .summary = "A pair.", .source = "Nobody"}, {}, kPair);

TEST(ParseSettings, RefusesANameThatTwoPartsHave) {
  const Entry* entries[] = {&kLeafEntry, &kPairEntry};
  const Registry registry(entries);
  try {
    parse_settings("toy.twin.pair", std::vector<Option>{{"size", "3"}}, registry);
    FAIL() << "accepted";
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(),
                 "toy.twin.pair: option 'size' is ambiguous; write 'left.size' or "
                 "'right.size' (GRD-1006)");
  }
}

TEST(Complete, FillsEveryDefaultAndLeavesAutoOut) {
  const auto full = complete(parsed({{"max_depth", "3"}}), toys::registry());
  EXPECT_EQ(full.values.size(), 4U);
  EXPECT_EQ(full.values.at("learning_rate"), Value(0.1));
  EXPECT_FALSE(full.parts.contains("loss"));
  EXPECT_EQ(full.parts.at("learner").values.at("max_depth"), Value(std::int64_t{3}));
  EXPECT_EQ(full.parts.at("learner").parts.at("split").values.at("bins"), Value(std::int64_t{256}));
}

TEST(Check, RefusesSettingsThatWereMadeByHand) {
  Settings settings{.component = "toy.boost"};
  settings.values["learning_rate"] = 2.0;
  EXPECT_THROW(check(settings, toys::registry()), UsageError);
  settings.values = {{"learning_rat", 0.5}};
  EXPECT_THROW(check(settings, toys::registry()), UsageError);
  settings.values = {{"eta", std::int64_t{1}}};
  check(settings, toys::registry());
  EXPECT_EQ(complete(settings, toys::registry()).values.at("learning_rate"), Value(1.0));
}

TEST(Build, GivesPartsAndLeavesAutoNull) {
  const auto plain = build_as<toys::Model>(parsed({{"eta", "0.5"}}), toys::registry());
  EXPECT_EQ(plain->rate(), 0.5);
  EXPECT_EQ(plain->rounds(), 100);
  EXPECT_EQ(plain->loss(), nullptr);
  const auto huber =
      build_as<toys::Model>(parsed({{"loss", "huber"}, {"delta", "2"}}), toys::registry());
  ASSERT_NE(huber->loss(), nullptr);
  EXPECT_EQ(huber->loss()->value(4.0), 6.0);
}

TEST(Notices, TellDeprecatedComponentsAndSettings) {
  const auto settings = parsed({{"learner", "stump"}, {"shuffle", "true"}});
  EXPECT_EQ(notices(settings, toys::registry()),
            (std::vector<std::string>{
                "toy.boost: option 'shuffle' is deprecated since 0.2",
                "toy.learner.stump is deprecated since 0.3; use toy.learner.tree with max_depth "
                "1"}));
  EXPECT_TRUE(notices(parsed({}), toys::registry()).empty());
}

}  // namespace
}  // namespace gradatim::api
