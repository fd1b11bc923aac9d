#include "gradatim/process/mixture.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "gradatim/core/math.h"
#include "gradatim/core/normal.h"
#include "gradatim/core/philox.h"

namespace gradatim::process {
namespace {

constexpr double kNone = -std::numeric_limits<double>::infinity();

// target.noise sigma; where the target is infinite (t = 0), nobody uses what the field says.
double scaled_noise(const Target& target, const PathPoint& p) {
  return std::isfinite(target.noise) ? target.noise * p.sigma : 0.0;
}

}  // namespace

std::int64_t Mixture::label_count() const {
  if (labels.empty()) return static_cast<std::int64_t>(components());
  return *std::max_element(labels.begin(), labels.end()) + 1;
}

Marginal::Marginal(const Mixture& mixture, const PathPoint& point)
    : mixture_(mixture),
      point_(point),
      centre_(mixture.means.size()),
      inverse_(mixture.means.size()),
      shrink_(mixture.means.size()),
      constant_(mixture.components()) {
  const auto dims = static_cast<std::size_t>(mixture.dims);
  for (std::size_t k = 0; k < constant_.size(); ++k) {
    double sum = math::log(mixture.weights[k]);
    double before = -1.0, log_v = 0.0;
    for (std::size_t i = k * dims; i < (k + 1) * dims; ++i) {
      const double spread = point.alpha * mixture.deviations[i];
      // A point mass at time 0 is a very narrow distribution.
      const double v = std::max(spread * spread + point.sigma * point.sigma, 1e-300);
      centre_[i] = point.alpha * mixture.means[i];
      inverse_[i] = 1.0 / v;
      shrink_[i] = spread * mixture.deviations[i] / v;
      if (v != before) log_v = math::log(2.0 * std::numbers::pi * v);
      before = v;
      sum -= 0.5 * log_v;
    }
    constant_[k] = sum;
  }
}

// The chances of the components of a label given x, and the log of their joint density.
double Marginal::chances(const double* x, std::int64_t label, std::vector<double>& chance) const {
  const auto dims = static_cast<std::size_t>(mixture_.dims);
  const std::size_t count = mixture_.components();
  chance.resize(count);
  double most = kNone;
  for (std::size_t k = 0; k < count; ++k) {
    chance[k] = kNone;
    if (label != kAnyLabel && mixture_.label_of(k) != label) continue;
    double sum = 0.0;
    for (std::size_t i = 0; i < dims; ++i) {
      const double d = x[i] - centre_[k * dims + i];
      sum += d * d * inverse_[k * dims + i];
    }
    chance[k] = constant_[k] - 0.5 * sum;
    most = std::max(most, chance[k]);
  }
  double total = 0.0;
  for (double& c : chance) total += c = c == most ? 1.0 : math::exp(c - most);
  for (double& c : chance) c /= total;
  return most + math::log(total);
}

double Marginal::log_prob(const double* x, std::int64_t label, Scratch& scratch) const {
  const double joint = chances(x, label, scratch.chance);
  if (label == kAnyLabel) return joint;
  double share = 0.0;
  for (std::size_t k = 0; k < mixture_.components(); ++k) {
    if (mixture_.label_of(k) == label) share += mixture_.weights[k];
  }
  return joint - math::log(share);
}

// What each component predicts, into scratch.mean, and the mean of these.
void Marginal::weigh(const double* x, const Target& target, double* out, Scratch& scratch) const {
  const auto dims = static_cast<std::size_t>(mixture_.dims);
  const double noise = scaled_noise(target, point_);
  std::fill_n(out, dims, 0.0);
  scratch.mean.resize(centre_.size());
  for (std::size_t k = 0; k < mixture_.components(); ++k) {
    const double chance = scratch.chance[k];
    if (chance == 0.0) continue;
    for (std::size_t i = k * dims, j = 0; j < dims; ++i, ++j) {
      const double d = x[j] - centre_[i];
      scratch.mean[i] =
          target.data * (mixture_.means[i] + shrink_[i] * d) + noise * inverse_[i] * d;
      out[j] += chance * scratch.mean[i];
    }
  }
}

void Marginal::predict(const double* x, std::int64_t label, const Target& target, double* out,
                       Scratch& scratch) const {
  chances(x, label, scratch.chance);
  weigh(x, target, out, scratch);
}

// F = sum r_k F_k, where r_k' = r_k (g_k - sum r_l g_l) with g_k = -(x - alpha m_k) / v_k.
void Marginal::product(const double* x, std::int64_t label, const Target& target, const double* w,
                       double* out, Scratch& scratch) const {
  const auto dims = static_cast<std::size_t>(mixture_.dims);
  const double noise = scaled_noise(target, point_);
  chances(x, label, scratch.chance);
  weigh(x, target, out, scratch);
  // sum r_k (w F_k) g_k - (w F) sum r_k g_k = sum r_k (w (F_k - F)) g_k.
  std::vector<double>& mean = scratch.slope;
  mean.assign(out, out + dims);
  std::fill_n(out, dims, 0.0);
  for (std::size_t k = 0; k < mixture_.components(); ++k) {
    const double chance = scratch.chance[k];
    if (chance == 0.0) continue;
    double along = 0.0;
    for (std::size_t i = k * dims, j = 0; j < dims; ++i, ++j) {
      along += w[j] * (scratch.mean[i] - mean[j]);
    }
    for (std::size_t i = k * dims, j = 0; j < dims; ++i, ++j) {
      const double own = target.data * shrink_[i] + noise * inverse_[i];
      out[j] += chance * (w[j] * own - along * (x[j] - centre_[i]) * inverse_[i]);
    }
  }
}

void Marginal::classifier(const double* x, std::int64_t label, double* out,
                          Scratch& scratch) const {
  const auto dims = static_cast<std::size_t>(mixture_.dims);
  chances(x, label, scratch.chance);
  chances(x, kAnyLabel, scratch.other);
  std::fill_n(out, dims, 0.0);
  for (std::size_t k = 0; k < mixture_.components(); ++k) {
    const double more = scratch.chance[k] - scratch.other[k];
    for (std::size_t i = k * dims, j = 0; j < dims; ++i, ++j) {
      out[j] -= more * (x[j] - centre_[i]) * inverse_[i];
    }
  }
}

void draw(const Mixture& mixture, std::uint64_t seed, std::int64_t first_row, std::int64_t label,
          std::span<double> out) {
  const auto dims = static_cast<std::size_t>(mixture.dims);
  const Philox choice(seed, Stream::component);
  const Philox numbers(seed, Stream::data);
  normal_rows(numbers, static_cast<std::uint64_t>(first_row), dims, out);
  double share = 0.0;
  for (std::size_t k = 0; k < mixture.components(); ++k) {
    if (label == kAnyLabel || mixture.label_of(k) == label) share += mixture.weights[k];
  }
  for (std::size_t row = 0; row * dims < out.size(); ++row) {
    const std::uint64_t place = static_cast<std::uint64_t>(first_row) + row;
    double left = choice.uniform(place) * share;
    std::size_t chosen = 0;
    for (std::size_t k = 0; k < mixture.components(); ++k) {
      if (label != kAnyLabel && mixture.label_of(k) != label) continue;
      chosen = k;
      left -= mixture.weights[k];
      if (left < 0.0) break;
    }
    const auto z = out.subspan(row * dims, dims);
    for (std::size_t i = 0; i < dims; ++i) {
      z[i] = mixture.means[chosen * dims + i] + mixture.deviations[chosen * dims + i] * z[i];
    }
  }
}

bool flow_exactly(const Mixture& mixture, std::int64_t label, const PathPoint& from,
                  const PathPoint& to, std::span<double> x) {
  const auto dims = static_cast<std::size_t>(mixture.dims);
  std::size_t found = 0, only = 0;
  for (std::size_t k = 0; k < mixture.components(); ++k) {
    if (label != kAnyLabel && mixture.label_of(k) != label) continue;
    ++found;
    only = k;
  }
  if (found != 1) return false;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double m = mixture.means[only * dims + i % dims];
    const double s = mixture.deviations[only * dims + i % dims];
    const double ratio =
        std::hypot(to.alpha * s, to.sigma) / std::hypot(from.alpha * s, from.sigma);
    x[i] = to.alpha * m + ratio * (x[i] - from.alpha * m);
  }
  return true;
}

}  // namespace gradatim::process
