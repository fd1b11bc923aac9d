// The density that a flow carries: d ln p / dt = -div f along dx/dt = f(x, t) (Chen et al. 2018,
// theorem 1; Grathwohl et al. 2019), whatever f is made of.
//
//  1. A DensityDrift says its slope and, of its divergence, what vector products give: the exact
//     trace by one product a dimension, or estimates of it by Hutchinson's random probes z, whose
//     z^T (df/dx) z average to it.
//  2. integrate_density() moves states along, and the integral of the divergence with them in
//     further columns: one of the exact trace, or one a probe.
//  3. ln p at the start is ln p at the end plus that integral. likelihood.h has the two users: a
//     denoiser by the angle of its path, and a velocity field in plain time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/process/ode.h"

namespace gradatim::process {

enum class Probe { rademacher, normal };

/// The density where the path ends. `start`: the normal distribution that sampling starts from,
/// which makes ln p that of the samples. `field`: what the field itself says, along the line from
/// 0 to the state: ln p of the data that it was trained on, also where the path ends with some
/// signal left (sigma / alpha of 10, say). Both agree where none is.
enum class EndDensity { start, field };

struct LikelihoodOptions {
  int probes = 0;  // 0: the exact trace, dims products an evaluation
  Probe probe = Probe::rademacher;
  std::uint64_t seed = 0;
  EndDensity end = EndDensity::start;
  OdeOptions ode = {};
};

/// The vectors that derivatives are multiplied by: basis vectors, or random probes, one set a row.
class Probes {
 public:
  /// UsageError GRD-1135 for one probe, which has no standard error.
  Probes(const LikelihoodOptions& options, std::int64_t dims);

  std::int64_t dims() const { return dims_; }
  std::int64_t products() const { return exact() ? dims_ : count_; }
  /// Columns that sums are kept in: one for the exact trace, one a probe.
  std::int64_t columns() const { return exact() ? 1 : count_; }
  /// The vectors of product k, [rows, dims]; `rows` are places, by which probes are drawn.
  Vec vectors(Space& space, std::int64_t k, std::span<const std::int64_t> rows) const;
  /// Adds `product` (z^T J z of product k, a number a row) where it belongs in [rows, columns].
  void add(std::int64_t k, std::span<const double> product, std::span<double> sums) const;

 private:
  bool exact() const { return count_ == 0; }
  void draw(std::int64_t k, std::uint64_t row, std::span<double> z) const;

  std::int64_t count_, dims_;
  Probe kind_;
  std::uint64_t seed_;
};

/// A drift whose divergence is known by vector products. Its states have no further columns.
class DensityDrift : public Drift {
 public:
  /// The divergence where the query stands, [rows, columns of the probes].
  virtual std::vector<double> divergence(Space& space, const Query& query,
                                         const Probes& probes) const = 0;
};

struct Carried {
  Vec x;                                  // at the end
  std::vector<double> divergence;         // [rows]: its integral, ln p(start) - ln p(end)
  std::vector<double> standard_error;     // [rows], of the mean over probes; 0 where exact
  std::vector<std::int64_t> evaluations;  // [rows], of the drift
};

/// Moves states x [rows, dims] from one time to another, either way, with their density; `rows` are
/// the places of the rows. Errors of integrate().
Carried integrate_density(Space& space, const DensityDrift& drift, const Vec& x, double from,
                          double to, std::span<const std::int64_t> rows, const Probes& probes,
                          const OdeOptions& options = {});

}  // namespace gradatim::process
