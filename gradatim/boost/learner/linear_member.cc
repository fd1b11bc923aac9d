#include "gradatim/boost/learner/linear_member.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "gradatim/core/error.h"

namespace gradatim::boost {

std::vector<std::int64_t> first_coordinates(std::span<const FeatureBins> features) {
  std::vector<std::int64_t> first{0};
  for (const auto& feature : features) {
    first.push_back(first.back() + (feature.categorical() ? feature.bins : 1));
  }
  return first;
}

double LinearMember::value(const double* row, int k) const {
  const double* w = weights_.data() + k * first_.back();
  double sum = bias_[k];
  for (std::size_t f = 0; f + 1 < first_.size(); ++f) {
    const double x = row[f];
    if (std::isnan(x)) continue;
    if (!categorical_[f]) {
      sum += w[first_[f]] * x;
    } else if (x >= 0.0 && first_[f] + static_cast<std::int64_t>(x) < first_[f + 1]) {
      sum += w[first_[f] + static_cast<std::int64_t>(x)];
    }
  }
  return sum;
}
void LinearMember::predict(const BinnedData&, std::int64_t, std::int64_t, double*) const {
  throw std::logic_error("a linear member predicts from raw values");
}

void store_linear(std::span<const std::unique_ptr<Member>> members, SafetensorsWriter& file) {
  std::vector<double> weights, bias, steps;
  for (const auto& member : members) {
    const auto& linear = static_cast<const LinearMember&>(*member);
    weights.insert(weights.end(), linear.weights().begin(), linear.weights().end());
    bias.insert(bias.end(), linear.biases().begin(), linear.biases().end());
    steps.push_back(linear.step());
  }
  file.add("linear.weights", std::span<const double>(weights));
  file.add("linear.bias", std::span<const double>(bias));
  file.add("linear.step", std::span<const double>(steps));
}

Members load_linear(const SafetensorsFile& file, std::span<const FeatureBins> features) {
  const auto first = first_coordinates(features);
  std::vector<bool> categorical;
  for (const auto& feature : features) categorical.push_back(feature.categorical());
  const auto weights = file.read<double>("linear.weights");
  const auto bias = file.read<double>("linear.bias");
  const auto steps = file.read<double>("linear.step");
  const std::size_t outputs = steps.empty() ? 0 : bias.size() / steps.size();
  auto finite = [](double x) { return std::isfinite(x); };
  const bool sound = (outputs >= 1 || steps.empty()) && bias.size() == outputs * steps.size() &&
                     weights.size() == bias.size() * static_cast<std::size_t>(first.back()) &&
                     std::all_of(weights.begin(), weights.end(), finite) &&
                     std::all_of(bias.begin(), bias.end(), finite) &&
                     std::all_of(steps.begin(), steps.end(),
                                 [](double s) { return std::isfinite(s) && s >= 0.0; });
  GRADATIM_CHECK(sound, ModelError, 3010,
                 "{}: the sizes or values of its linear weights are wrong; the file is damaged",
                 file.source());
  Members members;
  const std::size_t each = outputs * static_cast<std::size_t>(first.back());
  for (std::size_t m = 0; m < steps.size(); ++m) {
    auto member = std::make_unique<LinearMember>(first, categorical, static_cast<int>(outputs));
    member->restore(std::span(weights).subspan(m * each, each),
                    std::span(bias).subspan(m * outputs, outputs), steps[m]);
    members.push_back(std::move(member));
  }
  return members;
}

}  // namespace gradatim::boost
