// A velocity field in plain time: dx/dt = F(x, t), t from 0 at the data to the path's last at the
// noise. Nothing is divided by the noise, so exact data are a time like any other.
#pragma once

#include <span>
#include <vector>

#include "gradatim/process/density.h"
#include "gradatim/process/field.h"

namespace gradatim::process {

class VelocityFlow final : public DensityDrift {
 public:
  VelocityFlow(const Field& field, ConditionPtr condition)
      : field_(field), condition_(std::move(condition)) {}
  Vec slope(Space& space, const Query& query) const override;
  std::vector<double> divergence(Space& space, const Query& query,
                                 const Probes& probes) const override;

 private:
  const Field& field_;
  ConditionPtr condition_;
};

/// Whether a field's output is the velocity on this path, which is finite from end to end.
bool says_velocity(const Field& field, const Path& path);
/// UsageError GRD-1188 where it is not.
void check_velocity(const Field& field, const Path& path);

}  // namespace gradatim::process
