// Ordinary differential equations, row by row: every row has its own time and step, leaves when it
// arrives, and never sees its neighbours.
//
// The pair of Dormand and Prince (1980): seven slopes a step, of which the last is the next step's
// first; orders 5 and, for the error, 4. Slopes are those of one time a row, so a field sees one
// batch whatever the rows' steps are.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/process/denoiser.h"
#include "gradatim/process/space.h"

namespace gradatim::process {

/// dx/dt = f(x, t), the t and place of each row in the query. States may have columns beyond the
/// field's, such as a log-density.
class Drift {
 public:
  virtual ~Drift() = default;
  /// [rows, dims], as the query's x.
  virtual Vec slope(Space& space, const Query& query) const = 0;
};

struct OdeOptions {
  double atol = 1e-6, rtol = 1e-6;  // of the root mean square over a row
  int steps = 0;                    // > 0: so many even steps instead, without error control
  std::int64_t most_steps = 10000;  // a row, rejected ones included
};

struct OdeResult {
  Vec x;
  std::vector<std::int64_t> evaluations;  // [rows]: how often the drift was asked for the row
};

/// From `x` at the time `from` to the time `to`, either way; `rows` are the places of the states in
/// the whole sampling. NumericError GRD-4021 where a slope at the start is not finite, GRD-4022
/// where the tolerance cannot be kept.
OdeResult integrate(Space& space, const Drift& drift, const Vec& x, double from, double to,
                    std::span<const std::int64_t> rows, const OdeOptions& options = {});

/// A point of a path as an angle: theta = atan(sigma / alpha), from 0 (data) to pi / 2 (noise), and
/// norm = sqrt(alpha^2 + sigma^2), which states are divided by.
struct Angle {
  double t = 0.0, theta = 0.0, norm = 1.0;
};
Angle angle_at(const Path& path, double t);
Angle angle_of(const Path& path, double theta);

/// The probability flow of a denoiser with the angle as its time, on u = x / norm:
/// du/dtheta = cos(theta) E - sin(theta) D, which is smooth at both ends whatever the path. At
/// theta = 0 it is 0, the noise that is expected in exact data of a smooth density; where noise was
/// not drawn independently of the data, it is what the field says just above.
class AngleFlow final : public Drift {
 public:
  AngleFlow(const Denoiser& denoiser, ConditionPtr condition)
      : denoiser_(denoiser), condition_(std::move(condition)) {}
  Vec slope(Space& space, const Query& query) const override;

 private:
  const Denoiser& denoiser_;
  ConditionPtr condition_;
};

/// x on the path at the time `from`, moved along the probability flow to the time `to`.
OdeResult flow(Space& space, const Denoiser& denoiser, const ConditionPtr& condition, const Vec& x,
               double from, double to, std::span<const std::int64_t> rows,
               const OdeOptions& options = {});

}  // namespace gradatim::process
