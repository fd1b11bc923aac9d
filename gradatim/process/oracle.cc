// Of component k, x_t is normal with mean alpha m and variance v = alpha^2 s^2 + sigma^2, and
// E[data | x, k] = m + alpha s^2 / v (x - alpha m). The mixture weighs these by the chances r_k of
// the components given x. Its derivative is alpha / sigma^2 times the posterior covariance.
#include "gradatim/process/oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "gradatim/core/error.h"

namespace gradatim::process {
namespace {

// ln of weight times density, of one component.
double log_joint(const Mixture& mixture, std::size_t k, const PathPoint& p, const double* x) {
  const auto dims = static_cast<std::size_t>(mixture.dims);
  double sum = std::log(mixture.weights[k]);
  for (std::size_t i = 0; i < dims; ++i) {
    const double s = mixture.deviations[k * dims + i];
    const double v = p.alpha * p.alpha * s * s + p.sigma * p.sigma;
    const double d = x[i] - p.alpha * mixture.means[k * dims + i];
    sum -= 0.5 * (d * d / v + std::log(2.0 * std::numbers::pi * v));
  }
  return sum;
}

}  // namespace

MixtureField::MixtureField(Mixture mixture, std::shared_ptr<const Path> path,
                           std::shared_ptr<const Prediction> prediction)
    : mixture_(std::move(mixture)), path_(std::move(path)), prediction_(std::move(prediction)) {}

void MixtureField::row(const PathPoint& p, const double* x, std::int64_t label, double* data,
                       const double* w, double* product) const {
  const auto dims = static_cast<std::size_t>(mixture_.dims);
  const std::size_t count = mixture_.components();
  std::vector<double> chance(count);
  for (std::size_t k = 0; k < count; ++k) chance[k] = log_joint(mixture_, k, p, x);
  if (label >= 0) {
    for (std::size_t k = 0; k < count; ++k) {
      if (static_cast<std::int64_t>(k) != label) chance[k] = -INFINITY;
    }
  }
  const double most = *std::max_element(chance.begin(), chance.end());
  double total = 0.0;
  for (double& c : chance) total += c = std::exp(c - most);
  std::fill_n(data, dims, 0.0);
  std::vector<double> means(count * dims);
  for (std::size_t k = 0; k < count; ++k) {
    chance[k] /= total;
    for (std::size_t i = 0; i < dims; ++i) {
      const double m = mixture_.means[k * dims + i];
      const double s = mixture_.deviations[k * dims + i];
      const double v = p.alpha * p.alpha * s * s + p.sigma * p.sigma;
      means[k * dims + i] = m + p.alpha * s * s / v * (x[i] - p.alpha * m);
      data[i] += chance[k] * means[k * dims + i];
    }
  }
  if (w == nullptr) return;
  // alpha / sigma^2 Cov w, with Cov = sum r_k (V_k + m_k m_k^T) - D D^T.
  std::fill_n(product, dims, 0.0);
  const double scale = p.alpha / (p.sigma * p.sigma);
  for (std::size_t k = 0; k < count; ++k) {
    double along = 0.0;
    for (std::size_t i = 0; i < dims; ++i) along += (means[k * dims + i] - data[i]) * w[i];
    for (std::size_t i = 0; i < dims; ++i) {
      const double s = mixture_.deviations[k * dims + i];
      const double v = p.alpha * p.alpha * s * s + p.sigma * p.sigma;
      product[i] += chance[k] *
                    (p.alpha * s * s / v * w[i] + scale * (means[k * dims + i] - data[i]) * along);
    }
  }
}

void MixtureField::eval(Space& space, const Query& query, std::span<const ConditionPtr> conditions,
                        std::span<Vec> out) const {
  const auto dims = static_cast<std::size_t>(mixture_.dims);
  GRADATIM_CHECK(query.x.dims() == mixture_.dims, UsageError, 1105,
                 "the state has {} columns and the oracle {}", query.x.dims(), mixture_.dims);
  const std::size_t rows = query.t.size();
  std::vector<double> x(rows * dims), data(dims), f(rows * dims);
  space.copy_out(query.x, x);
  for (std::size_t c = 0; c < conditions.size(); ++c) {
    const auto* labels = dynamic_cast<const Labels*>(conditions[c].get());
    for (std::size_t i = 0; i < rows; ++i) {
      const PathPoint p = path_->at(query.t[i]);
      const double scale = prediction_->input_scale(p);
      double* state = x.data() + i * dims;
      std::vector<double> own(state, state + dims);
      for (double& v : own) v /= scale;
      row(p, own.data(), labels == nullptr ? -1 : labels->of(query.rows[i]), data.data(), nullptr,
          nullptr);
      const Target target = prediction_->target(p);
      for (std::size_t j = 0; j < dims; ++j) {
        const double noise = (own[j] - p.alpha * data[j]) / p.sigma;
        f[i * dims + j] =
            target.data * data[j] + (target.noise == 0.0 ? 0.0 : target.noise * noise);
      }
    }
    out[c] = space.from(f, static_cast<std::int64_t>(rows), mixture_.dims);
  }
}

Vec MixtureField::vjp(Space& space, const Query& query, const ConditionPtr& condition,
                      const Vec& w) const {
  const auto dims = static_cast<std::size_t>(mixture_.dims);
  const auto* labels = dynamic_cast<const Labels*>(condition.get());
  const std::size_t rows = query.t.size();
  std::vector<double> x(rows * dims), weight(rows * dims), data(dims), product(dims),
      result(rows * dims);
  space.copy_out(query.x, x);
  space.copy_out(w, weight);
  for (std::size_t i = 0; i < rows; ++i) {
    const PathPoint p = path_->at(query.t[i]);
    const double scale = prediction_->input_scale(p);
    double* state = x.data() + i * dims;
    for (std::size_t j = 0; j < dims; ++j) state[j] /= scale;
    row(p, state, labels == nullptr ? -1 : labels->of(query.rows[i]), data.data(),
        weight.data() + i * dims, product.data());
    // F = target.noise / sigma x + (target.data - target.noise alpha / sigma) D, x = state / scale.
    const Target target = prediction_->target(p);
    for (std::size_t j = 0; j < dims; ++j) {
      result[i * dims + j] = (target.noise / p.sigma * weight[i * dims + j] +
                              (target.data - target.noise * p.alpha / p.sigma) * product[j]) /
                             scale;
    }
  }
  return space.from(result, static_cast<std::int64_t>(rows), mixture_.dims);
}

void MixtureField::check(const Condition* condition) const {
  if (condition == nullptr) return;
  const auto* labels = dynamic_cast<const Labels*>(condition);
  GRADATIM_CHECK(labels != nullptr, UsageError, 1104, "an oracle's condition is a label");
  for (const std::int64_t label : labels->all()) {
    GRADATIM_CHECK(label >= 0 && label < static_cast<std::int64_t>(mixture_.components()),
                   UsageError, 1104, "label {} is not one of the oracle's {} components", label,
                   mixture_.components());
  }
}

void MixtureField::log_prob(const Path& path, std::span<const double> x, double t,
                            std::span<double> out) const {
  const PathPoint p = path.at(t);
  for (std::size_t row = 0; row < out.size(); ++row) {
    std::vector<double> parts;
    for (std::size_t k = 0; k < mixture_.components(); ++k) {
      parts.push_back(
          log_joint(mixture_, k, p, x.data() + row * static_cast<std::size_t>(mixture_.dims)));
    }
    const double most = *std::max_element(parts.begin(), parts.end());
    double total = 0.0;
    for (const double part : parts) total += std::exp(part - most);
    out[row] = most + std::log(total);
  }
}

}  // namespace gradatim::process
