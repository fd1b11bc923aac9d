// Densities of flows of one and two numbers integrate to 1, whatever the parameters: for every
// architecture and bijection of the manifest that takes rows.
#include <gtest/gtest.h>

#include <algorithm>

#include "gradatim/neural/flow/random_flow_testing.h"

namespace gradatim::neural {
namespace {

using testing::RandomFlow;

constexpr std::int64_t kDraws = 2000;

struct DensityCase {
  std::string name;
  FlowShape shape;
};

class FlowDensity : public ::testing::TestWithParam<DensityCase> {};

// `count` places from below all of x to above it, with room for tails.
std::pair<Tensor, double> axis_of(const Tensor& x, std::int64_t count) {
  const double low = x.min().item<double>(), high = x.max().item<double>();
  const double room = 0.3 * (high - low);
  const Tensor places = at::linspace(low - room, high + room, count, at::kDouble).to(at::kFloat);
  return {places, (high - low + 2.0 * room) / static_cast<double>(count - 1)};
}

TEST_P(FlowDensity, IntegratesToOne) {
  const at::NoGradGuard plain;
  const FlowShape& shape = GetParam().shape;
  const RandomFlow flow(GetParam().name, shape, 16);
  if (!flow.net) GTEST_SKIP() << flow.refused;
  const std::int64_t dims = shape.dims();
  Tensor told = flow.context;  // the same for all
  if (told.defined()) told = told.narrow(0, 0, 1);
  const auto context = [&](std::int64_t rows) {
    return told.defined() ? told.expand({rows, told.size(1)}).contiguous() : Tensor();
  };
  const Tensor draws = flow.net->decode(testing::normal_tensor({kDraws, dims}, 9), context(kDraws));
  const std::int64_t count = dims == 1 ? 20001 : 501;
  auto [places, step] = axis_of(draws.select(1, 0), count);
  double cell = step;
  Tensor grid = places.unsqueeze(1);
  if (dims == 2) {
    const auto [others, other_step] = axis_of(draws.select(1, 1), count);
    cell *= other_step;
    grid = at::stack({places.repeat_interleave(count), others.repeat({count})}, 1);
  }
  const Tensor log_prob = flow.net->log_prob(grid.contiguous(), context(grid.size(0)));
  EXPECT_NEAR(log_prob.to(at::kDouble).exp().sum().item<double>() * cell, 1.0, 2e-3);
}

std::vector<DensityCase> density_cases() {
  std::vector<DensityCase> all;
  for (const auto kind : {Bijection::kKind, Architecture::kKind}) {
    for (const auto* entry : api::Registry::instance().list(kind)) {
      const std::string name(entry->text.name);
      all.push_back({name, {.sample = {1}, .seed = 3}});
      all.push_back({name, {.sample = {2}, .seed = 3}});
      all.push_back({name, {.sample = {2}, .classes = 2, .conditions = 1, .seed = 3}});
    }
  }
  return all;
}

std::string density_name(const ::testing::TestParamInfo<DensityCase>& info) {
  std::string name = info.param.name.substr(info.param.name.find('.') + 1);
  std::ranges::replace(name, '.', '_');
  return name + "_" + std::to_string(info.param.shape.dims()) +
         (info.param.shape.context() > 0 ? "_given" : "");
}

INSTANTIATE_TEST_SUITE_P(All, FlowDensity, ::testing::ValuesIn(density_cases()), density_name);

}  // namespace
}  // namespace gradatim::neural
