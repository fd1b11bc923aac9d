// The law of contributions: with the base value they sum to the margins, in every model that has
// them.
#include <gtest/gtest.h>

#include <numeric>

#include "gradatim/boost/ensemble/every_fit_test.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {
namespace {

using namespace testing;

data::Table some_rows(const data::Table& table) {
  std::vector<std::int64_t> rows(std::min<std::int64_t>(table.rows(), 300));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
  return table.take(rows);
}

TEST(Contributions, SumToTheMargins) {
  int summed = 0, refused = 0;
  for (const Case& c : every_case()) {
    SCOPED_TRACE(c.name);
    const auto model = fit(c.model, c.options, c.request);
    const data::Table rows = some_rows(c.request.table);
    const data::PredictOptions options{.kind = data::PredictKind::margin,
                                       .base_margin = model->card().base_margin};
    data::Contributions made;
    const int code = code_of([&] { made = model->contributions(rows, options); });
    if (code != 0) {
      EXPECT_EQ(code, 1162);
      ++refused;
      continue;
    }
    ++summed;
    const auto margins = model->predict(rows, options);
    ASSERT_EQ(made.outputs, margins.columns);
    ASSERT_EQ(made.features, std::ssize(model->card().features.columns));
    const auto pairs = model->interactions(rows, options);
    ASSERT_EQ(pairs.values.size(), made.values.size() * (made.features + 1));
    for (std::size_t i = 0; i < made.values.size(); ++i) {
      const double* line = pairs.values.data() + i * (made.features + 1);
      ASSERT_NEAR(std::accumulate(line, line + made.features + 1, 0.0), made.values[i], 1e-9);
    }
    const double* value = made.values.data();
    for (const double margin : margins.values) {
      double sum = 0.0;
      for (std::int64_t f = 0; f <= made.features; ++f) sum += *value++;
      ASSERT_NEAR(sum, margin, 1e-9 * (1.0 + std::abs(margin)));
    }
  }
  EXPECT_GT(summed, 50);
  EXPECT_GT(refused, 3) << "votes, medians, lines and linear leaves";
}

TEST(Contributions, AreOfTheFeaturesThatAreUsed) {
  const auto request = request_of(learnable({.rows = 2000, .numeric = 3}, Target::numbers, 1));
  const auto stump = fit("boost.newton", {{"n_estimators", "1"}, {"max_depth", "1"}}, request);
  const auto importances = stump->importances();
  const auto made = stump->contributions(some_rows(request.table), {});
  const auto& columns = stump->card().features.columns;
  for (std::size_t i = 0; i < made.values.size(); ++i) {
    const std::size_t f = i % (columns.size() + 1);
    if (f == columns.size()) continue;
    EXPECT_EQ(made.values[i] != 0.0, columns[f].name == importances[0].feature);
  }
}

TEST(Contributions, AreTheSameOnAnyNumberOfThreadsAndOfTheFirstRounds) {
  const auto request = request_of(
      learnable({.rows = 3000, .numeric = 3, .categorical = 1}, Target::three_classes, 1));
  const auto many = fit("boost.newton", {{"n_estimators", "6"}}, request);
  const auto few = fit("boost.newton", {{"n_estimators", "2"}}, request);
  std::vector<double> by_threads[2];
  for (const int threads : {1, 2}) {
    const ThreadScope scope(threads);
    by_threads[threads - 1] = many->contributions(request.table, {}).values;
  }
  EXPECT_EQ(by_threads[0] == by_threads[1], true);
  EXPECT_EQ(many->contributions(request.table, {.rounds = 2}).values ==
                few->contributions(request.table, {}).values,
            true);
}

}  // namespace
}  // namespace gradatim::boost
