// Program: a sampling whose every step is linear, worked out before it runs.
//
// The life of a program:
//  1. A solver lays its steps on a path and a grid (planner.h): all coefficients, in float64.
//  2. Each Stage asks for the data at one slot and one time, and then computes some slots,
//  together,
//     from the slots as they were and the answer.
//  3. LinearRun executes it: query(), answer(), query(), ... Whoever owns the loop supplies the
//     answers: sample() from a Denoiser, a scheduler from its caller.
// The same program runs on samples, on doubles, and on tensors.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gradatim/process/field.h"
#include "gradatim/process/path.h"
#include "gradatim/process/space.h"

namespace gradatim::process {

/// Places of a program. kState is the sample, kAnswer the data that the stage's query was answered
/// with; the others are the solver's own.
inline constexpr int kState = 0;
inline constexpr int kAnswer = -1;

/// A linear combination of places and noise.
struct Sum {
  struct Part {
    int slot = kState;
    double c = 0.0;
  };
  std::vector<Part> parts;
  double noise = 0.0;   // factor of a fresh draw
  double spread = 0.0;  // the draw is multiplied by exp(spread v), v the field's learned variances
  Stream purpose = Stream::noise;

  Sum& add(double c, int slot);
  Sum& add(double c, const Sum& other);
  Sum& add_noise(double c, Stream from = Stream::noise);
};

struct Move {
  int slot = kState;
  Sum sum;
};

struct Stage {
  PathPoint point;   // where the field is asked
  int at = kState;   // of which place
  bool asks = true;  // whether there is a question at all (raising the noise needs none)
  std::vector<Move> moves;
  bool ends_step = false;  // the state is now at `after`
  double after = 0.0;

  bool asks_variance() const;
};

struct Program {
  std::vector<Stage> stages;
  int slots = 1;

  std::int64_t evaluations() const;
  std::int64_t steps() const;
  bool draws_noise() const;
};

class LinearRun {
 public:
  /// `rows` are the places of the states in the whole sampling.
  LinearRun(Space& space, const Program& program, Vec start, std::span<const std::int64_t> rows);

  bool done() const { return stage_ == program_.stages.size(); }
  const Stage& stage() const { return program_.stages[stage_]; }
  /// What to ask of the field.
  Query query() const;
  /// Takes the data predicted for the query (`data` may refer to it unevaluated) and, where the
  /// stage asks for them, the field's learned variances; returns whether all numbers stayed finite.
  bool answer(const Form& data, const Vec& variance = {});
  /// Stages that ask nothing, up to the next question; after each answer, once whoever owns the
  /// loop has seen the state.
  bool go_on();

  const Vec& state() const { return slots_[kState]; }
  /// For whoever owns the loop: another state at the same time.
  void replace(Vec state) { slots_[kState] = std::move(state); }
  std::int64_t finished_steps() const { return finished_; }
  double time() const { return time_; }

 private:
  bool move(const Form& data, const Vec& variance);
  void pass();

  Space& space_;
  const Program& program_;
  std::span<const std::int64_t> rows_;
  std::vector<Vec> slots_;
  mutable std::vector<double> times_;  // of the query
  std::vector<Form> forms_;
  std::vector<Vec> made_;
  std::size_t stage_ = 0;
  std::int64_t finished_ = 0;
  double time_;
};

}  // namespace gradatim::process
