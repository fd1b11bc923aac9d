#include "gradatim/process/velocity.h"

#include <fmt/format.h>

#include <cmath>

#include "gradatim/core/error.h"

namespace gradatim::process {

Vec VelocityFlow::slope(Space& space, const Query& query) const {
  Vec velocity;
  field_.eval(space, query, {&condition_, 1}, {&velocity, 1});
  return velocity;
}

std::vector<double> VelocityFlow::divergence(Space& space, const Query& query,
                                             const Probes& probes) const {
  const std::size_t rows = query.t.size();
  std::vector<double> sums(rows * static_cast<std::size_t>(probes.columns()), 0.0), product(rows);
  for (std::int64_t k = 0; k < probes.products(); ++k) {
    const Vec z = probes.vectors(space, k, query.rows);
    space.reduce(Reduction::dot, z, field_.vjp(space, query, condition_, z), 0.0, product);
    probes.add(k, product, sums);
  }
  return sums;
}

bool says_velocity(const Field& field, const Path& path) {
  for (const double t : {0.0, 0.5 * path.last(), path.last()}) {
    const PathPoint p = path.at(t);
    const Target said = field.prediction().target(p);
    // Not finite numbers are not equal, either.
    if (std::abs(said.data - p.alpha_rate) > 1e-9 || std::abs(said.noise - p.sigma_rate) > 1e-9 ||
        !std::isfinite(p.alpha_rate) || !std::isfinite(p.sigma_rate)) {
      return false;
    }
  }
  return true;
}

void check_velocity(const Field& field, const Path& path) {
  GRADATIM_CHECK(says_velocity(field, path), UsageError, 1188,
                 "a flow in plain time needs a field that puts out a velocity, finite on the whole "
                 "path; take prediction = velocity and a path such as rectified");
}

}  // namespace gradatim::process
