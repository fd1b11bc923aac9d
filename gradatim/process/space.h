// Space: the arithmetic of states. Solvers, guidance and samplers are written against it and know
// neither float32 nor torch.
//
// Row k of any result depends on row k of the arguments alone, and its bits not on how many rows
// stand beside it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "gradatim/process/form.h"

namespace gradatim::process {

enum class Reduction {
  dot,           // sum of x y
  rms,           // sqrt(mean of x^2)
  deviation,     // unbiased standard deviation
  abs_quantile,  // quantile `level` of |x|, interpolated linearly between order statistics
};

class Space {
 public:
  virtual ~Space() = default;

  /// out[i] = forms[i], all of them in one pass over memory; returns whether every number is
  /// finite. Storage is recycled.
  virtual bool combine(std::span<const Form> forms, std::span<Vec> out) = 0;
  Vec combine(const Form& form);

  /// One float64 a row.
  virtual void reduce(Reduction kind, const Vec& x, const Vec& y, double level,
                      std::span<double> out) = 0;
  void reduce(Reduction kind, const Vec& x, std::span<double> out) {
    reduce(kind, x, {}, 0.0, out);
  }
  /// sqrt(mean of (e / (atol + rtol max(|x|, |y|)))^2), the error that adaptive steps control.
  virtual void error_rms(const Vec& e, const Vec& x, const Vec& y, double atol, double rtol,
                         std::span<double> out) = 0;
  /// x held in [-bound[row], bound[row]].
  virtual Vec clamp(const Vec& x, std::span<const double> bound) = 0;
  virtual Vec exp(const Vec& x) = 0;
  /// The named rows of x, in that order; and x with those rows replaced.
  virtual Vec take(const Vec& x, std::span<const std::int64_t> rows) = 0;
  virtual Vec put(const Vec& x, std::span<const std::int64_t> rows, const Vec& values) = 0;

  /// A state from numbers, row-major, and back.
  virtual Vec from(std::span<const double> values, std::int64_t rows, std::int64_t dims) = 0;
  virtual void copy_out(const Vec& x, std::span<double> out) = 0;
  /// A state of normal numbers; needs the shape, since no argument has it.
  virtual Vec normal(Draw draw, std::int64_t rows, std::int64_t dims) = 0;
};

}  // namespace gradatim::process
