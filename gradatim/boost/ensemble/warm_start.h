// A fitted model that a fit goes on from: its members stay as they are, further rounds are added.
//
// On the same rows, in the same order, with the same settings and seed, n rounds and then m more
// are n + m rounds to the byte: bins and draws depend on the data, the seed and the absolute round,
// and the scores after n rounds are exact sums of the members. With dropout they are not, since the
// model file holds members as the last round scaled them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "gradatim/boost/ensemble/additive_model.h"

namespace gradatim::boost {

class WarmStart {
 public:
  /// UsageError GRD-1034 where the model and the request have different features, scores or
  /// members; GRD-1036 where the model is no sum of members.
  WarmStart(const data::FitRequest& request, const Learner& learner);

  /// With the model's features in its order, its task and its classes.
  const data::FitRequest& request() const { return request_; }
  const data::Schema& schema() const { return model_.card().features; }
  const TargetStatistics* statistics() const { return model_.statistics(); }  // or null
  std::int64_t rounds() const { return model_.card().rounds; }

  /// The fit's loss, `own` where one was given, else the model's, which `settings` then name:
  /// scores of one loss mean nothing to another. UsageError GRD-1034 where it is not the model's.
  std::shared_ptr<const Loss> loss(std::shared_ptr<const Loss> own, api::Settings& settings) const;

  /// The members, each of `width` outputs; `features` are the fit's.
  Members load_members(std::span<const FeatureBins> features, int width) const;
  /// The model's, where it has so many scores and members a round.
  std::vector<double> base_score(int outputs, int members_per_round) const;
  /// `step`, or the largest smaller power of two that divides every value of the members.
  double finest_step(double step, std::span<const std::unique_ptr<Member>> members,
                     const data::Table& features) const;

 private:
  const AdditiveModel& model_;
  const Learner& learner_;
  data::FitRequest request_;
};

}  // namespace gradatim::boost
