// One tree for all outputs, through the ensemble: fit, predict, save, load.
#include <gtest/gtest.h>

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

TEST(VectorLeaves, NeedALearnerThatGrowsThem) {
  const data::Table table = three_classes(200, 6);
  EXPECT_EQ(code_of([&] { fit_with(table, {{"learner", "boost.learner.linear"}}); }), 1040);
  EXPECT_EQ(code_of([&] { fit_with(table, {{"learner.tree_method", "exact"}}); }), 1040);
}

}  // namespace
}  // namespace gradatim::boost
