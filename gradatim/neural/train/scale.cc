#include "gradatim/neural/train/scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/core/error.h"

namespace gradatim::neural {
namespace {

double number(const data::Samples& samples, std::size_t k) {
  return samples.bytes.empty() ? double{samples.numbers[k]} : static_cast<double>(samples.bytes[k]);
}

// Sums in order of rows, so that the model does not depend on the number of threads.
void standardise(const data::Samples& samples, double cell, std::vector<double>& shift,
                 std::vector<double>& factor) {
  const auto dims = static_cast<std::size_t>(samples.size());
  const auto count = static_cast<std::size_t>(samples.count);
  shift.assign(dims, 0.0);
  factor.assign(dims, 0.0);
  for (std::size_t k = 0; k < count * dims; ++k) shift[k % dims] += number(samples, k);
  for (double& mean : shift) mean /= static_cast<double>(count);
  for (std::size_t k = 0; k < count * dims; ++k) {
    const double far = number(samples, k) - shift[k % dims];
    factor[k % dims] += far * far;
  }
  for (double& squares : factor) {
    const double deviation = std::sqrt(squares / static_cast<double>(count) + cell * cell / 12.0);
    squares = deviation > 0.0 ? 1.0 / deviation : 1.0;
  }
}

}  // namespace

Scale::Scale(Scaling how, const data::Samples& samples, double cell) {
  if (how == Scaling::automatic) how = samples.is_images() ? Scaling::range : Scaling::standard;
  if (how == Scaling::none) return;
  if (how == Scaling::standard) {
    standardise(samples, cell, shift_, factor_);
    for (double& shift : shift_) shift += 0.5 * cell;
    return;
  }
  double low = 0.0, high = 255.0;
  if (samples.bytes.empty()) {
    const auto [least, most] = std::ranges::minmax(samples.numbers);
    low = double{least};
    high = double{most};
  }
  high += cell;
  shift_ = {0.5 * (low + high)};
  factor_ = {high > low ? 2.0 / (high - low) : 1.0};
}

void Scale::row(const data::Samples& samples, std::int64_t index, std::span<float> out) const {
  const std::size_t first = static_cast<std::size_t>(index) * out.size();
  for (std::size_t k = 0; k < out.size(); ++k) {
    out[k] = static_cast<float>((number(samples, first + k) - shift_[at(k)]) * factor_[at(k)]);
  }
}

void Scale::to_data(std::span<float> states) const {
  for (std::size_t k = 0; k < states.size(); ++k) {
    states[k] = static_cast<float>(double{states[k]} / factor_[at(k)] + shift_[at(k)]);
  }
}

void Scale::to_data(std::span<double> states) const {
  for (std::size_t k = 0; k < states.size(); ++k) {
    states[k] = states[k] / factor_[at(k)] + shift_[at(k)];
  }
}

void Scale::to_states(std::span<double> data) const {
  for (std::size_t k = 0; k < data.size(); ++k)
    data[k] = (data[k] - shift_[at(k)]) * factor_[at(k)];
}

double Scale::log_scale(std::int64_t dims) const {
  double sum = 0.0;
  for (std::size_t k = 0; k < static_cast<std::size_t>(dims); ++k) sum += std::log(factor_[at(k)]);
  return sum;
}

void Scale::store(SafetensorsWriter& file) const {
  file.add("scale.shift", std::span<const double>(shift_));
  file.add("scale.factor", std::span<const double>(factor_));
}

Scale Scale::load(const SafetensorsFile& file, std::int64_t dims) {
  Scale scale;
  scale.shift_ = file.read<double>("scale.shift");
  scale.factor_ = file.read<double>("scale.factor");
  const auto size = static_cast<std::int64_t>(scale.factor_.size());
  const auto sound = [](double x) { return std::isfinite(x); };
  GRADATIM_CHECK(
      (size == 1 || size == dims) && scale.shift_.size() == scale.factor_.size() &&
          std::ranges::all_of(scale.shift_, sound) &&
          std::ranges::all_of(scale.factor_, [](double x) { return x > 0.0 && std::isfinite(x); }),
      ModelError, 3067, "{}: its scale does not fit samples of {} numbers", file.source(), dims);
  return scale;
}

}  // namespace gradatim::neural
