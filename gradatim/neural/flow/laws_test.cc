// Laws over every bijection and architecture of the manifest, with parameters drawn at random: they
// invert, their ln |det| is that of autograd's Jacobian, gradients are finite, and what files keep
// is all that they are.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "gradatim/neural/flow/random_flow_testing.h"

namespace gradatim::neural {
namespace {

constexpr std::int64_t kLawRows = 16;

struct LawCase {
  std::string name;
  FlowShape shape;
};

class FlowLaws : public ::testing::TestWithParam<LawCase> {
 protected:
  // Skips a shape that the component refuses in a line.
  void SetUp() override {
    testing::RandomFlow flow(GetParam().name, GetParam().shape, kLawRows);
    if (!flow.net) GTEST_SKIP() << flow.refused;
    maker_ = flow.maker;
    base_ = flow.base;
    net_ = std::move(flow.net);
    x_ = flow.x;
    context_ = flow.context;
  }

  std::shared_ptr<const Maker> maker_;
  std::shared_ptr<const BaseDensity> base_;
  std::unique_ptr<FlowNet> net_;
  Tensor x_, context_;
};

TEST_P(FlowLaws, InverseGivesTheSampleAndTheOtherSign) {
  const at::NoGradGuard plain;
  const Moved there = net_->steps().forward(x_, context_);
  const Moved back = net_->steps().inverse(there.x, context_);
  // Floats of the codes are as fine as their size allows.
  const float size = std::max(1.0F, there.x.abs().max().item<float>());
  EXPECT_LT((back.x - x_).abs().max().item<float>(), 1e-5F * size);
  const Tensor sum = add_log_det(there.log_det, back.log_det);
  if (sum.defined()) {
    EXPECT_LT(sum.abs().max().item<float>(), 1e-4F);
  }
  EXPECT_EQ(there.x[0].numel(), x_[0].numel());
}

TEST_P(FlowLaws, LogDeterminantIsThatOfTheJacobian) {
  const at::AutoGradMode graph(true);
  const Tensor x = x_.clone().requires_grad_();
  const Moved moved = net_->steps().forward(x, context_);
  const Tensor y = moved.x.flatten(1);
  const std::int64_t dims = y.size(1);
  const Tensor jacobian = at::empty({kLawRows, dims, dims});
  for (std::int64_t k = 0; k < dims; ++k) {
    // Rows do not see each other, so the gradient of a sum over rows is that of each.
    const auto gradient =
        torch::autograd::grad({y.select(1, k).sum()}, {x}, {}, true, false, true).front();
    if (gradient.defined()) {
      jacobian.select(1, k).copy_(gradient.flatten(1).detach());
    } else {
      jacobian.select(1, k).zero_();
    }
  }
  const Tensor exact = std::get<1>(at::linalg_slogdet(jacobian.to(at::kDouble)));
  const Tensor said = moved.log_det.defined() ? moved.log_det.detach().to(at::kDouble)
                                              : at::zeros({kLawRows}, at::kDouble);
  EXPECT_LT((said - exact).abs().max().item<double>(), 1e-4 * static_cast<double>(dims));
}

// Along the direction of the gradient, a difference of ln p is what the gradients on the way say it
// is: those of splines jump where a number crosses a knot.
TEST_P(FlowLaws, GradientsOfParametersAreThoseOfDifferences) {
  auto& parameters = net_->parameters();
  if (parameters.count() == 0) GTEST_SKIP() << "nothing is learned";
  parameters.require_gradients(true);
  const auto sum = [&] {
    const at::NoGradGuard plain;
    return net_->log_prob(x_, context_).sum(at::kDouble).item<double>();
  };
  const auto gradient = [&] {
    parameters.gradients().zero_();
    const at::AutoGradMode graph(true);
    const Tensor total = net_->log_prob(x_, context_).sum();
    const at::AutoGradMode plain(false);
    torch::autograd::backward({total}, {at::ones_like(total)});
    return parameters.gradients().clone();
  };
  const Tensor first = gradient();
  ASSERT_TRUE(at::isfinite(first).all().item<bool>());
  const double norm = first.norm().item<double>();
  ASSERT_GT(norm, 0.0);
  const Tensor direction = first / norm;
  const double size = 1e-3;
  std::vector<double> slopes{norm}, sums;
  for (const double by : {size, -2.0 * size}) {
    {
      const at::NoGradGuard plain;
      parameters.values().add_(direction, by);
    }
    sums.push_back(sum());
    slopes.push_back((gradient() * direction).sum(at::kDouble).item<double>());
  }
  const double difference = (sums[0] - sums[1]) / (2.0 * size), room = 0.02 * norm + 0.02;
  EXPECT_LT(difference, *std::ranges::max_element(slopes) + room);
  EXPECT_GT(difference, *std::ranges::min_element(slopes) - room);
}

TEST_P(FlowLaws, AFileKeepsAllThatItIs) {
  const at::NoGradGuard plain;
  SafetensorsWriter writer;
  net_->parameters().store(writer, net_->parameters().values(), "flow.");
  const std::string bytes = writer.bytes();
  const SafetensorsFile file(bytes, "memory");
  const auto loaded = load_flow(*maker_, *base_, GetParam().shape, file, "flow.");
  EXPECT_TRUE(at::equal(loaded->parameters().values(), net_->parameters().values()));
  // MKL's last bits depend on where numbers lie.
  const Tensor far = loaded->log_prob(x_, context_) - net_->log_prob(x_, context_);
  EXPECT_LT(far.abs().max().item<float>(), 1e-4F);
}

std::vector<LawCase> cases() {
  const std::vector<FlowShape> shapes = {
      {.sample = {1}, .seed = 3},       {.sample = {2}, .seed = 3},
      {.sample = {5}, .seed = 3},       {.sample = {4}, .classes = 2, .conditions = 1, .seed = 3},
      {.sample = {1, 4, 4}, .seed = 3}, {.sample = {3, 4, 4}, .classes = 2, .seed = 3},
  };
  std::vector<LawCase> all;
  for (const auto kind : {Bijection::kKind, Architecture::kKind}) {
    for (const auto* entry : api::Registry::instance().list(kind)) {
      for (const auto& shape : shapes) all.push_back({std::string(entry->text.name), shape});
    }
  }
  return all;
}

// Laws leave out the shapes that a component refuses; one that refused all would have none.
TEST(FlowLawCases, EveryComponentSuitsSomeShape) {
  std::map<std::string, int> suited;
  for (const LawCase& each : cases()) {
    suited[each.name] += testing::RandomFlow(each.name, each.shape, 2).net != nullptr ? 1 : 0;
  }
  EXPECT_FALSE(suited.empty());
  for (const auto& [name, count] : suited) EXPECT_GE(count, 1) << name;
}

std::string name_of(const ::testing::TestParamInfo<LawCase>& info) {
  std::string name = info.param.name.substr(info.param.name.find('.') + 1);
  for (const auto size : info.param.shape.sample) name += "_" + std::to_string(size);
  if (info.param.shape.context() > 0) name += "_given";
  std::ranges::replace(name, '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, FlowLaws, ::testing::ValuesIn(cases()), name_of);

}  // namespace
}  // namespace gradatim::neural
