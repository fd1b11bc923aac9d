#include "gradatim/neural/flow/data_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gradatim/core/error.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

bool holds_whole(const FlowConfig& config, const data::Samples& samples) {
  if (config.dequantization == Dequantization::automatic) return !samples.bytes.empty();
  return config.dequantization != Dequantization::none;
}

Scaling scaling_of(const FlowConfig& config) {
  if (config.logit_margin == 0.0) return config.scaling;
  GRADATIM_CHECK(config.scaling == Scaling::automatic || config.scaling == Scaling::range,
                 UsageError, 1161,
                 "a logit needs scaling range; leave scaling or logit_margin out");
  return Scaling::range;
}

void check_is_whole(double value) {
  GRADATIM_CHECK(value == std::floor(value), DataError, 2094,
                 "{} is not whole, and the flow fills the cells of whole numbers; leave "
                 "dequantization out, or round",
                 value);
}

}  // namespace

DataMap::DataMap(const FlowConfig& config, const data::Samples& samples)
    : scale_(scaling_of(config), samples, holds_whole(config, samples) ? 1.0 : 0.0),
      whole_(holds_whole(config, samples)),
      margin_(config.logit_margin) {
  if (!whole_) return;
  most_ = 255.0;
  if (!samples.bytes.empty()) return;
  const auto [least, most] = std::ranges::minmax(samples.numbers);
  least_ = double{least};
  most_ = double{most};
  for (const float value : samples.numbers) check_is_whole(double{value});
}

void DataMap::row(const data::Samples& samples, std::int64_t index, std::span<double> out) const {
  const std::size_t first = to_size(index) * out.size();
  for (std::size_t k = 0; k < out.size(); ++k) {
    out[k] = samples.bytes.empty() ? double{samples.numbers[first + k]}
                                   : static_cast<double>(samples.bytes[first + k]);
  }
}

void DataMap::check_whole(std::span<const double> data) const {
  if (!whole_) return;
  for (const double value : data) check_is_whole(value);
}

double DataMap::to_state(std::span<double> data) const {
  double log_det = scale_.log_scale(static_cast<std::int64_t>(data.size()));
  scale_.to_states(data);
  if (margin_ == 0.0) return log_det;
  for (std::size_t k = 0; k < data.size(); ++k) {
    const double p = margin_ + (1.0 - 2.0 * margin_) * 0.5 * (data[k] + 1.0);
    GRADATIM_CHECK(p > 0.0 && p < 1.0, DataError, 2095,
                   "{} lies outside the range that the flow's logit knows, {} to {}",
                   data[k] / scale_.factor()[0] + scale_.shift()[0],
                   -1.0 / scale_.factor()[0] + scale_.shift()[0],
                   1.0 / scale_.factor()[0] + scale_.shift()[0]);
    data[k] = std::log(p) - std::log1p(-p);
    log_det += std::log(0.5 - margin_) - std::log(p) - std::log1p(-p);
  }
  return log_det;
}

void DataMap::to_data(std::span<double> states) const {
  if (margin_ > 0.0) {
    for (double& y : states) {
      const double p = 1.0 / (1.0 + std::exp(-y));
      y = 2.0 * (p - margin_) / (1.0 - 2.0 * margin_) - 1.0;
    }
  }
  scale_.to_data(states);
  if (!whole_) return;
  for (double& v : states) v = std::clamp(std::floor(v), least_, most_);
}

std::pair<Tensor, Tensor> DataMap::states(const Tensor& v) const {
  const auto numbers = [&](std::span<const double> of) {
    return at::tensor(at::ArrayRef<double>(of.data(), of.size()), at::kDouble)
        .to(v.device(), at::kFloat);
  };
  const double scaled = scale_.log_scale(v.size(1));
  const Tensor s = (v - numbers(scale_.shift())) * numbers(scale_.factor());
  if (margin_ == 0.0) return {s, at::full({v.size(0)}, scaled, v.options())};
  const Tensor p = (s + 1.0) * (0.5 - margin_) + margin_;
  const Tensor log_p = p.log(), log_q = at::log1p(-p);
  const double constant = scaled + std::log(0.5 - margin_) * static_cast<double>(v.size(1));
  return {log_p - log_q, (log_p + log_q).sum(1).neg() + constant};
}

double DataMap::largest_state() const {
  if (!scale_.uniform() || margin_ > 0.0) return std::numeric_limits<double>::infinity();
  return 1.0;
}

void DataMap::store(SafetensorsWriter& file) const {
  scale_.store(file);
  const double numbers[] = {whole_ ? 1.0 : 0.0, margin_, least_, most_};
  file.add("data_map", std::span<const double>(numbers));
}

DataMap DataMap::load(const SafetensorsFile& file, std::int64_t dims) {
  DataMap map;
  map.scale_ = Scale::load(file, dims);
  const auto numbers = file.read<double>("data_map", 4);
  GRADATIM_CHECK((numbers[0] == 0.0 || numbers[0] == 1.0) && numbers[1] >= 0.0 &&
                     numbers[1] < 0.5 && numbers[2] <= numbers[3] &&
                     std::isfinite(numbers[3] - numbers[2]),
                 ModelError, 3067, "{}: its map of data is damaged", file.source());
  map.whole_ = numbers[0] == 1.0;
  map.margin_ = numbers[1];
  map.least_ = numbers[2];
  map.most_ = numbers[3];
  return map;
}

}  // namespace gradatim::neural
