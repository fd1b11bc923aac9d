#include "gradatim/boost/ensemble/training_data.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;
using data::TaskHint;

data::FitRequest request_for(data::Column y) {
  std::vector<double> x(static_cast<std::size_t>(y.rows()));
  return request_of(data::Table({data::numeric_column("x", x), y.renamed("y")}));
}

Task task_of(data::Column y, TaskHint hint = TaskHint::automatic) {
  return prepare(request_for(std::move(y)), hint).task;
}

TEST(TrainingData, TheTargetDecidesTheTask) {
  EXPECT_FALSE(task_of(data::numeric_column("y", {0, 1})).classification());
  EXPECT_FALSE(task_of(data::integer_column("y", {0, 1, 2})).classification());
  EXPECT_EQ(task_of(data::integer_column("y", {1, 0})).classes,
            (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(task_of(data::boolean_column("y", {1, 0})).classes,
            (std::vector<std::string>{"false", "true"}));
  EXPECT_EQ(task_of(data::categorical_column("y", {0, 1}, {"z", "a", "never"})).classes,
            (std::vector<std::string>{"a", "z"}));
}

TEST(TrainingData, ALossMayAskForAnotherTask) {
  EXPECT_EQ(task_of(data::numeric_column("y", {2, 10, 2}), TaskHint::classification).classes,
            (std::vector<std::string>{"2", "10"}))
      << "in order of numbers";
  EXPECT_FALSE(task_of(data::integer_column("y", {0, 1}), TaskHint::regression).classification());
  EXPECT_EQ(code_of([] {
              task_of(data::categorical_column("y", {0, 1}, {"a", "b"}), TaskHint::regression);
            }),
            2020);
}

TEST(TrainingData, WhatLosesDigitsIsTold) {
  struct Listener final : Observer {
    std::vector<std::string> said;
    void on_step(const StepDone&) override {}
    void on_warning(const std::string& text) override { said.push_back(text); }
  };
  const auto words = [](std::vector<double> y, std::vector<double> weight) {
    Listener listener;
    auto table = data::Table({data::integer_column("id", {1LL << 60, 1, 2, 3}),
                              data::numeric_column("y", std::move(y)),
                              data::numeric_column("w", std::move(weight))});
    auto request = request_of(std::move(table));
    request.weight = "w";
    request.observer = &listener;
    prepare(request, TaskHint::regression);
    return listener.said;
  };
  const auto near = words({1e8, 1e8 + 1, 1e8 + 2, 1e8 + 3}, {1, 1, 1, 1});
  ASSERT_EQ(near.size(), 2U);
  EXPECT_EQ(near[0].substr(0, 39), "the target 'y' is kept to seven digits,");
  EXPECT_EQ(near[1].substr(0, 12), "column 'id' ");
  EXPECT_EQ(words({1e8, 1e8 + 1, 1e8 + 2, 1e20}, {1, 1, 1, 0}).size(), 2U)
      << "a row without weight says nothing";
  EXPECT_EQ(words({1e8, 2e8, 3e8, 4.1e8}, {1, 1, 1, 1}).size(), 1U);
}

TEST(TrainingData, LabelsAreIndicesOfClasses) {
  const auto data = prepare(request_for(data::categorical_column("y", {0, 1, 0}, {"z", "a"})),
                            TaskHint::automatic);
  EXPECT_EQ(data.train.label, (std::vector<float>{1, 0, 1}));
  auto ordered = request_for(data::categorical_column("y", {0, 1, 0}, {"z", "a"}));
  ordered.classes = {"z", "a"};
  EXPECT_EQ(prepare(ordered, TaskHint::automatic).train.label, (std::vector<float>{0, 1, 0}));
}

TEST(TrainingData, AMissingLabelIsRefused) {
  EXPECT_EQ(code_of([] { task_of(data::numeric_column("y", {1, kNaN})); }), 2021);
  EXPECT_EQ(code_of([] { task_of(data::categorical_column("y", {0, 1, -1}, {"a", "b"})); }), 2021);
  EXPECT_EQ(code_of([] { task_of(data::boolean_column("y", {0, 1, 2})); }), 2021);
}

TEST(TrainingData, OneClassIsRefused) {
  EXPECT_EQ(code_of([] { task_of(data::categorical_column("y", {0, 0}, {"a", "b"})); }), 2022);
  EXPECT_EQ(code_of([] {
              task_of(data::numeric_column("y", {3, 3}), TaskHint::classification);
            }),
            2022);
}

TEST(TrainingData, ALabelBeyondFloat32IsRefused) {
  EXPECT_EQ(code_of([] { task_of(data::numeric_column("y", {1, 1e300})); }), 2024);
  EXPECT_EQ(code_of([] { task_of(data::numeric_column("y", {1, kInfinity})); }), 2024);
}

data::FitRequest weighted(std::vector<double> weight) {
  std::vector<double> y(weight.size());
  auto request = request_of(data::Table({data::numeric_column("x", y), data::numeric_column("y", y),
                                         data::numeric_column("w", std::move(weight))}));
  request.weight = "w";
  return request;
}

TEST(TrainingData, WeightsAreFiniteNotNegativeAndNotAllZero) {
  const auto code = [](std::vector<double> weight) {
    return code_of([&] { prepare(weighted(std::move(weight)), TaskHint::automatic); });
  };
  EXPECT_EQ(code({1, 0}), 0);
  EXPECT_EQ(code({1, -1}), 2023);
  EXPECT_EQ(code({1, kNaN}), 2023);
  EXPECT_EQ(code({1, kInfinity}), 2023);
  EXPECT_EQ(code({1, 1e300}), 2023);
  EXPECT_EQ(code({0, 0}), 2023);
}

TEST(TrainingData, RowsOfWeightZeroAreDropped) {
  const auto data = prepare(weighted({0, 2, 0, 3}), TaskHint::automatic);
  EXPECT_EQ(data.train.weight, (std::vector<float>{2, 3}));
  EXPECT_EQ(data.train.features.columns().size(), 1U) << "neither target nor weight is a feature";
}

// Of such rows nothing else need be known, be they to learn from, to watch or to judge.
TEST(TrainingData, RowsOfWeightZeroNeedNoLabelAnywhere) {
  auto request = request_of(
      data::Table({data::numeric_column("x", {1, 2, 3}), data::numeric_column("y", {5, kNaN, 7}),
                   data::numeric_column("b", {0, kNaN, 0}), data::numeric_column("w", {1, 0, 2})}));
  request.weight = "w";
  request.base_margin = {"b"};
  request.valid = request.table;
  const auto data = prepare(request, TaskHint::automatic);
  for (const LabelledRows* rows : {&data.train, &*data.valid}) {
    EXPECT_EQ(rows->label, (std::vector<float>{5, 7}));
    EXPECT_EQ(rows->rows(), 2);
    EXPECT_EQ(rows->base_margin.at(0), (std::vector<double>{0, 0}));
  }
  const auto model = fit("boost.newton", {{"n_estimators", "1"}}, request);
  EXPECT_EQ(model->evaluate(request.table, {"rmse"}, "w"),
            model->evaluate(request.table.take(std::vector<std::int64_t>{0, 2}), {"rmse"}, "w"));
  EXPECT_EQ(code_of([&] {
              auto none = request;
              none.valid = request.table.take(std::vector<std::int64_t>{1});
              prepare(none, TaskHint::automatic);
            }),
            2023);
}

TEST(TrainingData, ABaseMarginThatIsNotFiniteIsNamedByItsRow) {
  auto request = request_of(data::Table(
      {data::numeric_column("x", {0, 0, 0}), data::numeric_column("y", {0, 0, 0}),
       data::numeric_column("b", {kNaN, 0, kInfinity}), data::numeric_column("w", {0, 1, 1})}));
  request.weight = "w";
  request.base_margin = {"b"};
  try {
    prepare(request, TaskHint::automatic);
    ADD_FAILURE() << "no error";
  } catch (const DataError& error) {
    EXPECT_EQ(error.code(), 2028);
    EXPECT_NE(error.message().find("column 'b', row 3"), std::string::npos) << error.message();
  }
}

// The message names the row of the source, not of what is left after dropping.
TEST(TrainingData, AnErrorNamesTheRowOfTheSource) {
  const data::Table table({data::numeric_column("x", {0, 0, 0}),
                           data::numeric_column("y", {0, 0, kNaN}),
                           data::numeric_column("w", {0, 1, 1})});
  auto request = request_of(table);
  request.weight = "w";
  try {
    prepare(request, TaskHint::automatic);
    ADD_FAILURE() << "no error";
  } catch (const DataError& error) {
    EXPECT_NE(error.message().find("row 3"), std::string::npos) << error.message();
  }
}

TEST(TrainingData, AnInfiniteFeatureIsRefused) {
  auto request = request_of(
      data::Table({data::numeric_column("x", {1, kInfinity}), data::numeric_column("y", {0, 1})}));
  EXPECT_NE(code_of([&] { prepare(request, TaskHint::automatic); }), 0);
}

TEST(TrainingData, AShareIsSplitOffBySeedAndRow) {
  auto request = request_of(learnable({.rows = 1000}, Target::numbers, 1));
  request.valid_fraction = 0.25;
  const auto data = prepare(request, TaskHint::automatic);
  ASSERT_TRUE(data.valid);
  EXPECT_EQ(data.train.rows() + data.valid->rows(), 1000);
  EXPECT_EQ(data.valid->rows(), 250);
  EXPECT_EQ(prepare(request, TaskHint::automatic).valid->label, data.valid->label);
  request.seed = 1;
  EXPECT_NE(prepare(request, TaskHint::automatic).valid->label, data.valid->label);
  request.valid_fraction = 1e-9;
  EXPECT_EQ(code_of([&] { prepare(request, TaskHint::automatic); }), 2018);
}

data::FitRequest rare_class(std::int64_t rare, std::int64_t rows, double share) {
  std::vector<std::int32_t> codes(rows);
  for (std::int64_t row = 0; row < rare; ++row) codes[row * 7 % rows] = 1;
  auto request = request_for(data::categorical_column("y", std::move(codes), {"often", "rare"}));
  request.valid_fraction = share;
  return request;
}

TEST(TrainingData, AShareHasEveryClassAlike) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    auto request = rare_class(10, 100, 0.3);
    request.seed = seed;
    const auto data = prepare(request, TaskHint::automatic);
    EXPECT_EQ(std::ranges::count(data.valid->label, 1.0F), 3) << seed;
    EXPECT_EQ(std::ranges::count(data.train.label, 1.0F), 7) << seed;
  }
}

TEST(TrainingData, AShareMustLeaveTwoClassesToLearnFrom) {
  EXPECT_EQ(code_of([] { prepare(rare_class(1, 10, 0.7), TaskHint::automatic); }), 2022);
}

TEST(LabelRows, AClassThatTrainingDidNotKnowIsRefused) {
  const data::Table table(
      {data::numeric_column("x", {1}), data::categorical_column("y", {0}, {"new"})});
  EXPECT_EQ(code_of([&] {
              label_rows(table, {TaskKind::classification, {"a", "b"}}, {"y"}, "", {});
            }),
            2026);
}

}  // namespace
}  // namespace gradatim::boost
