#include "gradatim/boost/ensemble/watch.h"

#include <chrono>
#include <cmath>

namespace gradatim::boost {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Watch::Watch(std::vector<std::shared_ptr<const Metric>> metrics, std::int64_t patience,
             std::int64_t rounds, Observer* observer)
    : metrics_(std::move(metrics)),
      patience_(patience),
      rounds_(rounds),
      observer_(observer),
      start_seconds_(now()) {}

void Watch::record(const std::string& set, const MetricInput& input) {
  for (const auto& metric : metrics_) {
    const std::string name = set + "." + std::string(metric->short_name());
    const double value = (*metric)(input);
    note(name, value);
    if (set == "valid" && metric == metrics_.front()) {
      latest_ = metric->maximise() ? -value : value;
      has_latest_ = true;
    }
  }
}

void Watch::note(const std::string& name, double value) {
  event_.metrics.emplace_back(name, value);
  for (auto& history : history_) {
    if (history.name != name) continue;
    history.values.push_back(value);
    return;
  }
  history_.push_back({name, {value}});
}

void Watch::close_round(std::int64_t round) {
  last_ = round;
  // NaN is never the best.
  if (has_latest_ && !std::isnan(latest_) && (best_ == 0 || latest_ < best_value_)) {
    best_value_ = latest_;
    best_ = round;
  }
}

void Watch::tell() {
  if (observer_ != nullptr) {
    event_.step = last_;
    event_.steps = rounds_;
    event_.seconds = seconds();
    observer_->on_step(event_);
  }
  event_.metrics.clear();
}

bool Watch::end_round(std::int64_t round) {
  close_round(round);
  tell();
  return stops();
}

double Watch::seconds() const { return now() - start_seconds_; }

WatchState Watch::state() const {
  WatchState state{last_, best_, best_value_, history_};
  for (auto& history : state.history) {
    if (history.values.size() > static_cast<std::size_t>(last_)) history.values.resize(last_);
  }
  return state;
}

void Watch::restore(WatchState state) {
  last_ = state.last;
  best_ = state.best;
  best_value_ = state.best_value;
  history_ = std::move(state.history);
}

}  // namespace gradatim::boost
