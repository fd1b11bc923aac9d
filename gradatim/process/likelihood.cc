#include "gradatim/process/likelihood.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "gradatim/core/error.h"
#include "gradatim/process/velocity.h"

namespace gradatim::process {
namespace {

// Where the ratio is infinite, predictions of noise say nothing: the flow ends here instead, where
// states are normal to one part in as many.
constexpr double kMostRatio = 1e4;

// z^T (dD/dx) z of each row and probe, or their sum over the basis: [rows, columns].
std::vector<double> traces(Space& space, const Denoiser& denoiser, const ConditionPtr& condition,
                           const Query& query, const Probes& probes) {
  const std::size_t rows = query.t.size();
  std::vector<double> sums(rows * static_cast<std::size_t>(probes.columns()), 0.0), product(rows);
  for (std::int64_t k = 0; k < probes.products(); ++k) {
    const Vec z = probes.vectors(space, k, query.rows);
    space.reduce(Reduction::dot, z, denoiser.vjp(space, query, condition, z), 0.0, product);
    probes.add(k, product, sums);
  }
  return sums;
}

// A denoiser's flow by the angle, with its divergence.
class AngleDensity final : public DensityDrift {
 public:
  AngleDensity(const Denoiser& denoiser, const ConditionPtr& condition)
      : denoiser_(denoiser), condition_(condition), flow_(denoiser, condition) {}

  Vec slope(Space& space, const Query& query) const override { return flow_.slope(space, query); }

  std::vector<double> divergence(Space& space, const Query& query,
                                 const Probes& probes) const override {
    const std::size_t rows = query.t.size();
    const Path& path = denoiser_.path();
    std::vector<Angle> angles(rows);
    std::vector<double> norm(rows), t(rows);
    for (std::size_t i = 0; i < rows; ++i) {
      const bool again = i > 0 && query.t[i] == query.t[i - 1];
      angles[i] = again ? angles[i - 1] : angle_of(path, std::max(query.t[i], kLeast));
      norm[i] = angles[i].norm;
      t[i] = angles[i].t;
    }
    Form scaled;
    scaled.add(1.0, query.x, norm);
    std::vector<double> result =
        traces(space, denoiser_, condition_, {space.combine(scaled), t, query.rows}, probes);
    const auto columns = static_cast<std::size_t>(probes.columns());
    for (std::size_t i = 0; i < rows; ++i) {
      const PathPoint p = path.at(t[i]);
      for (std::size_t k = i * columns; k < (i + 1) * columns; ++k) {
        const double div =
            (static_cast<double>(probes.dims()) * p.alpha - norm[i] * norm[i] * result[k]) /
            p.sigma;
        // As the flow, it is 0 at exact data.
        result[k] = query.t[i] > 0.0 || !denoiser_.independent_noise() ? div : 0.0;
      }
    }
    return result;
  }

 private:
  static constexpr double kLeast = 1e-4;  // where the field is asked at 0

  const Denoiser& denoiser_;
  const ConditionPtr& condition_;
  AngleFlow flow_;
};

struct Ending {
  Space& space;
  std::span<const std::int64_t> rows;
  PathPoint point;
  std::int64_t dims;

  // ln N(x; 0, sigma^2) of each row.
  std::vector<double> start(const std::vector<double>& x) const {
    const double variance = point.sigma * point.sigma;
    const auto width = static_cast<std::size_t>(dims);
    std::vector<double> result(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      double sum = 0.0;
      for (std::size_t j = i * width; j < (i + 1) * width; ++j) sum += x[j] * x[j];
      result[i] = -0.5 * (sum / variance +
                          static_cast<double>(dims) * std::log(2.0 * std::numbers::pi * variance));
    }
    return result;
  }
};

// What a denoiser itself says about the density where its path ends.
struct FieldEnding : Ending {
  const Denoiser& denoiser;
  const ConditionPtr& condition;

  std::vector<double> data(const std::vector<double>& x) const {
    std::vector<double> t(rows.size(), point.t), result(x.size());
    Form form;
    const auto count = static_cast<std::int64_t>(rows.size());
    denoiser.data(space, {space.from(x, count, dims), t, rows}, {&condition, 1}, {&form, 1});
    space.copy_out(space.combine(form), result);
    return result;
  }

  // p(x) / N(x; 0, sigma^2) is the mean of exp(alpha x y / sigma^2 - |alpha y|^2 / 2 sigma^2) over
  // data y. Its log has the gradient alpha D / sigma^2, added up along the line from 0 to x (three
  // points of Gauss: D is nearly straight there), and at 0 the value -alpha^2 E|y|^2 / 2 sigma^2
  // but for the square of that; E|y|^2 = |D|^2 + sigma^2 / alpha tr dD/dx.
  std::vector<double> field(const std::vector<double>& x, const Probes& probes) const {
    constexpr std::array<std::array<double, 2>, 3> kGauss = {
        {{0.1127016653792583, 5.0 / 18.0}, {0.5, 8.0 / 18.0}, {0.8872983346207417, 5.0 / 18.0}}};
    std::vector<double> result = start(x);
    if (point.alpha == 0.0) return result;
    const auto width = static_cast<std::size_t>(dims);
    const double per_alpha = point.alpha / (point.sigma * point.sigma);
    for (const auto& [place, weight] : kGauss) {
      std::vector<double> y = x;
      for (double& v : y) v *= place;
      const auto d = data(y);
      for (std::size_t j = 0; j < x.size(); ++j)
        result[j / width] += weight * per_alpha * d[j] * x[j];
    }
    const std::vector<double> zero(x.size(), 0.0), t(rows.size(), point.t);
    const auto middle = data(zero);
    const Query query{space.from(zero, static_cast<std::int64_t>(rows.size()), dims), t, rows};
    const auto trace = traces(space, denoiser, condition, query, probes);
    const auto columns = static_cast<std::size_t>(probes.columns());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      double square = 0.0;
      for (std::size_t j = i * width; j < (i + 1) * width; ++j) square += middle[j] * middle[j];
      for (std::size_t k = 0; k < columns; ++k) {
        square += trace[i * columns + k] / per_alpha / static_cast<double>(columns);
      }
      result[i] -= 0.5 * point.alpha * per_alpha * square;
    }
    return result;
  }
};

void check_normal(const Path& path) {
  GRADATIM_CHECK(path.gaussian_source(), UsageError, 1135,
                 "a likelihood needs a path from normal noise, and this one has another source");
}

// ln p at the start of what was carried to a density of `end`.
Likelihood added(std::vector<double> end, Carried carried, std::span<const std::int64_t> rows) {
  for (std::size_t i = 0; i < end.size(); ++i) {
    end[i] += carried.divergence[i];
    GRADATIM_CHECK(std::isfinite(end[i]), NumericError, 4031,
                   "row {} has no density that a number can hold; it lies too far out", rows[i]);
  }
  return {std::move(end), std::move(carried.standard_error), std::move(carried.evaluations)};
}

}  // namespace

Likelihood log_prob(Space& space, const Denoiser& denoiser, const ConditionPtr& condition,
                    const Vec& x, std::span<const std::int64_t> rows,
                    const LikelihoodOptions& options) {
  const Path& path = denoiser.path();
  check_normal(path);
  const Probes probes(options, x.dims());
  const double end = std::min(angle_at(path, path.last()).theta, std::atan(kMostRatio));
  Carried carried = integrate_density(space, AngleDensity(denoiser, condition), x, 0.0, end, rows,
                                      probes, options.ode);
  const Angle angle = angle_of(path, end);
  std::vector<double> states(rows.size() * static_cast<std::size_t>(x.dims()));
  space.copy_out(carried.x, states);
  for (double& number : states) number *= angle.norm;
  const FieldEnding ending{{space, rows, path.at(angle.t), x.dims()}, denoiser, condition};
  auto density =
      options.end == EndDensity::start ? ending.start(states) : ending.field(states, probes);
  // ln p(u) = ln p(x) + dims ln norm.
  for (double& nats : density) nats += static_cast<double>(x.dims()) * std::log(angle.norm);
  return added(std::move(density), std::move(carried), rows);
}

Likelihood velocity_log_prob(Space& space, const Field& field, const Path& path,
                             const ConditionPtr& condition, const Vec& x,
                             std::span<const std::int64_t> rows, const LikelihoodOptions& options) {
  check_normal(path);
  check_velocity(field, path);
  Carried carried = integrate_density(space, VelocityFlow(field, condition), x, 0.0, path.last(),
                                      rows, Probes(options, x.dims()), options.ode);
  std::vector<double> states(rows.size() * static_cast<std::size_t>(x.dims()));
  space.copy_out(carried.x, states);
  const Ending ending{space, rows, path.at(path.last()), x.dims()};
  return added(ending.start(states), std::move(carried), rows);
}

double bits_per_dim(double log_prob, std::int64_t dims, double bin) {
  return -(log_prob / static_cast<double>(dims) + std::log(bin)) / std::numbers::ln2;
}

}  // namespace gradatim::process
