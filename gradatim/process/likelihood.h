// Likelihood: ln p(x) of data under any denoiser, by the change of variables along its probability
// flow (Song et al. 2021, section 4.3; Grathwohl et al. 2019).
//
// With the angle as time and u = x / norm (ode.h), d ln p / dtheta = -div along the flow, so
// ln p_0(x) = ln p(u at the noise) + integral of div. x is exact data: t = 0, where u = x. The
// divergence, (dims cos(theta) - tr dD/du) / sin(theta), takes vector products with dD/dx: one a
// dimension, or Hutchinson's random probes z, whose z^T (dD/dx) z average to the trace.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/process/denoiser.h"
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

struct Likelihood {
  std::vector<double> log_prob;           // [rows], nats
  std::vector<double> standard_error;     // [rows], of the mean over probes; 0 where exact
  std::vector<std::int64_t> evaluations;  // [rows], of the field
};

/// Of data `x` [rows, dims]; `rows` are the places of the rows, by which probes are drawn.
/// UsageError GRD-1103 or GRD-1131 where there is no derivative, GRD-1135 where the path's noise is
/// not normal or one probe was asked for, which has no standard error.
Likelihood log_prob(Space& space, const Denoiser& denoiser, const ConditionPtr& condition,
                    const Vec& x, std::span<const std::int64_t> rows,
                    const LikelihoodOptions& options = {});

/// -log2 of the chance of a cell of side `bin`, a dimension: 2 / 255 or so for bytes scaled to
/// [-1, 1], 1 for densities as they are.
double bits_per_dim(double log_prob, std::int64_t dims, double bin = 1.0);

}  // namespace gradatim::process
