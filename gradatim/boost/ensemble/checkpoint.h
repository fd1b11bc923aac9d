// A checkpoint: everything that a fit needs to go on as if it had never stopped.
//
// One safetensors file, DIR/checkpoint.safetensors, written atomically. It holds
//   - who it belongs to: settings, seed, metrics, hashes of the rows and of the model gone on from;
//   - the members so far, as the learner stores them (with dropout: unscaled), and their features;
//   - the watch: rounds done, best round and value, the history;
//   - of each output, whether the last round had outliers (the next one is then wide);
//   - with dropout: every round's weight, now and at the best round.
// Not the scores: they are exact sums of the members, and are added up anew.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gradatim/boost/ensemble/training_data.h"
#include "gradatim/boost/ensemble/watch.h"
#include "gradatim/boost/learner/learner.h"
#include "gradatim/data/checkpoint_file.h"

namespace gradatim::boost {

/// What the loop knows beyond the members.
struct LoopState {
  WatchState watch;
  std::vector<std::uint8_t> outliers;  // [outputs]
  std::vector<double> weights;         // [rounds] with dropout, else empty
  std::vector<double> best_weights;    // at the best round
};

using data::Identity;
Identity identity_of(const data::FitRequest& request, const api::Settings& settings,
                     const Task& task, const data::Schema& schema, const LabelledRows& train,
                     const LabelledRows* valid);

class Checkpoint {
 public:
  /// Makes the folder. An empty one stands for no checkpoint. UsageError GRD-1023 where the
  /// learner's members cannot be written, DataError GRD-2002 where the folder cannot be used.
  Checkpoint(const std::string& folder, double seconds, const Learner& learner);

  bool wanted() const { return file_.wanted(); }
  /// What the folder holds. UsageError GRD-1035 where it belongs to another fit, ModelError
  /// GRD-3011 where it is damaged.
  struct Loaded {
    LoopState state;
    Members members;
  };
  std::optional<Loaded> load(const Identity& identity, std::span<const FeatureBins> features) const;

  /// Writes if it is time (CheckpointFile::due()).
  void write_if_due(const Identity& identity, const LoopState& state,
                    std::span<const std::unique_ptr<Member>> members);
  void write(const Identity& identity, const LoopState& state,
             std::span<const std::unique_ptr<Member>> members);

 private:
  data::CheckpointFile file_;
  const Learner& learner_;
};

}  // namespace gradatim::boost
