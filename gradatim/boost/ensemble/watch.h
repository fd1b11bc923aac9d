// Watches metrics round by round: the history, the best round, and when to stop.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gradatim/boost/metric/metric.h"
#include "gradatim/data/model.h"

namespace gradatim::boost {

/// What a watch knows after a round.
struct WatchState {
  std::int64_t last = 0;  // round
  std::int64_t best = 0;
  double best_value = 0.0;
  std::vector<data::History> history;
};

class Watch {
 public:
  /// `patience` rounds without a better value of the first metric on validation rows stop the fit;
  /// 0 never does.
  Watch(std::vector<std::shared_ptr<const Metric>> metrics, std::int64_t patience,
        std::int64_t rounds, Observer* observer);

  /// Adds one data set's values of the round ("valid", "train"); "valid" decides.
  void record(const std::string& set, const MetricInput& input);
  /// Adds a value of the round that is no metric ("train.error_bound").
  void note(const std::string& name, double value);
  /// Decides whether the round is the best so far.
  void close_round(std::int64_t round);
  /// Tells the observer of the round that was closed.
  void tell();
  /// Or tells nobody.
  void skip() { event_.metrics.clear(); }
  /// Closes and tells; true when the fit should stop.
  bool end_round(std::int64_t round);
  bool stops() const { return patience_ > 0 && best_ > 0 && last_ - best_ >= patience_; }
  /// The best round so far, 1-based; the last one where nothing was watched or nothing stops.
  std::int64_t best_round() const { return patience_ > 0 && best_ > 0 ? best_ : last_; }
  std::int64_t last_round() const { return last_; }
  double seconds() const;
  std::vector<data::History> history() const { return history_; }
  /// As it was when the last round was closed; values of a round that was not are left out.
  WatchState state() const;
  void restore(WatchState state);

 private:
  std::vector<std::shared_ptr<const Metric>> metrics_;
  std::int64_t patience_;
  std::int64_t rounds_;
  Observer* observer_;
  std::vector<data::History> history_;
  StepDone event_;
  double start_seconds_;
  double latest_ = 0.0;
  bool has_latest_ = false;
  double best_value_ = 0.0;
  std::int64_t best_ = 0;
  std::int64_t last_ = 0;
};

}  // namespace gradatim::boost
