// One row, a few rows, whole strips and stage by stage: the same numbers.
#include <gtest/gtest.h>

#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

struct Case {
  std::string model;
  Target target;
  Options options;
};

const std::vector<Case> kCases = {
    {"boost.newton", Target::two_classes, {{"n_estimators", "12"}}},
    {"boost.newton", Target::three_classes, {{"n_estimators", "5"}, {"subsample", "0.5"}}},
    {"boost.newton",
     Target::three_classes,
     {{"n_estimators", "5"}, {"multi_strategy", "multi_output_tree"}}},
    {"boost.newton", Target::three_classes, {{"n_estimators", "4"}, {"num_parallel_tree", "3"}}},
    {"boost.newton", Target::numbers, {{"n_estimators", "6"}, {"tree_method", "exact"}}},
    {"boost.newton", Target::numbers, {{"n_estimators", "6"}, {"learner", "linear"}}},
    {"boost.newton", Target::three_classes, {{"n_estimators", "4"}, {"linear_tree", "true"}}},
    {"boost.gradient", Target::numbers, {{"n_estimators", "6"}}},
    {"boost.adaboost", Target::three_classes, {{"n_estimators", "8"}}},
    {"boost.adaboost_r2", Target::numbers, {{"n_estimators", "8"}}},
};
const TableShape kShape{
    .rows = 700, .numeric = 3, .categorical = 2, .categories = 40, .missing = 0.2};

std::vector<double> row_of(const data::Model& model, const data::Table& table, std::int64_t row) {
  std::vector<double> cells;
  for (const auto& feature : model.card().features.columns) {
    const data::Column& column = table.column(feature.name);
    double cell = kNaN;
    column.read(row, {&cell, 1});
    if (feature.categories && !std::isnan(cell)) {
      const auto& words = *feature.categories;
      const auto found = std::find(words.begin(), words.end(), column.cell(row));
      cell = static_cast<double>(found - words.begin());
    }
    cells.push_back(cell);
  }
  return cells;
}

TEST(EnsemblePredict, OneRowIsARowOfMany) {
  for (const Case& c : kCases) {
    const auto request = request_of(learnable(kShape, c.target, 3));
    const auto model = fit(c.model, c.options, request);
    for (const auto kind : {data::PredictKind::response, data::PredictKind::margin}) {
      const auto all = model->predict(request.table, {.kind = kind});
      for (std::int64_t row = 0; row < request.table.rows(); row += 7) {
        std::vector<double> out(8);
        const auto count = model->predict_row(row_of(*model, request.table, row), out, kind);
        ASSERT_EQ(count, all.columns) << c.model;
        for (std::int64_t k = 0; k < count; ++k) {
          ASSERT_EQ(out[k], all.values[row * count + k]) << c.model << ", row " << row;
        }
      }
    }
  }
}

TEST(EnsemblePredict, AFewRowsAreRowsOfMany) {
  const std::vector<std::int64_t> few = {0, 1, 300, 699};
  for (const Case& c : kCases) {
    const auto request = request_of(learnable(kShape, c.target, 4));
    const auto model = fit(c.model, c.options, request);
    const auto all = model->predict(request.table, {});
    const auto part = model->predict(request.table.take(few), {});
    for (std::size_t i = 0; i < few.size(); ++i) {
      for (int k = 0; k < all.columns; ++k) {
        EXPECT_EQ(part.values[i * all.columns + k], all.values[few[i] * all.columns + k])
            << c.model;
      }
    }
  }
}

TEST(EnsemblePredict, AStageIsAPredictionOfSoManyRounds) {
  for (const Case& c : kCases) {
    const auto request = request_of(learnable(kShape, c.target, 5));
    const auto model = fit(c.model, c.options, request);
    model->predict_staged(
        request.table, {}, [&](std::int64_t round, const data::Predictions& stage) {
          EXPECT_EQ(stage.values, model->predict(request.table, {.rounds = round}).values)
              << c.model << ", round " << round;
        });
  }
}

TEST(EnsemblePredict, ARowOfAnotherSizeIsRefused) {
  const auto request = request_of(learnable({}, Target::two_classes, 6));
  const auto model = fit("boost.newton", {{"n_estimators", "2"}}, request);
  const auto kind = data::PredictKind::response;
  std::vector<double> out(2);
  const std::vector<double> row(2);
  EXPECT_EQ(code_of([&] { model->predict_row(std::span(row).first(1), out, kind); }), 1045);
  EXPECT_EQ(code_of([&] { model->predict_row(row, std::span(out).first(1), kind); }), 1045);
}

}  // namespace
}  // namespace gradatim::boost
