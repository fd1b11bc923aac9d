// Planner: lays a solver's steps on a path and a grid.
//
// Notation in every solver: a step goes from point a to point b (b is nearer to the data), with
// alpha, sigma, ratio = sigma / alpha; x is the state, D the data predicted at it, E the noise
// (x - alpha D) / sigma. A grid may go up again: the state is then noised to the higher point, and
// the solver begins anew without a history.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "gradatim/process/path.h"
#include "gradatim/process/program.h"

namespace gradatim::process {

/// How the data (or noise) predicted at several points are continued between and beyond them: as a
/// polynomial in log_snr = ln(alpha / sigma), as published, or in the gain
/// 1 / sqrt(1 + (ratio / data_scale)^2), in which the predictions for Gaussian data of that
/// standard deviation are straight lines, and which is finite at both ends: steps from pure noise
/// and to exact data keep their order.
enum class Basis { gain, log_snr };

struct Continuation {
  Basis basis = Basis::gain;
  double data_scale = 0.5;
};
/// Another variable that predictions are polynomials of, as a function of sigma / alpha.
using Coordinate = std::function<double(double ratio)>;

/// x_b from x_a, where D stands still: the deterministic step (DDIM, Euler, DPM-Solver++ 1). With
/// `fresh` > 0, so much of b's noise is drawn anew.
Sum jump(const PathPoint& a, const PathPoint& b, double fresh = 0.0);
/// The standard deviation of the posterior q(x_b | x_a, data), DDPM's.
double posterior_deviation(const PathPoint& a, const PathPoint& b);
/// E from x and D.
Sum noise_of(const PathPoint& p, int x = kState, int data = kAnswer);

/// Weights w of x_b = x-part + sum w_j D_j for the D_j at `nodes`, newest first: the exact solution
/// for the polynomial through them. `eta` draws noise anew (0: the ODE; 1: the reverse SDE).
std::vector<double> data_weights(const PathPoint& a, const PathPoint& b,
                                 std::span<const PathPoint> nodes, const Continuation& how,
                                 double eta = 0.0);
/// The other part of that step: x and noise.
Sum carried(const PathPoint& a, const PathPoint& b, double eta = 0.0);
/// Weights of E_j in x_b = alpha_b / alpha_a x_a + sum w_j E_j. Needs finite ratios of a and b. The
/// counterpart of the gain, in which the noise in Gaussian data is a straight line, is
/// ratio / sqrt(data_scale^2 + ratio^2).
std::vector<double> noise_weights(const PathPoint& a, const PathPoint& b,
                                  std::span<const PathPoint> nodes, const Continuation& how);
std::vector<double> noise_weights(const PathPoint& a, const PathPoint& b,
                                  std::span<const PathPoint> nodes, const Coordinate& place);
/// x_b from x_a where the noise stands still at `noise`. Needs finite ratios.
Sum by_noise(const PathPoint& a, const PathPoint& b, const Sum& noise);
/// The point between two ratios where the noise in Gaussian data of standard deviation `data_scale`
/// has its mean over them: the best place for a midpoint rule, also to exact data.
PathPoint mean_noise_point(const Path& path, double from, double to, double data_scale);
/// The point half-way in the basis; in the gain's where the log-SNR of an end is infinite.
PathPoint between(const Path& path, const PathPoint& a, const PathPoint& b,
                  const Continuation& how);

/// The steps of one descending part of a grid, as a solver sees them.
class Planner {
 public:
  Planner(const Path& path, std::span<const PathPoint> points, Program& program)
      : path_(path), points_(points), program_(program) {}

  const Path& path() const { return path_; }
  int steps() const { return static_cast<int>(points_.size()) - 1; }
  const PathPoint& point(int i) const { return points_[static_cast<std::size_t>(i)]; }
  /// points i, i - 1, ..., as many as `most` and the part allow.
  std::vector<PathPoint> behind(int i, int most) const;

  /// A new stage that asks for the data at a place.
  Planner& ask(const PathPoint& point, int at = kState);
  /// A stage without a question that computes one slot.
  Planner& set(int slot, Sum sum);
  /// What that stage computes; at most four a stage.
  Planner& let(int slot, Sum sum);
  /// The state is now at point(i).
  void reach(int i);

 private:
  const Path& path_;
  std::span<const PathPoint> points_;
  Program& program_;
};

/// The step of an asking stage from point i to exact data: the prediction there and the one at the
/// point before, which the slot `kept` holds, continued. No evaluation more than the first order's.
Sum to_data(const Planner& plan, int i, const Continuation& how, int kept);

/// The program of a solver over a whole grid, `times` of its points; UsageError GRD-1101 where a
/// grid has fewer than two points, or a time that is not in [0, last]. `rising` is for inversions,
/// from data to noise: GRD-1112 where their grid falls.
Program plan(const Path& path, std::span<const double> times,
             const std::function<void(Planner&)>& steps, bool rising = false);

}  // namespace gradatim::process
