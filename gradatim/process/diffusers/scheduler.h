// Scheduler: what stands where diffusers expects one of its own.
//
// The life of a scheduler:
//  1. It is made from a configuration, in one of two modes: `compat` has the numbers of diffusers,
//     its finite defects included; `correct` has finite numbers for every configuration, and
//     differences() says in sentences what differs.
//  2. set_timesteps() lays all calls.
//  3. The owner of the loop calls step() once a timestep. The first one finds its place by its
//     timestep, or by set_begin_index(); then places are counted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gradatim/process/diffusers/call.h"
#include "gradatim/process/diffusers/config.h"
#include "gradatim/process/space.h"

namespace gradatim::process::diffusers {

enum class Mode { correct, compat };

struct Stepped {
  Vec sample;  // the next one
  Vec data;    // predicted, where it was asked for
};

class Scheduler {
 public:
  Scheduler(Config config, Mode mode);

  /// UsageError GRD-1123 where steps, timesteps or sigmas cannot be; GRD-1126 where diffusers
  /// refuses, in compat mode.
  void set_timesteps(Request request);
  /// Keywords of step(), which move coefficients but no timestep.
  void set_keywords(std::optional<double> eta, double churn, double churn_from, double churn_to,
                    double noise_scale);
  void set_begin_index(std::size_t begin);

  const Config& config() const { return config_; }
  const Plan& plan() const { return plan_; }
  const std::vector<std::string>& differences() const { return differences_; }

  double input_scale(double timestep);
  /// Whether the step at a timestep draws noise.
  bool draws(double timestep);
  /// From sample and output [rows, dims]. Noise is the space's where none is given; `variance` is
  /// the second half of an output with variance_type learned_range, and without it they are the
  /// least. UsageError GRD-1124 a timestep that is not in the schedule; GRD-1125 a step too many,
  /// or before set_timesteps; GRD-1126 in compat mode, without a variance that is wanted.
  Stepped step(Space& space, const Vec& output, double timestep, const Vec& sample,
               const Vec& noise, bool wants_data, const Vec& variance = {});
  /// x_t = alpha x + sigma noise at a timestep of the schedule or, for classes of whole timesteps,
  /// of training.
  Level level(double timestep);

 private:
  std::size_t find(double timestep) const;
  std::size_t next(double timestep);
  void lay();
  Term noise_of(Space& space, const Sum& sum, double c, const Vec& drawn,
                const Vec& variance) const;
  Vec treated(Space& space, const Call& call, const Form& data) const;

  Config config_;
  Mode mode_;
  Request request_;
  Plan plan_;
  std::vector<std::string> differences_;
  std::optional<std::size_t> index_, begin_;
  std::vector<Vec> slots_;
  std::vector<Level> table_;  // of training, where it was asked for
};

}  // namespace gradatim::process::diffusers
