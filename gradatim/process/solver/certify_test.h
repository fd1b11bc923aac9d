// What tests know exactly of solvers: how they carry normal distributions and where the
// probability flow ends. Nothing here is drawn at random.
//
// On a Gaussian every step is affine in the state and in each draw. A batch whose row 0 starts at
// 0, whose row 1 starts at 1, and whose row 2 + k sees draw k alone as a 1, tells all coefficients,
// and so the mean and the deviation at the end.
#pragma once

#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "gradatim/process/grid.h"
#include "gradatim/process/host_space.h"
#include "gradatim/process/solver.h"
#include "gradatim/process/testing.h"

namespace gradatim::process::testing {

/// Draw k is 1 in row 2 + k and 0 elsewhere; k counts the program's noisy stages.
class Impulses final : public NoiseSource {
 public:
  explicit Impulses(const Program& program) {
    for (std::size_t i = 0; i < program.stages.size(); ++i) {
      const auto& moves = program.stages[i].moves;
      const bool noisy =
          std::ranges::any_of(moves, [](const Move& m) { return m.sum.noise != 0.0; });
      if (noisy) stages_.push_back(static_cast<std::uint32_t>(i));
    }
  }
  std::int64_t count() const { return static_cast<std::int64_t>(stages_.size()); }
  void part(Draw draw, std::int64_t row, std::int64_t, std::int64_t,
            std::span<double> out) const override {
    const bool mine = row >= 2 && stages_[static_cast<std::size_t>(row - 2)] == draw.step;
    std::ranges::fill(out, mine ? 1.0 : 0.0);
  }

 private:
  std::vector<std::uint32_t> stages_;
};

struct Moments {
  double mean = 0.0, deviation = 0.0;
};

/// The 2-Wasserstein distance of two normal distributions.
inline double distance(const Moments& a, const Moments& b) {
  return std::hypot(a.mean - b.mean, a.deviation - b.deviation);
}

inline Moments marginal(const PathPoint& p, const Moments& data) {
  return {p.alpha * data.mean, std::hypot(p.alpha * data.deviation, p.sigma)};
}

inline std::shared_ptr<const Field> gaussian(std::shared_ptr<const Path> path,
                                             const Moments& data) {
  return std::make_shared<MixtureField>(Mixture{{1.0}, {data.mean}, {data.deviation}, 1},
                                        std::move(path), make<Prediction>("process.prediction.v"));
}

/// How the state at the end depends on the start and on each draw: x = offset + start x_0 + sum
/// draws_k z_k.
struct Affine {
  double offset = 0.0, start = 0.0;
  std::vector<double> draws;

  Moments of(const Moments& at_start) const {
    double variance = std::pow(start * at_start.deviation, 2.0);
    for (const double c : draws) variance += c * c;
    return {offset + start * at_start.mean, std::sqrt(variance)};
  }
};

inline Affine affine(const Solver& solver, const std::shared_ptr<const Path>& path,
                     const std::vector<double>& times, const std::shared_ptr<const Field>& field) {
  const FieldDenoiser denoiser(field, path);
  const auto impulses = std::make_shared<Impulses>(*solver.program(*path, times));
  HostSpace<double> space(impulses);
  std::vector<double> x(static_cast<std::size_t>(impulses->count() + 2), 0.0);
  x[1] = 1.0;
  std::vector<std::int64_t> rows(x.size());
  std::iota(rows.begin(), rows.end(), 0);
  const Vec end = solver.solve({space, denoiser, nullptr, times, rows},
                               space.from(x, static_cast<std::int64_t>(x.size()), 1));
  space.copy_out(end, x);
  Affine result{x[0], x[1] - x[0], {x.begin() + 2, x.end()}};
  for (double& c : result.draws) c -= x[0];
  return result;
}

inline Affine affine(const Solver& solver, const std::shared_ptr<const Path>& path,
                     const std::vector<double>& times, const Moments& data) {
  return affine(solver, path, times, gaussian(path, data));
}

/// How far the distribution at the end of a grid is from the path's there.
inline double gaussian_error(const Solver& solver, const std::shared_ptr<const Path>& path,
                             const std::vector<double>& times, const Moments& data) {
  const auto end = affine(solver, path, times, data).of(marginal(path->at(times[0]), data));
  return distance(end, marginal(path->at(times.back()), data));
}

/// The mixture of the anchor table's second part.
inline Mixture two_modes() { return {{0.3, 0.7}, {-1.0, 1.0}, {0.15, 0.3}, 1}; }

inline double mixture_cdf(const Mixture& mixture, const PathPoint& p, double x) {
  double sum = 0.0;
  for (std::size_t k = 0; k < mixture.components(); ++k) {
    const auto m = marginal(p, {mixture.means[k], mixture.deviations[k]});
    sum += mixture.weights[k] * 0.5 * std::erfc((m.mean - x) / (m.deviation * std::sqrt(2.0)));
  }
  return sum;
}

/// Where the probability flow takes x at p: in one dimension it keeps quantiles.
inline double flow_end(const Mixture& mixture, const PathPoint& p, const PathPoint& end, double x) {
  const double level = mixture_cdf(mixture, p, x);
  double low = -20.0, high = 20.0;
  for (int i = 0; i < 100; ++i) {
    const double middle = 0.5 * (low + high);
    (mixture_cdf(mixture, end, middle) < level ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

/// Root mean square of end less flow_end over 45 starts from -2.2 to 2.2.
inline double flow_error(const Solver& solver, const std::shared_ptr<const Path>& path,
                         const std::vector<double>& times, const Mixture& mixture) {
  const auto field =
      std::make_shared<MixtureField>(mixture, path, make<Prediction>("process.prediction.v"));
  const FieldDenoiser denoiser(field, path);
  HostSpace<double> space;
  std::vector<double> start(45), end(45);
  std::vector<std::int64_t> rows(45);
  for (std::size_t i = 0; i < 45; ++i) start[i] = -2.2 + 0.1 * static_cast<double>(i);
  std::iota(rows.begin(), rows.end(), 0);
  space.copy_out(solver.solve({space, denoiser, nullptr, times, rows}, space.from(start, 45, 1)),
                 end);
  double sum = 0.0;
  for (std::size_t i = 0; i < 45; ++i) {
    const double exact = flow_end(mixture, path->at(times[0]), path->at(times.back()), start[i]);
    sum += (end[i] - exact) * (end[i] - exact);
  }
  return std::sqrt(sum / 45.0);
}

inline std::shared_ptr<const Path> anchor_path() {
  return make<Path>("process.path.scaled_linear");
}

inline std::vector<double> grid(std::string_view name, const Path& path, int steps,
                                const std::vector<api::Option>& options = {}) {
  return make<Grid>("process.grid." + std::string(name), options)->times(path, steps);
}

inline std::shared_ptr<const Solver> solver(std::string_view name,
                                            const std::vector<api::Option>& options = {}) {
  return make<Solver>("process.solver." + std::string(name), options);
}

}  // namespace gradatim::process::testing
