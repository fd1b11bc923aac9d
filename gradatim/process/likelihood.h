// Likelihood: ln p(x) of data under a flow, by the change of variables along it (density.h).
//
// A denoiser's probability flow (Song et al. 2021, section 4.3) runs with the angle as its time, on
// u = x / norm (ode.h): ln p_0(x) = ln p(u at the noise) + integral of div, where x is exact data:
// t = 0, where u = x. The divergence, (dims cos(theta) - tr dD/du) / sin(theta), takes vector
// products with dD/dx.
//
// A velocity field's runs in plain time: dx/dt = F(x, t), from exact data to noise. Of a field that
// is a path's mean velocity both are the same flow; one that was trained as a flow and no more
// (Field::independent_noise) needs the second.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/process/denoiser.h"
#include "gradatim/process/density.h"

namespace gradatim::process {

struct Likelihood {
  std::vector<double> log_prob;           // [rows], nats
  std::vector<double> standard_error;     // [rows], of the mean over probes; 0 where exact
  std::vector<std::int64_t> evaluations;  // [rows], of the field
};

/// Of data `x` [rows, dims]; `rows` are the places of the rows, by which probes are drawn.
/// UsageError GRD-1103 or GRD-1131 where there is no derivative, GRD-1135 where the path's noise is
/// not normal or one probe was asked for, which has no standard error; NumericError GRD-4031 where
/// the density of a row is beyond all numbers, and those of integrate().
Likelihood log_prob(Space& space, const Denoiser& denoiser, const ConditionPtr& condition,
                    const Vec& x, std::span<const std::int64_t> rows,
                    const LikelihoodOptions& options = {});

/// Of a field whose output is the velocity dx/dt on `path`, in plain time; the states where it ends
/// are normal with the path's deviation there, whichever EndDensity is asked for. Errors likewise,
/// and UsageError GRD-1188 where the field puts out something else, or no velocity is finite.
Likelihood velocity_log_prob(Space& space, const Field& field, const Path& path,
                             const ConditionPtr& condition, const Vec& x,
                             std::span<const std::int64_t> rows,
                             const LikelihoodOptions& options = {});

/// -log2 of the chance of a cell of side `bin`, a dimension: 2 / 255 or so for bytes scaled to
/// [-1, 1], 1 for densities as they are.
double bits_per_dim(double log_prob, std::int64_t dims, double bin = 1.0);

}  // namespace gradatim::process
