// One tree for all outputs, through the ensemble: fit, predict, save, load.
#include <gtest/gtest.h>

#include <map>

#include "gradatim/boost/testing.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {
using namespace testing;
namespace {

data::Table three_classes(std::int64_t rows, std::uint64_t seed) {
  Random random(seed);
  auto columns = random_features({.rows = rows, .numeric = 4, .missing = 0.05}, random);
  std::vector<double> a(rows);
  std::vector<double> b(rows);
  columns[0].read(0, a);
  columns[1].read(0, b);
  std::vector<std::int32_t> y(rows);
  for (std::int64_t i = 0; i < rows; ++i) {
    const double score = (std::isnan(a[i]) ? 0.0 : a[i]) + 0.3 * random.normal();
    y[i] = score > 0.4 ? 2 : (std::isnan(b[i]) || b[i] > 0.0) ? 1 : 0;
  }
  columns.push_back(data::categorical_column("y", y, {"p", "q", "r"}));
  return data::Table(columns);
}

std::shared_ptr<const data::Model> fit_with(const data::Table& table,
                                            const std::vector<api::Option>& more) {
  std::vector<api::Option> options = {{"n_estimators", "12"},
                                      {"multi_strategy", "multi_output_tree"}};
  options.insert(options.end(), more.begin(), more.end());
  data::FitRequest request;
  request.table = table;
  request.target = "y";
  return data::fit_model(api::parse_settings("boost.newton", options), request);
}

double log_loss(const data::Model& model, const data::Table& table) {
  return model.evaluate(table, {"boost.metric.log_loss"}, "")[0].second;
}

TEST(VectorLeaves, LearnClassesAsWellAsATreeForEachDoes) {
  const data::Table train = three_classes(4000, 1);
  const data::Table test = three_classes(4000, 2);
  const double together = log_loss(*fit_with(train, {}), test);
  const double apart =
      log_loss(*fit_with(train, {{"multi_strategy", "one_output_per_tree"}}), test);
  EXPECT_LT(together, 1.1 * apart);
  EXPECT_LT(together, 0.7) << "ln 3 is chance";
}

TEST(VectorLeaves, AModelThatWasSavedPredictsTheSame) {
  const data::Table table = three_classes(1000, 3);
  const auto model = fit_with(table, {});
  const auto again = data::load_model_bytes(model->bytes(), "test");
  EXPECT_EQ(again->bytes(), model->bytes());
  EXPECT_EQ(again->predict(table, {}).values, model->predict(table, {}).values);
}

TEST(VectorLeaves, StagesEndAtThePrediction) {
  const data::Table table = three_classes(500, 4);
  const auto model = fit_with(table, {});
  std::vector<double> last;
  model->predict_staged(table, {},
                        [&](std::int64_t, const data::Predictions& p) { last = p.values; });
  EXPECT_EQ(last, model->predict(table, {}).values);
}

TEST(VectorLeaves, WatchedRowsAndSamplesDoNotChangeWithThreads) {
  const data::Table table = three_classes(3000, 5);
  std::vector<std::string> bytes;
  for (const int threads : {1, 2, 4}) {
    const ThreadScope scope(threads);
    bytes.push_back(
        fit_with(table, {{"subsample", "0.7"}, {"learner.colsample_bytree", "0.8"}})->bytes());
  }
  EXPECT_EQ(bytes[1], bytes[0]);
  EXPECT_EQ(bytes[2], bytes[0]);
}

// Targets that steps of two features tell apart, each with its own heights.
data::FitRequest many_targets(int targets, std::int64_t rows) {
  Random random(11);
  auto columns = random_features({.rows = rows, .numeric = 5}, random);
  const auto a = numbers(columns[0]);
  const auto b = numbers(columns[1]);
  data::FitRequest request;
  request.seed = 3;
  for (int k = 0; k < targets; ++k) {
    const double up = random.normal();
    const double side = random.normal();
    std::vector<double> y;
    for (std::int64_t i = 0; i < rows; ++i) {
      y.push_back((a[i] > 0.5 ? up : -up) + (b[i] > -0.3 ? side : 0.0) + 0.1 * random.normal());
    }
    request.targets.push_back(fmt::format("y{}", k));
    columns.push_back(data::numeric_column(request.targets.back(), std::move(y)));
  }
  request.table = data::Table(columns);
  return request;
}

std::shared_ptr<const data::Model> fit_many(const data::FitRequest& request, const Options& more) {
  Options options = {{"n_estimators", "6"}, {"multi_strategy", "multi_output_tree"}};
  options.insert(options.end(), more.begin(), more.end());
  return data::fit_model(api::parse_settings("boost.newton", options), request);
}

TEST(VectorLeaves, OnASketchStillTakeEveryOutputsOwnValue) {
  constexpr std::int64_t kRows = 400;
  for (const char* ensemble : {"boost.newton", "boost.gradient"}) {
    for (const char* method : {"random_projection", "top_outputs", "random_sampling"}) {
      const auto request = many_targets(7, kRows);
      Options options = {{"n_estimators", "1"},   {"multi_strategy", "multi_output_tree"},
                         {"learning_rate", "1"},  {"learner.max_depth", "3"},
                         {"sketch_outputs", "2"}, {"sketch_method", method}};
      if (std::string(ensemble) == "boost.newton") options.emplace_back("reg_lambda", "0");
      const auto model = data::fit_model(api::parse_settings(ensemble, options), request);
      const auto predicted = model->predict(request.table, {}).values;
      // Rows of one leaf have one prediction: the mean of their targets.
      std::map<std::vector<double>, std::vector<std::int64_t>> leaves;
      for (std::int64_t i = 0; i < kRows; ++i) {
        leaves[{predicted.begin() + i * 7, predicted.begin() + (i + 1) * 7}].push_back(i);
      }
      EXPECT_GT(leaves.size(), 4U);
      for (int k = 0; k < 7; ++k) {
        const auto y = numbers(request.table.column(request.targets[k]));
        for (const auto& [values, rows] : leaves) {
          double mean = 0.0;
          for (const std::int64_t row : rows) mean += y[row] / static_cast<double>(rows.size());
          EXPECT_NEAR(values[k], mean, 1e-6) << ensemble << " " << method;
        }
      }
    }
  }
}

TEST(VectorLeaves, OnASketchOfAllOutputsAreThoseOfNone) {
  const auto request = many_targets(5, 500);
  const auto none = fit_many(request, {{"sketch_outputs", "0"}});
  const auto all = fit_many(request, {{"sketch_outputs", "9"}});
  EXPECT_EQ(all->predict(request.table, {}).values, none->predict(request.table, {}).values);
}

TEST(VectorLeaves, LearnMoreOutputsThanHistogramsHold) {
  const auto request = many_targets(90, 600);
  EXPECT_EQ(code_of([&] { fit_many(request, {{"sketch_outputs", "0"}}); }), 1040);
  const auto model = fit_many(request, {});
  const double rmse = model->evaluate(request.table, {"boost.metric.rmse"}, "")[0].second;
  EXPECT_LT(rmse, 0.35) << "the targets' deviation is above 1";
}

TEST(VectorLeaves, OnASketchGoOnWhereTheyStopped) {
  auto request = many_targets(8, 300);
  const Options sketch = {{"sketch_outputs", "3"}};
  const auto whole = fit_many(request, {{"sketch_outputs", "3"}, {"n_estimators", "10"}});
  request.init_model = fit_many(request, {{"sketch_outputs", "3"}, {"n_estimators", "4"}});
  EXPECT_EQ(fit_many(request, sketch)->bytes(), whole->bytes());
}

TEST(VectorLeaves, NeedALearnerThatGrowsThem) {
  const data::Table table = three_classes(200, 6);
  EXPECT_EQ(code_of([&] { fit_with(table, {{"learner", "boost.learner.linear"}}); }), 1040);
  try {
    fit_with(table, {{"learner.tree_method", "exact"}});
    FAIL() << "exact has no trees for all outputs";
  } catch (const UsageError& error) {
    EXPECT_EQ(error.code(), 1040);
    EXPECT_NE(std::string(error.what()).find("tree_method"), std::string::npos) << error.what();
    EXPECT_EQ(std::string(error.what()).find("64"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace gradatim::boost
