// Path: how data turn into noise, x_t = alpha(t) x + sigma(t) noise.
//
// t is a label that grows with noise; t = 0 is exact data (alpha = 1, sigma = 0). sigma may be
// unbounded (VE, EDM: alpha = 1), and log-SNR may be infinite at either end. Discrete indices,
// sigmas and reversed time are other conventions, converted where they come in.
//
// The diffusion that has these marginals is dx = f x dt + g dw with f = alpha'/alpha and
// g^2 = d(sigma^2)/dt - 2 f sigma^2 (Song et al. 2021, appendix D).
#pragma once

#include <string_view>

namespace gradatim::process {

struct PathPoint {
  double t = 0.0;
  double alpha = 1.0, sigma = 0.0;
  double alpha_rate = 0.0, sigma_rate = 0.0;  // d/dt

  /// sigma / alpha, infinite where no signal is left.
  double ratio() const;
  /// ln(alpha^2 / sigma^2).
  double log_snr() const;
  /// The diffusion's f(t) and g(t)^2; infinite where alpha is 0, and g(0)^2 is not a number where
  /// sigma_rate is infinite.
  double drift() const { return alpha_rate / alpha; }
  double diffusion() const { return 2.0 * sigma * (sigma_rate - drift() * sigma); }
};

class Path {
 public:
  using Interface = Path;
  static constexpr std::string_view kKind = "process.path";
  virtual ~Path() = default;

  /// 0 <= t <= last().
  virtual PathPoint at(double t) const = 0;
  /// The t of a noise-to-signal ratio sigma / alpha in [0, infinity], held in [0, last()].
  virtual double time_of(double ratio) const = 0;
  virtual double last() const { return 1.0; }
  /// The least t > 0 that fields are trained at and that grids which cannot reach 0 end at.
  virtual double first() const { return 1e-3; }
  /// What networks are told instead of t.
  virtual double model_time(double t) const { return t; }
  /// Standard deviation of the states that sampling starts from, for data of unit variance or
  /// less: sigma(last).
  double prior_scale() const { return at(last()).sigma; }
  /// Whether the noise is normal. SDEs, scores and likelihoods need it to be.
  virtual bool gaussian_source() const { return true; }
};

}  // namespace gradatim::process
