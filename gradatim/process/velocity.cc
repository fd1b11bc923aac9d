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
  constexpr std::size_t kTogether = 16;  // vectors, so that many dimensions fit into memory
  const std::size_t rows = query.t.size();
  std::vector<double> sums(rows * static_cast<std::size_t>(probes.columns()), 0.0);
  std::vector<double> products(rows * kTogether);
  std::vector<Vec> vectors;
  for (std::int64_t first = 0; first < probes.products(); first += kTogether) {
    vectors.clear();
    for (std::int64_t k = first; k < probes.products() && vectors.size() < kTogether; ++k)
      vectors.push_back(probes.vectors(space, k, query.rows));
    field_.products(space, query, condition_, vectors,
                    std::span(products).first(vectors.size() * rows));
    for (std::size_t k = 0; k < vectors.size(); ++k) {
      probes.add(first + static_cast<std::int64_t>(k), std::span(products).subspan(k * rows, rows),
                 sums);
    }
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
