#include <gtest/gtest.h>

#include "gradatim/boost/loss/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

TEST(CrossEntropy, OfASoftLabelIsTheAverageOfBothHardOnes) {
  const auto soft = gradients(*loss("cross_entropy"), {0.25F}, {1.3});
  const auto hard = gradients(*loss("logistic"), {0, 1}, {1.3, 1.3});
  EXPECT_FLOAT_EQ(soft.g[0], 0.75F * hard.g[0] + 0.25F * hard.g[1]);
  EXPECT_EQ(soft.h[0], hard.h[0]);
}

TEST(CrossEntropy, LabelsOutsideZeroAndOneAreRefused) {
  EXPECT_EQ(code_of([] { loss("cross_entropy")->check({}, std::vector<float>{0, 1, 0.5F}); }), 0);
  for (const float bad : {-0.1F, 1.1F}) {
    EXPECT_EQ(code_of([&] { loss("cross_entropy")->check({}, std::vector<float>{bad}); }), 2032);
  }
}

// A row with the label 0.25 is a row of 0 with weight 3/4 and a row of 1 with weight 1/4.
TEST(CrossEntropy, ASoftLabelIsTwoWeightedRows) {
  Random r(4);
  std::vector<double> x, y, twice_x, weight;
  std::vector<std::int32_t> hard;
  for (int i = 0; i < 400; ++i) {
    x.push_back(r.uniform());
    y.push_back(0.25 * static_cast<double>(1 + r.below(3)));
    for (const int k : {0, 1}) {
      twice_x.push_back(x.back());
      hard.push_back(k);
      weight.push_back(k == 1 ? y.back() : 1.0 - y.back());
    }
  }
  const data::Table soft({data::numeric_column("x", x), data::numeric_column("y", y)});
  auto request = request_of(data::Table({data::numeric_column("x", twice_x),
                                         data::categorical_column("y", hard, {"a", "b"}),
                                         data::numeric_column("w", weight)}));
  request.weight = "w";
  const Options options = {{"n_estimators", "20"}};
  Options with_loss = options;
  with_loss.insert(with_loss.begin(), {"loss", "cross_entropy"});
  const auto one = fit("boost.newton", with_loss, request_of(soft))->predict(soft, {});
  const auto two = fit("boost.newton", options, request)->predict(soft, {});
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_NEAR(one.values[i], two.values[2 * i + 1], 1e-5);
  }
}

}  // namespace
}  // namespace gradatim::boost
