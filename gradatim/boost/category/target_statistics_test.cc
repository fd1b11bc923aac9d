// Target statistics in fits: what they are worth, where they come from, and that nothing leaks.
#include "gradatim/boost/category/target_statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "gradatim/boost/category/fit_statistics.h"
#include "gradatim/boost/testing.h"
#include "gradatim/boost/tree/growth.h"
#include "gradatim/core/parallel.h"
#include "gradatim/data/cross_validate.h"

namespace gradatim::boost {
namespace {

using namespace testing;

enum class Kind { signal, noise, days };

// A column of 400 words, a month of 1 to 12 and a day of 1 to 28. The target is what a word's
// number says (signal), what the month and the day say together (days), or nothing.
data::Table wordy(std::int64_t rows, Kind kind, std::uint64_t seed, Target target) {
  Random random(seed);
  data::Categories words;
  for (int k = 0; k < 400; ++k) words.push_back(fmt::format("plane{}", k * 7919 % 400));
  std::vector<std::int32_t> codes, classes;
  std::vector<double> month, day, y;
  for (std::int64_t row = 0; row < rows; ++row) {
    codes.push_back(random.uniform() < 0.1 ? -1 : static_cast<std::int32_t>(random.below(400)));
    month.push_back(random.uniform() < 0.05 ? kNaN : static_cast<double>(1 + random.below(12)));
    day.push_back(static_cast<double>(1 + random.below(28)));
    const bool bad = kind == Kind::days ? std::fmod(month.back() * 31 + day.back() * 17, 5.0) < 2.0
                                        : codes.back() * 37 % 400 > 200;
    const double level = kind == Kind::noise ? 0.5 : bad ? 0.8 : 0.2;
    y.push_back(random.uniform() < level ? 1.0 : 0.0);
    classes.push_back(static_cast<std::int32_t>(y.back()) + (random.uniform() < 0.3 ? 1 : 0));
  }
  std::vector<data::Column> columns = {data::categorical_column("plane", codes, words),
                                       data::numeric_column("month", month),
                                       data::numeric_column("day", day)};
  if (target == Target::three_classes) {
    columns.push_back(data::categorical_column("y", classes, {"low", "mid", "top"}));
  } else if (target == Target::two_classes) {
    columns.push_back(data::boolean_column("y", {y.begin(), y.end()}));
  } else {
    columns.push_back(data::numeric_column("y", y));
  }
  return data::Table(std::move(columns));
}

const Options kColumns = {{"target_statistics", "columns"}, {"n_estimators", "8"}};
const Options kCombinations = {{"target_statistics", "combinations"}, {"n_estimators", "8"}};

bool has_arrays(const data::Model& model) {
  const std::string bytes = model.bytes();
  return has_statistics(SafetensorsFile(bytes, "model"));
}

double loss_on(const data::Model& model, const data::Table& table) {
  return model.evaluate(table, {"boost.metric.log_loss"}, "").at(0).second;
}

TEST(TargetStatistics, HelpWhereManyCategoriesSaySomething) {
  const auto train = request_of(wordy(4000, Kind::signal, 1, Target::two_classes));
  const auto test = wordy(4000, Kind::signal, 2, Target::two_classes);
  const auto without =
      fit("boost.newton", {{"n_estimators", "30"}, {"target_statistics", "none"}}, train);
  const auto with = fit("boost.newton", {{"n_estimators", "30"}}, train);
  EXPECT_LT(loss_on(*with, test), loss_on(*without, test) - 0.02);
  EXPECT_TRUE(has_arrays(*with));
}

TEST(TargetStatistics, WhereTheySayNothingTheModelIsTheOneWithout) {
  const auto train = request_of(wordy(4000, Kind::noise, 1, Target::two_classes));
  const auto with = fit("boost.newton", kCombinations, train);
  EXPECT_FALSE(has_arrays(*with));
  EXPECT_EQ(with->predict(train.table, {}).values,
            fit("boost.newton", {{"n_estimators", "8"}, {"target_statistics", "none"}}, train)
                ->predict(train.table, {})
                .values);
}

TEST(TargetStatistics, CombinationsFindWhatColumnsSayTogether) {
  const auto train = request_of(wordy(20000, Kind::days, 1, Target::two_classes));
  const auto test = wordy(4000, Kind::days, 2, Target::two_classes);
  const auto with = fit("boost.newton", kCombinations, train);
  EXPECT_LT(loss_on(*with, test),
            loss_on(*fit("boost.newton", {{"n_estimators", "8"}}, train), test) - 0.05);
  const std::string bytes = with->bytes();
  const SafetensorsFile file(bytes, "model");
  EXPECT_EQ(file.read<std::int32_t>("statistics.feature"), (std::vector<std::int32_t>{1, 2}));
  EXPECT_EQ(file.read<std::int32_t>("statistics.sets"), (std::vector<std::int32_t>{0, 1}));
}

TEST(TargetStatistics, CountForTheFeaturesThatTheyAreMadeFrom) {
  const auto train = request_of(wordy(20000, Kind::days, 1, Target::two_classes));
  const auto model = fit("boost.newton", kCombinations, train);
  const auto rows = model->importances();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(model->card().features.columns.size(), 3U);
  double sum = 0.0;
  for (const auto& row : rows) sum += row.gain;
  const std::string bytes = model->bytes();
  double splits = 0.0;
  for (const float gain : SafetensorsFile(bytes, "model").read<float>("tree.gain")) splits += gain;
  EXPECT_NEAR(sum, splits, 1e-6 * splits);
  EXPECT_EQ(rows.back().feature, "plane");
}

struct Case {
  std::string name, model;
  Options options;
  data::FitRequest request;
};

std::vector<Case> every_case() {
  std::vector<Case> cases;
  for (const char* model : {"boost.newton", "boost.gradient"}) {
    for (const Target target : {Target::numbers, Target::two_classes, Target::three_classes}) {
      auto request = request_of(wordy(6000, Kind::signal, 1, target));
      cases.push_back({"columns", model, kColumns, request});
      request.table = wordy(6000, Kind::days, 1, target);
      cases.push_back({"combinations", model, kCombinations, request});
      cases.push_back({"sampled", model, kCombinations, request});
      cases.back().options.emplace_back("subsample", "0.5");
      request.valid_fraction = 0.3;
      cases.push_back({"watched", model, kCombinations, request});
    }
  }
  auto several = with_second_target(request_of(wordy(6000, Kind::signal, 1, Target::numbers)));
  cases.push_back({"several targets", "boost.newton", kCombinations, several});
  cases.push_back({"vectors", "boost.newton", kColumns, several});
  cases.back().options.emplace_back("multi_strategy", "multi_output_tree");
  for (const char* learner : {"linear", "stump"}) {
    cases.push_back({learner, "boost.newton", kColumns,
                     request_of(wordy(6000, Kind::signal, 1, Target::two_classes))});
    cases.back().options.emplace_back("learner", learner);
  }
  cases.push_back({"exact", "boost.newton", kColumns,
                   request_of(wordy(2000, Kind::signal, 1, Target::two_classes))});
  cases.back().options.emplace_back("tree_method", "exact");
  cases.back().request.valid_fraction = 0.3;
  return cases;
}

TEST(TargetStatistics, GiveTheSameBytesOnAnyNumberOfThreadsAndComeBackFromAFile) {
  for (const Case& c : every_case()) {
    SCOPED_TRACE(c.model + " " + c.name);
    const auto on = [&](int threads) {
      const ThreadScope scope(threads);
      return fit(c.model, c.options, c.request);
    };
    const auto model = on(1);
    EXPECT_TRUE(has_arrays(*model));
    EXPECT_EQ(model->bytes() == on(4)->bytes(), true);
    const auto loaded = data::load_model_bytes(model->bytes(), "file");
    EXPECT_EQ(loaded->bytes() == model->bytes(), true);
    EXPECT_EQ(loaded->predict(c.request.table, {}).values,
              model->predict(c.request.table, {}).values);
    EXPECT_EQ(loaded->importances().at(0).gain, model->importances().at(0).gain);
  }
}

TEST(TargetStatistics, OneRowIsPredictedAsInATable) {
  for (const Case& c : every_case()) {
    SCOPED_TRACE(c.model + " " + c.name);
    const auto model = fit(c.model, c.options, c.request);
    const auto all = model->predict(c.request.table, {});
    const auto& words = *model->card().features.columns[0].categories;
    for (std::int64_t row = 0; row < 60; ++row) {
      std::vector<double> features, out(all.columns);
      const std::string word = c.request.table.column("plane").cell(row);
      const auto at = std::find(words.begin(), words.end(), word) - words.begin();
      features.push_back(word.empty() ? kNaN : static_cast<double>(at));
      features.push_back(numbers(c.request.table.column("month"))[row]);
      features.push_back(numbers(c.request.table.column("day"))[row]);
      model->predict_row(features, out, data::PredictKind::response);
      for (int k = 0; k < all.columns; ++k) EXPECT_EQ(out[k], all.values[row * all.columns + k]);
    }
  }
}

TEST(TargetStatistics, StagesEndWhereThePredictionIs) {
  const Case c = every_case().front();
  const auto model = fit(c.model, c.options, c.request);
  std::vector<double> last;
  model->predict_staged(c.request.table, {},
                        [&](std::int64_t, const data::Predictions& made) { last = made.values; });
  EXPECT_EQ(last, model->predict(c.request.table, {}).values);
}

// Rows to watch are looked up in the table of all training rows, as rows to predict are.
TEST(TargetStatistics, WatchedRowsAreScoredAsThePredictionScoresThem) {
  for (const char* method : {"histogram", "exact"}) {
    auto request = request_of(wordy(4000, Kind::signal, 1, Target::two_classes));
    request.valid = wordy(1000, Kind::signal, 2, Target::two_classes);
    Options options = kColumns;
    options.emplace_back("tree_method", method);
    const auto model = fit("boost.newton", options, request);
    ASSERT_EQ(model->card().rounds, 8);
    EXPECT_NEAR(model->card().history.at(0).values.back(), loss_on(*model, *request.valid), 1e-12)
        << method;
  }
}

std::vector<double> probabilities(const data::Model& model, const data::Column& plane) {
  const auto rows = static_cast<std::size_t>(plane.rows());
  const data::Table table({plane, data::numeric_column("month", std::vector<double>(rows, 3.0)),
                           data::numeric_column("day", std::vector<double>(rows, 3.0))});
  return model.predict(table, {.kind = data::PredictKind::margin}).values;
}

// Planes are late more often than not, those without a name never.
TEST(TargetStatistics, AnUnseenCategoryHasTheMeanAndAMissingOneItsOwn) {
  auto table = wordy(6000, Kind::signal, 1, Target::two_classes);
  std::vector<std::int32_t> codes(table.rows());
  table.column("plane").read_codes(0, codes);
  std::vector<std::uint8_t> late;
  for (std::size_t row = 0; row < codes.size(); ++row) {
    late.push_back(codes[row] < 0 ? 0 : codes[row] % 3 == 0 ? 0 : 1);
  }
  std::vector<data::Column> columns(table.columns().begin(), table.columns().end());
  columns.back() = data::boolean_column("y", late);
  const auto request = request_of(data::Table(columns));
  // No sorted partitions: the statistic alone sees the planes.
  Options options = kColumns;
  options.emplace_back("min_cat_weight", "1e9");
  const auto model = fit("boost.newton", options, request);
  const std::string bytes = model->bytes();
  const auto tables = SafetensorsFile(bytes, "model").read<double>("statistics.tables");
  const double mean = tables.back();
  const double missing = tables[tables.size() - 2];
  EXPECT_GT(mean, 0.5);
  EXPECT_LT(missing, 0.01);
  const auto margin = probabilities(
      *model, data::categorical_column("plane", {-1, 0, 1}, {"never seen", "plane0"}));
  EXPECT_LT(margin[0], 0.0) << "missing";
  EXPECT_NE(margin[0], margin[1]) << "never seen";
}

TEST(TargetStatistics, DependOnNoTargetOfTheRowsThatAreHeldOut) {
  const auto table = wordy(3000, Kind::days, 1, Target::two_classes);
  std::vector<float> label;
  for (const double y : numbers(table.column("y"))) label.push_back(static_cast<float>(y));
  std::vector<std::uint8_t> held_out(3000);
  for (std::size_t row = 0; row < 3000; row += 3) held_out[row] = 1;
  const Task task{TaskKind::classification, {"false", "true"}};
  const TargetStatisticsConfig config{.mode = TargetStatisticsMode::combinations};
  const auto features = table.without("y");
  const auto run = [&] {
    return fit_statistics({.config = config,
                           .task = task,
                           .features = features,
                           .rules = {},
                           .label = label,
                           .weight = {},
                           .held_out = held_out});
  };
  const auto before = run();
  ASSERT_FALSE(before.columns.empty());
  for (std::size_t row = 0; row < 3000; row += 3) label[row] = 1.0F - label[row];
  const auto after = run();
  ASSERT_EQ(before.columns.size(), after.columns.size());
  for (std::size_t c = 0; c < before.columns.size(); ++c) {
    const auto one = numbers(before.columns[c]);
    const auto two = numbers(after.columns[c]);
    for (std::size_t row = 0; row < one.size(); ++row) {
      EXPECT_TRUE(one[row] == two[row] || (std::isnan(one[row]) && std::isnan(two[row]))) << row;
    }
  }
}

// Two rows have a word, and a leak would tell a held-out row its target.
TEST(TargetStatistics, CrossValidationLearnsNothingWhereNothingCanBeLearned) {
  Random random(5);
  data::Categories words;
  std::vector<std::int32_t> codes;
  std::vector<std::uint8_t> y;
  for (int k = 0; k < 1500; ++k) words.push_back(fmt::format("w{}", k));
  for (int row = 0; row < 3000; ++row) {
    codes.push_back(row / 2);
    y.push_back(random.uniform() < 0.5 ? 1 : 0);
  }
  const auto request = request_of(data::Table(
      {data::categorical_column("c", codes, words),
       data::numeric_column("x", std::vector<double>(3000, 1.0)), data::boolean_column("y", y)}));
  const auto result =
      data::cross_validate(api::parse_settings("boost.newton", kColumns), request, {.folds = 3});
  EXPECT_GT(result.lines.at(0).mean.back(), std::log(2.0) - 0.01);
}

TEST(TargetStatistics, CrossValidationIsNearTheFitsOnItsFolds) {
  const auto request = request_of(wordy(6000, Kind::days, 1, Target::two_classes));
  const auto with = data::cross_validate(api::parse_settings("boost.newton", kCombinations),
                                         request, {.folds = 3});
  const auto test = wordy(4000, Kind::days, 2, Target::two_classes);
  auto part = request;
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < 4000; ++row) rows.push_back(row);
  part.table = part.table.take(rows);
  EXPECT_NEAR(with.lines.at(0).mean.back(),
              loss_on(*fit("boost.newton", kCombinations, part), test), 0.02);
}

TEST(TargetStatistics, RoundsAndThenMoreOfThemAreAllRoundsToTheByte) {
  for (Case c : every_case()) {
    SCOPED_TRACE(c.model + " " + c.name);
    const auto rounds = [&](const char* n, std::shared_ptr<const data::Model> before) {
      Case own = c;
      for (auto& option : own.options) {
        if (option.first == "n_estimators") option.second = n;
      }
      own.request.init_model = std::move(before);
      return fit(own.model, own.options, own.request);
    };
    const auto all = rounds("5", nullptr);
    const auto some = data::load_model_bytes(rounds("3", nullptr)->bytes(), "file");
    EXPECT_EQ(rounds("2", some)->bytes() == all->bytes(), true);
  }
}

TEST(TargetStatistics, OfAModelToGoOnFromStayOnOtherRows) {
  const auto first = request_of(wordy(4000, Kind::signal, 1, Target::two_classes));
  const auto before = fit("boost.newton", kColumns, first);
  auto request = request_of(wordy(4000, Kind::signal, 3, Target::two_classes));
  request.init_model = before;
  const auto after = fit("boost.newton", {{"n_estimators", "4"}}, request);
  const auto table = [](const data::Model& model) {
    const std::string bytes = model.bytes();
    return SafetensorsFile(bytes, "model").read<double>("statistics.tables");
  };
  EXPECT_EQ(table(*before) == table(*after), true);
  EXPECT_EQ(after->predict(request.table, {.rounds = 8}).values,
            before->predict(request.table, {}).values);
}

TEST(TargetStatistics, AreCheckpointedWithTheFit) {
  auto request = request_of(wordy(4000, Kind::signal, 1, Target::two_classes));
  const auto whole = fit("boost.newton", kColumns, request)->bytes();
  const std::string folder = ::testing::TempDir() + "target_statistics_resume";
  std::filesystem::remove_all(folder);
  request.resume = folder;
  request.checkpoint_seconds = 0.0;
  EXPECT_EQ(fit("boost.newton", kColumns, request)->bytes() == whole, true);
  EXPECT_EQ(fit("boost.newton", kColumns, request)->bytes() == whole, true) << "from the folder";
}

TEST(TargetStatistics, RulesOfFeaturesCountTheGivenOnesAlone) {
  const auto request = request_of(wordy(4000, Kind::days, 1, Target::two_classes));
  const auto code = [&](const char* name, const char* value) {
    Options options = kCombinations;
    options.emplace_back(name, value);
    return code_of([&] { fit("boost.newton", options, request); });
  };
  EXPECT_EQ(code("monotone_constraints", "0,0,1"), 0);
  EXPECT_EQ(code("monotone_constraints", "0,0,1,1"), 1029);
  EXPECT_EQ(code("feature_weights", "plane:2"), 0);
  EXPECT_EQ(code("interaction_constraints", "plane,month;day"), 0);
  EXPECT_EQ(code("interaction_constraints", "share of y true by month and day"), 1028);
}

TEST(TargetStatistics, AColumnOfTheirNameIsRefused) {
  const auto table = wordy(4000, Kind::signal, 1, Target::two_classes);
  std::vector<data::Column> columns(table.columns().begin(), table.columns().end());
  columns[1] = columns[1].renamed("share of y true by plane");
  const auto request = request_of(data::Table(columns));
  EXPECT_EQ(code_of([&] { fit("boost.newton", kColumns, request); }), 2050);
}

}  // namespace
}  // namespace gradatim::boost
