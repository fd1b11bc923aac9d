#include "gradatim/neural/flow/given.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {

Given::Given(const data::Samples& samples) : shares_(samples.classes.size(), 0.0) {
  const auto count = static_cast<double>(samples.count);
  for (const auto label : samples.labels) shares_[to_size(label)] += 1.0 / count;
  const std::size_t width = samples.given_columns.size();
  shift_.assign(width, 0.0);
  factor_.assign(width, 0.0);
  for (std::size_t k = 0; k < samples.given.size(); ++k) {
    shift_[k % width] += double{samples.given[k]} / count;
  }
  for (std::size_t k = 0; k < samples.given.size(); ++k) {
    const double far = double{samples.given[k]} - shift_[k % width];
    factor_[k % width] += far * far / count;
  }
  for (std::size_t k = 0; k < width; ++k) {
    // A column that is constant but for the rounding of its mean is as it is.
    const double least = 1e-12 * std::max(1.0, shift_[k] * shift_[k]);
    factor_[k] = factor_[k] > least ? 1.0 / std::sqrt(factor_[k]) : 1.0;
  }
}

std::int64_t Given::draw(double uniform) const {
  std::int64_t label = 0;
  while (label + 1 < classes() && (uniform -= shares_[to_size(label)]) >= 0.0) ++label;
  return label;
}

void Given::tell(std::int64_t label, std::span<const double> numbers, float* out) const {
  std::fill_n(out, shares_.size(), 0.0F);
  if (!shares_.empty()) out[label] = 1.0F;
  for (std::size_t k = 0; k < shift_.size(); ++k) {
    out[shares_.size() + k] = static_cast<float>((numbers[k] - shift_[k]) * factor_[k]);
  }
}

void Given::store(SafetensorsWriter& file) const {
  if (!shares_.empty()) file.add("given.shares", std::span<const double>(shares_));
  if (shift_.empty()) return;
  file.add("given.shift", std::span<const double>(shift_));
  file.add("given.factor", std::span<const double>(factor_));
}

Given Given::load(const SafetensorsFile& file, std::size_t classes, std::size_t columns) {
  Given given;
  const auto read = [&](const char* name, std::size_t size) {
    auto numbers = file.read<double>(name, static_cast<std::int64_t>(size));
    for (const double x : numbers) {
      GRADATIM_CHECK(std::isfinite(x), ModelError, 3067, "{}: '{}' holds NaN or infinity",
                     file.source(), name);
    }
    return numbers;
  };
  if (classes > 0) given.shares_ = read("given.shares", classes);
  double sum = classes > 0 ? 0.0 : 1.0;
  bool chances = true;
  for (const double share : given.shares_) {
    sum += share;
    chances = chances && share >= 0.0;
  }
  GRADATIM_CHECK(chances && std::abs(sum - 1.0) < 1e-6, ModelError, 3067,
                 "{}: 'given.shares' are no shares of the labels", file.source());
  if (columns == 0) return given;
  given.shift_ = read("given.shift", columns);
  given.factor_ = read("given.factor", columns);
  return given;
}

}  // namespace gradatim::neural
