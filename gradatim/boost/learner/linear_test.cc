#include <gtest/gtest.h>

#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

std::vector<double> array_of(const data::Model& model, const std::string& name) {
  const std::string bytes = model.bytes();
  return SafetensorsFile(bytes, "model").read<double>(name);
}

void expect_near(const std::vector<double>& got, const std::vector<double>& expected,
                 double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], tolerance) << i;
}

/// The learner with these options, at learning rate 1.
std::shared_ptr<const data::Model> newton(Options options, const data::FitRequest& request) {
  options.insert(options.begin(), {{"learner", "linear"}, {"learning_rate", "1"}});
  return fit("boost.newton", options, request);
}

/// The columns and a base margin of zeros, where the fit starts.
data::FitRequest from_zero(std::vector<data::Column> columns) {
  columns.push_back(data::numeric_column("m", std::vector<double>(columns[0].rows(), 0.0)));
  auto request = request_of(data::Table(std::move(columns)));
  request.base_margin = {"m"};
  return request;
}

/// Margins above the base margin, which is zero.
std::vector<double> scores(const data::Model& model, const data::FitRequest& request,
                           std::int64_t rounds = 0) {
  return model
      .predict(
          request.table,
          {.kind = data::PredictKind::margin, .rounds = rounds, .base_margin = request.base_margin})
      .values;
}

// x0 = 1 2 3 (missing), x1 = 1 -1 0 2, y = 2 4 6 8; squared loss from F = 0, so g = F - y and
// h = 1; lambda 2, alpha 1. sum x0^2 = 14 and sum x1^2 = 6.
//   round 1  bias  G = -20, H = 4, neither shrunk: 5.               g = 3 1 -1 -3
//            x0    G = 3 + 2 - 3 = 2, -T(2)/(14 + 2) = -1/16.       g = 2.9375 0.875 -1.1875 -3
//            x1    G = 2.9375 - 0.875 - 6 = -3.9375, T = -2.9375:  2.9375/(6 + 2) = 0.3671875
//            F = 5.3046875 4.5078125 4.8125 5.734375
//   round 2  bias  G = 0.359375, -G/4 = -0.08984375.
//                  g = 3.21484375 0.41796875 -1.27734375 -2.35546875
//            x0    G = 0.21875, which alpha takes to 0
//            x1    G = -1.9140625, T = -0.9140625:  0.9140625/8 = 0.1142578125
//            F = 5.3291015625 4.3037109375 4.72265625 5.873046875
// All of these are binary fractions, so nothing is rounded.
TEST(LinearLearner, TwoPassesWithBothPenaltiesMatchTheHand) {
  const auto request = from_zero({data::numeric_column("x0", {1, 2, 3, kNaN}),
                                  data::numeric_column("x1", {1, -1, 0, 2}),
                                  data::numeric_column("y", {2, 4, 6, 8})});
  const auto model =
      newton({{"n_estimators", "2"}, {"reg_lambda", "2"}, {"reg_alpha", "1"}}, request);
  expect_near(array_of(*model, "linear.bias"), {5, -0.08984375}, 1e-15);
  expect_near(array_of(*model, "linear.weights"), {-0.0625, 0.3671875, 0, 0.1142578125}, 1e-15);
  expect_near(scores(*model, request, 1), {5.3046875, 4.5078125, 4.8125, 5.734375}, 1e-15);
  expect_near(scores(*model, request), {5.3291015625, 4.3037109375, 4.72265625, 5.873046875},
              1e-15);
}

// Logistic loss from F = 0, y = 0 1 1, x = 0 1 3: g = 1/2 -1/2 -1/2, h = 1/4.
//   bias  G = -1/2, H = 3/4: 2/3, and g + h 2/3 = 2/3 -1/3 -1/3
//   x     G = -1/3 - 1 = -4/3, H = (1 + 9)/4: 8/15
TEST(LinearLearner, HessiansWeighTheStep) {
  const auto request = from_zero({data::numeric_column("x", {0, 1, 3}),
                                  data::categorical_column("y", {0, 1, 1}, {"no", "yes"})});
  const auto model = newton({{"n_estimators", "1"}}, request);
  expect_near(array_of(*model, "linear.bias"), {2.0 / 3}, 1e-8);
  expect_near(array_of(*model, "linear.weights"), {8.0 / 15}, 1e-8);
}

TEST(LinearLearner, AMissingCellAddsNothing) {
  const auto request = from_zero(
      {data::numeric_column("x", {1, 2, kNaN, kNaN}), data::numeric_column("y", {1, 3, 2, 7})});
  const auto model = newton({{"n_estimators", "3"}}, request);
  const auto zero =
      from_zero({data::numeric_column("x", {1, 2, 0, 0}), data::numeric_column("y", {1, 3, 2, 7})});
  EXPECT_EQ(newton({{"n_estimators", "3"}}, zero)->bytes(), model->bytes());
  double bias = 0.0;
  for (const double b : array_of(*model, "linear.bias")) bias += b;
  EXPECT_NEAR(scores(*model, request)[2], bias, 1e-9);
  EXPECT_EQ(scores(*model, request), scores(*model, zero));
}

// c = a a b (missing), y = 1 3 6 2, lambda 1. bias: 12/4 = 3, g = 2 0 -3 1.
//   a: G = 2, H = 2: -2/3;  b: G = -3, H = 1: 3/2
TEST(LinearLearner, ACategoryHasAWeightOfItsOwn) {
  const auto request = from_zero({data::categorical_column("c", {0, 0, 1, -1}, {"a", "b"}),
                                  data::numeric_column("y", {1, 3, 6, 2})});
  const auto model = newton({{"n_estimators", "1"}, {"reg_lambda", "1"}}, request);
  expect_near(scores(*model, request), {7.0 / 3, 7.0 / 3, 4.5, 3}, 1e-9);
  const auto words = from_zero({data::categorical_column("c", {0, 1, 2}, {"new", "b", "a"})});
  expect_near(scores(*model, words), {3, 4.5, 7.0 / 3}, 1e-9);
  EXPECT_NEAR(model->importances().at(0).gain, 2.0 / 3 + 1.5, 1e-9);
  EXPECT_EQ(model->importances().at(0).splits, 0.0);
}

TEST(LinearLearner, AWeightOfTwoIsTheRowTwice) {
  const auto once =
      from_zero({data::numeric_column("x", {1, 2, 4}), data::numeric_column("y", {1, 5, 2}),
                 data::numeric_column("w", {1, 2, 1})});
  auto weighted = once;
  weighted.weight = "w";
  const auto twice =
      request_of(once.table.take(std::vector<std::int64_t>{0, 1, 1, 2}).without("w"));
  auto repeated = twice;
  repeated.base_margin = {"m"};
  const Options options = {{"n_estimators", "4"}, {"reg_lambda", "0.5"}};
  expect_near(scores(*newton(options, weighted), once), scores(*newton(options, repeated), once),
              1e-8);
}

// x0 = 1 2 3 4 and x1 = 1 3 2 5. (4 -5 -2 3) is orthogonal to 1, x0 and x1, so the least squares of
// y = 2 + 3 x0 - x1 + (4 -5 -2 3) are the 2 + 3 x0 - x1 = 4 5 9 9. A penalty is on a round's
// weights, not on their sum: it slows the way and does not move the end.
TEST(LinearLearner, ManyRoundsReachLeastSquares) {
  const auto request = request_of(data::Table({data::numeric_column("x0", {1, 2, 3, 4}),
                                               data::numeric_column("x1", {1, 3, 2, 5}),
                                               data::numeric_column("y", {8, 0, 7, 12})}));
  for (const char* lambda : {"0", "3"}) {
    const auto model = newton({{"n_estimators", "3000"}, {"reg_lambda", lambda}}, request);
    expect_near(margins(*model, request.table), {4, 5, 9, 9}, 1e-5);
    const data::Table origin(
        {data::numeric_column("x0", {0, 1, 0}), data::numeric_column("x1", {0, 0, 1})});
    expect_near(margins(*model, origin), {2, 5, 1}, 1e-5);
  }
}

data::Table three_corners() {
  return data::Table({data::numeric_column("x0", {2, -1, -1}),
                      data::numeric_column("x1", {0, 1, -1}),
                      data::categorical_column("y", {0, 1, 2}, {"a", "b", "c"})});
}

std::shared_ptr<const data::Model> vote(Options options, const data::Table& table) {
  options.insert(options.begin(), {"learner", "linear"});
  return fit("boost.adaboost", options, request_of(table));
}

// One row a class, D = 1/3. x0 = 2 -1 -1 and x1 = 0 1 -1 are centred and orthogonal, with
// sum D x0^2 = 2 and sum D x1^2 = 2/3. Class k is fitted to t = +1 on its row and -1 elsewhere:
//   bias  -1/3 each
//   x0    sum D t x0 = 4/3 -2/3 -2/3, over 2 + lambda;  x1  0 2/3 -2/3, over 2/3 + lambda
// Passes after the first find nothing left to do, with the penalty on the whole weight.
TEST(LinearLearner, ClassesAreFittedOneAgainstTheRest) {
  const auto plain = vote({}, three_corners());
  EXPECT_EQ(plain->card().rounds, 1) << "it is perfect";
  expect_near(array_of(*plain, "linear.bias"), {-1.0 / 3, -1.0 / 3, -1.0 / 3}, 1e-6);
  expect_near(array_of(*plain, "linear.weights"), {2.0 / 3, 0, -1.0 / 3, 1, -1.0 / 3, -1}, 1e-6);
  const auto ridge = vote({{"reg_lambda", "1"}}, three_corners());
  expect_near(array_of(*ridge, "linear.weights"), {4.0 / 9, 0, -2.0 / 9, 0.4, -2.0 / 9, -0.4},
              1e-6);
  const auto votes = margins(*ridge, three_corners());
  for (int row = 0; row < 3; ++row) {
    for (int k = 0; k < 3; ++k) EXPECT_EQ(votes[row * 3 + k] > 0.0, row == k) << row << " " << k;
  }
}

TEST(LinearLearner, AdaBoostOfThreeClassesLearns) {
  const auto table = learnable({.rows = 300, .numeric = 3, .categorical = 1, .missing = 0.1},
                               Target::three_classes, 3);
  const auto model = vote({{"n_estimators", "20"}}, table);
  EXPECT_GT(model->evaluate(table, {"accuracy"}, "").at(0).second, 0.6);
}

TEST(LinearLearner, FilesSurviveTheRoundTrip) {
  const TableShape shape{.rows = 60, .numeric = 2, .categorical = 1, .missing = 0.2};
  for (const Target target : {Target::numbers, Target::two_classes, Target::three_classes}) {
    const auto table = learnable(shape, target, 6);
    for (const char* ensemble :
         {"boost.newton", "boost.gradient", "boost.adaboost", "boost.adaboost_r2"}) {
      const std::string_view name = ensemble;
      if (name == "boost.adaboost" && target == Target::numbers) continue;
      if (name == "boost.adaboost_r2" && target != Target::numbers) continue;
      const auto model =
          fit(ensemble, {{"learner", "linear"}, {"n_estimators", "3"}}, request_of(table));
      const std::string bytes = model->bytes();
      const auto loaded = data::load_model_bytes(bytes, "model");
      EXPECT_EQ(loaded->bytes(), bytes) << ensemble;
      EXPECT_EQ(margins(*loaded, table), margins(*model, table)) << ensemble;
      EXPECT_EQ(loaded->importances().at(0).gain, model->importances().at(0).gain) << ensemble;
    }
  }
}

}  // namespace
}  // namespace gradatim::boost
