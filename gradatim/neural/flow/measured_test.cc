// `gradatim describe` tells how exactly a bijection inverts. That is what it does here.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "gradatim/neural/flow/random_flow_testing.h"

namespace gradatim::neural {
namespace {

class MeasuredError : public ::testing::TestWithParam<std::string> {};

// The number of "inverse to 5e-7 of numbers about 1".
double figure_of(std::string_view text) {
  constexpr std::string_view kBegin = "inverse to ";
  const auto at = text.find(kBegin);
  EXPECT_NE(at, std::string_view::npos) << text;
  EXPECT_NE(text.find(" of numbers about 1"), std::string_view::npos) << text;
  if (at == std::string_view::npos) return 0.0;
  return std::strtod(std::string(text.substr(at + kBegin.size())).c_str(), nullptr);
}

// Not above the figure, and not so far below it that it says nothing.
TEST_P(MeasuredError, IsWhatTheTextSays) {
  const at::NoGradGuard plain;
  const auto& entry = *api::Registry::instance().find(GetParam());
  const double figure = figure_of(entry.text.measured);
  double most = 0.0;
  for (const FlowShape& shape :
       {FlowShape{.sample = {6}, .seed = 3}, FlowShape{.sample = {5}, .conditions = 2, .seed = 4},
        FlowShape{.sample = {4, 4, 4}, .seed = 5}}) {
    const testing::RandomFlow flow(GetParam(), shape, 256, 0.5);
    if (!flow.net) continue;
    const Moved there = flow.net->steps().forward(flow.x, flow.context);
    const Moved back = flow.net->steps().inverse(there.x, flow.context);
    const double error = (back.x - flow.x).abs().max().item<double>();
    RecordProperty("error_" + std::to_string(shape.dims()), fmt::format("{:.2g}", error));
    most = std::max(most, error);
  }
  EXPECT_LE(most, figure) << entry.text.measured;
  EXPECT_GE(most, 0.01 * figure) << entry.text.measured;
}

std::vector<std::string> measured_bijections() {
  std::vector<std::string> all;
  for (const auto* entry : api::Registry::instance().list(Bijection::kKind)) {
    all.emplace_back(entry->text.name);
  }
  return all;
}

std::string measured_name(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = info.param.substr(info.param.rfind('.') + 1);
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, MeasuredError, ::testing::ValuesIn(measured_bijections()),
                         measured_name);

}  // namespace
}  // namespace gradatim::neural
