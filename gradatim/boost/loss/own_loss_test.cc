// Losses of one's own in C++, through the public row loop.
#include <gtest/gtest.h>

#include "gradatim/boost/loss/elementwise.h"
#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

struct OwnSquared {
  static void link(std::span<double>) {}
  Gradient operator()(float label, double score) const { return {score - double{label}, 1.0}; }
};

class OwnSquaredLoss final : public RegressionLoss<OwnSquared> {
 public:
  std::string_view default_metric() const override { return "boost.metric.rmse"; }
};

std::string bytes(std::string_view model, const data::FitRequest& request, bool own) {
  const Options options = {{"n_estimators", "20"}, {"subsample", "0.7"}};
  api::OwnParts parts;
  if (own) parts["loss"] = std::shared_ptr<const Loss>(std::make_shared<OwnSquaredLoss>());
  return data::fit_model(api::parse_settings(model, options), request, parts)->bytes();
}

TEST(OwnLoss, OfTheBuiltInFormulaGivesItsBytes) {
  const TableShape shape{.rows = 3000, .numeric = 2, .categorical = 1, .missing = 0.1};
  auto request = request_of(learnable(shape, Target::numbers, 5, true));
  for (const char* weight : {"", "w"}) {
    request.weight = weight;
    for (const char* model : {"boost.newton", "boost.gradient"}) {
      EXPECT_EQ(bytes(model, request, true), bytes(model, request, false)) << model << weight;
    }
  }
}

TEST(OwnLoss, OfSeveralTargetsGivesTheBytesOfTheBuiltIn) {
  auto request = request_of(learnable({.rows = 2000, .numeric = 3}, Target::numbers, 6));
  request.targets = {"y", "x2"};
  request.target.clear();
  EXPECT_EQ(bytes("boost.newton", request, true), bytes("boost.newton", request, false));
}

}  // namespace
}  // namespace gradatim::boost
