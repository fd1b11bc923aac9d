// Prediction: what a field puts out, F = data D + noise E, and how it becomes what a solver wants.
//
// With x = alpha D + sigma E, two equations in D and E. Their determinant is
// alpha r_E - sigma r_D, so that D = (r_E x - sigma F) / det and E = (alpha F - r_D x) / det:
// where predictions are converted. (Compat mode of diffusers' schedulers has the peer's own
// conversions, in diffusers/schedule.cc.)
#pragma once

#include <string_view>

#include "gradatim/process/path.h"

namespace gradatim::process {

/// The coefficients of D and E in a prediction.
struct Target {
  double data = 0.0, noise = 0.0;
};

/// a x + b F.
struct FromField {
  double x = 0.0, f = 0.0;
};

class Prediction {
 public:
  using Interface = Prediction;
  static constexpr std::string_view kKind = "process.prediction";
  virtual ~Prediction() = default;

  /// The regression target of training, and the meaning of the field's output.
  virtual Target target(const PathPoint& p) const = 0;
  /// The field sees this times x.
  virtual double input_scale(const PathPoint&) const { return 1.0; }

  /// Clean data from the state and the field's output. NumericError GRD-4020 where the output says
  /// nothing about it (noise or score at alpha = 0).
  FromField data(const PathPoint& p) const;
  /// What another prediction would be, likewise.
  FromField as(const Prediction& other, const PathPoint& p) const;
};

}  // namespace gradatim::process
