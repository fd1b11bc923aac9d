// Laws over every bijection and architecture of the manifest, with parameters drawn at random: they
// invert, their ln |det| is that of autograd's Jacobian, gradients are finite, and what files keep
// is all that they are.
#include <gtest/gtest.h>

#include <algorithm>

#include "gradatim/api/registry.h"
#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/core/normal.h"
#include "gradatim/neural/flow/flow_net.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

constexpr std::int64_t kLawRows = 16;

Tensor normal_tensor(std::vector<std::int64_t> sizes, std::uint64_t seed) {
  std::vector<double> numbers(to_size(c10::multiply_integers(sizes)));
  normals(Philox(seed, Stream::data), 0, numbers);
  return at::tensor(at::ArrayRef<double>(numbers), at::kDouble).to(at::kFloat).view(sizes);
}

// Small settings, where a component has them: laws do not need wide networks.
api::Settings small_settings(const api::Entry& entry) {
  api::Settings settings{.component = std::string(entry.text.name)};
  const auto shrink = [&](std::string_view name, std::int64_t value) {
    for (const auto& setting : entry.settings) {
      if (setting.name == name) settings.values[std::string(name)] = value;
    }
  };
  shrink("width", 16);
  shrink("layers", 2);
  return api::complete(settings);
}

struct LawCase {
  std::string name;
  FlowShape shape;
};

class FlowLaws : public ::testing::TestWithParam<LawCase> {
 protected:
  // Skips a shape that the component refuses in a line.
  void SetUp() override {
    const auto& entry = *api::Registry::instance().find(GetParam().name);
    const auto settings = small_settings(entry);
    std::shared_ptr<const Maker> maker;
    if (entry.kind == Bijection::kKind) {
      maker = api::build_as<Bijection>(settings);
    } else {
      maker = api::build_as<Architecture>(settings);
    }
    base_ = api::build_as<BaseDensity>({.component = "neural.base.gaussian"});
    maker_ = maker;
    const FlowShape& shape = GetParam().shape;
    try {
      net_ = make_flow(*maker_, *base_, shape);
    } catch (const UsageError& error) {
      EXPECT_EQ(error.code(), 1191) << error.what();
      GTEST_SKIP() << error.what();
    }
    std::vector<std::int64_t> sizes{kLawRows};
    sizes.insert(sizes.end(), shape.sample.begin(), shape.sample.end());
    x_ = normal_tensor(sizes, 5);
    if (shape.context() > 0) context_ = normal_tensor({kLawRows, shape.context()}, 6);
    net_->steps().start(x_, context_);
    // Behind that, parameters of which none is special: layers that begin at 0 say nothing.
    const at::NoGradGuard plain;
    for (const auto& item : net_->parameters().items()) {
      item.value.add_(normal_tensor(item.value.sizes().vec(), 7 + to_size(item.offset)), 0.2);
    }
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
  EXPECT_LT((back.x - x_).abs().max().item<float>(), 1e-5F);
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

// Along the direction of the gradient, a difference of ln p is what the gradient says it is.
TEST_P(FlowLaws, GradientsOfParametersAreThoseOfDifferences) {
  auto& parameters = net_->parameters();
  if (parameters.count() == 0) GTEST_SKIP() << "nothing is learned";
  parameters.require_gradients(true);
  const auto sum = [&] { return net_->log_prob(x_, context_).sum(at::kDouble).item<double>(); };
  {
    const at::AutoGradMode graph(true);
    const Tensor total = net_->log_prob(x_, context_).sum();
    const at::AutoGradMode plain(false);
    torch::autograd::backward({total}, {at::ones_like(total)});
  }
  const at::NoGradGuard plain;
  const Tensor gradient = parameters.gradients().clone();
  ASSERT_TRUE(at::isfinite(gradient).all().item<bool>());
  const double norm = gradient.norm().item<double>();
  ASSERT_GT(norm, 0.0);
  const double size = 1e-3;
  parameters.values().add_(gradient, size / norm);
  const double above = sum();
  parameters.values().add_(gradient, -2.0 * size / norm);
  const double below = sum();
  EXPECT_NEAR((above - below) / (2.0 * size), norm, 0.02 * norm + 0.02);
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
