#include "gradatim/neural/train/loop.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/dist/collectives.h"
#include "gradatim/neural/train/log.h"
#include "gradatim/neural/train/optimizer.h"
#include "gradatim/neural/train/preview.h"

namespace gradatim::neural {
namespace {

// The mean of equal parts of the steps, at most so many: what the model file keeps of its training.
constexpr std::int64_t kParts = 200;
// Samples to watch are looked at before the first step, where unfit ones are found, and after each
// tenth of the steps.
constexpr std::int64_t kWatches = 10;

// What ranks tell each other of a checkpoint, and what ends them where they are no longer one.
constexpr const char* kState = "state";
constexpr int kReplicasDiffer = 5004;

double seconds_since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

class Loop {
 public:
  Loop(Objective& objective, const TrainingConfig& config, const data::FitRequest& request,
       const data::Identity& identity)
      : objective_(objective),
        config_(config),
        request_(request),
        identity_(identity),
        replicas_(group_of(request), objective.parameters(), config),
        optimizer_(objective.parameters(), config),
        checkpoint_(replicas_.first() ? request.resume : "", request.checkpoint_seconds),
        log_(replicas_.first() ? request.log_folder : "") {}

  Trained run() {
    for (const auto& [what, text] : identity_) {
      dist::require_equal(replicas_.group(), what, text);
    }
    go_on();
    replicas_.require_equal(optimizer_.kept());
    try {
      go();
    } catch (const Interrupted&) {
      if (!checkpoint_.wanted()) throw;
      save();
      throw Interrupted(
          fmt::format("interrupted; {} holds the {} steps that were done, and the "
                      "same fit goes on from there",
                      request_.resume, done_));
    } catch (const NumericError&) {  // what is there now is no better than the last checkpoint
      throw;
    } catch (const DistributedError& error) {
      if (error.code() == kReplicasDiffer) throw;
      save_at_last();
      if (written_ != done_ || !checkpoint_.wanted()) throw;
      throw DistributedError(error.code(), fmt::format("{}; {} holds the {} steps that were done",
                                                       error.message(), checkpoint_.path(), done_));
    } catch (...) {  // of the caller's observer, say
      save_at_last();
      throw;
    }
    check_parameters();
    save_equal();
    objective_.parameters().require_gradients(false);  // nobody learns any more
    std::vector<data::History> history{{"train.loss", means_}};
    history.insert(history.end(), watched_.begin(), watched_.end());
    return {optimizer_.kept(), std::move(history), done_};
  }

 private:
  // From the checkpoint, which is rank 0's.
  void go_on() {
    dist::Group& group = replicas_.group();
    std::string packed;
    dist::together(group, [&] {
      const bool there = checkpoint_.load(
          identity_, [this](const SafetensorsFile& file, const nlohmann::json& state) {
            restore(file, state);
          });
      if (there && group.size() > 1) packed = pack();
    });
    packed = dist::from_first(group, std::move(packed));
    if (replicas_.first() || packed.empty()) return;
    const SafetensorsFile file(packed, "rank 0's checkpoint");
    restore(file, nlohmann::json::parse(file.metadata(kState)));
  }

  std::string pack() const {
    nlohmann::json state;
    SafetensorsWriter file = stored(state);
    file.set_metadata(kState, state.dump());
    return file.bytes();
  }

  void go() {
    const auto begun = std::chrono::steady_clock::now();
    if (done_ < config_.steps) objective_.begin(done_, config_.steps, replicas_);
    log_.begin(done_, log_number_);
    if (log_.number() > std::max<std::int64_t>(1, log_number_) && request_.observer != nullptr) {
      request_.observer->on_warning(fmt::format("{} holds the log of another fit; this one's is {}",
                                                request_.log_folder, log_.lines()));
    }
    watch();  // also what an interrupt kept from being seen
    while (done_ < config_.steps) {
      check_interrupt();
      const double own = objective_.step(done_);
      const StepEnd end = replicas_.finish(
          {.loss = own,
           .stop = config_.max_seconds > 0.0 && seconds_since(begun) > config_.max_seconds,
           .keep = checkpoint_.due()});
      check(end.loss, "loss");
      objective_.before_update(done_);
      const double norm = optimizer_.update(done_);
      check(norm, "gradient");
      record(end.loss);
      watch();
      tell(end.loss, norm, seconds_since(begun));
      picture();
      if (end.keep) save_equal();
      if (end.stop) break;
    }
  }

  void check(double value, const char* what) const {
    if (std::isfinite(value)) return;
    const std::string kept =
        written_ > 0 ? fmt::format("; {} holds step {}", checkpoint_.path(), written_) : "";
    throw NumericError(
        4029, fmt::format("the {} of step {} (samples {} to {} of the stream) is {}; lower the "
                          "learning_rate or gradient_clip{}",
                          what, done_ + 1, done_ * config_.batch_size,
                          (done_ + 1) * config_.batch_size - 1, value, kept));
  }

  // An update may overflow though loss and gradient were finite.
  void check_parameters() const {
    GRADATIM_CHECK(at::isfinite(optimizer_.kept()).all().item<bool>() &&
                       at::isfinite(objective_.parameters().values()).all().item<bool>(),
                   NumericError, 4029,
                   "step {} left parameters that are not finite; lower the learning_rate", done_);
  }

  void record(double loss) {
    ++done_;
    sum_ += loss;
    const std::int64_t part = done_ * kParts / config_.steps;
    if (part == (done_ - 1) * kParts / config_.steps) {
      ++pending_;
      return;
    }
    means_.push_back(sum_ / static_cast<double>(pending_ + 1));
    sum_ = 0.0;
    pending_ = 0;
  }

  void watch() {
    const std::int64_t due = done_ * kWatches / config_.steps;
    if (request_.valid_samples == nullptr || looks_ == due) return;
    auto metrics = objective_.model(optimizer_.kept())
                       ->evaluate_samples(*request_.valid_samples, request_.seed);
    // All ranks look, or they would wait; the numbers are rank 0's.
    for (auto& [name, value] : metrics) {
      replicas_.group().broadcast(std::as_writable_bytes(std::span(&value, 1)), 0);
    }
    watched_.resize(metrics.size());
    for (std::size_t k = 0; k < metrics.size(); ++k) {
      watched_[k].name = "valid." + metrics[k].first;
      watched_[k].values.push_back(metrics[k].second);
    }
    looks_ = due;
  }

  void tell(double loss, double norm, double seconds) {
    recent_ = recent_ == 0.0 ? loss : 0.98 * recent_ + 0.02 * loss;
    const double rate = learning_rate_at(config_, done_ - 1);
    std::vector<std::pair<std::string, double>> told{
        {"loss", loss}, {"learning_rate", rate}, {"gradient_norm", norm}};
    std::vector<std::pair<std::string, double>> shown{{"loss", recent_}, {"learning_rate", rate}};
    for (const auto& history : watched_) {
      told.emplace_back(history.name, history.values.back());
      shown.push_back(told.back());
    }
    log_.step(done_, told, seconds);
    if (request_.observer == nullptr) return;
    request_.observer->on_step(
        {.step = done_, .steps = config_.steps, .seconds = seconds, .metrics = std::move(shown)});
  }

  void picture() {
    if (config_.sample_every == 0 || !log_.wanted() || done_ % config_.sample_every != 0) return;
    const auto model = objective_.model(optimizer_.kept());
    if (const auto* generator = dynamic_cast<const process::Generator*>(model.get())) {
      if (!generator->starts_from_source()) log_.samples(done_, preview(*generator));
    }
  }

  // All ranks come here, and rank 0 writes.
  void save_equal() {
    replicas_.require_equal(optimizer_.kept());
    if (checkpoint_.wanted()) save();
  }

  // Where an error ends the fit, which must not be lost by another.
  void save_at_last() {
    try {
      if (checkpoint_.wanted()) save();
    } catch (const std::exception&) {
    }
  }

  void save() {
    check_parameters();
    nlohmann::json state;
    SafetensorsWriter file = stored(state);
    checkpoint_.write(identity_, std::move(state), file);
    written_ = done_;
  }

  SafetensorsWriter stored(nlohmann::json& state) const {
    SafetensorsWriter file;
    optimizer_.store(file);
    file.add("history", std::span<const double>(means_));
    std::vector<std::string> names;
    for (const auto& history : watched_) {
      file.add("history." + history.name, std::span<const double>(history.values));
      names.push_back(history.name);
    }
    state = {{"step", done_}, {"pending", pending_}, {"sum", sum_}, {"recent", recent_}};
    state["watched"] = names;
    state["looks"] = looks_;
    state["log"] = {{"folder", request_.log_folder}, {"number", log_.number()}};
    return file;
  }

  void restore(const SafetensorsFile& file, const nlohmann::json& state) {
    optimizer_.load(file);
    means_ = file.read<double>("history");
    looks_ = state.at("looks").get<std::int64_t>();
    for (const auto& name : state.at("watched").get<std::vector<std::string>>()) {
      watched_.push_back({name, file.read<double>("history." + name)});
    }
    done_ = written_ = state.at("step").get<std::int64_t>();
    pending_ = state.at("pending").get<std::int64_t>();
    const auto log = state.find("log");  // not in checkpoints from before logs had numbers
    if (log != state.end() && log->at("folder") == request_.log_folder) {
      log_number_ = log->at("number").get<std::int64_t>();
    }
    sum_ = state.at("sum").get<double>();
    recent_ = state.at("recent").get<double>();
    GRADATIM_CHECK(done_ >= 0 && done_ <= config_.steps, ModelError, 3011, "it is at step {} of {}",
                   done_, config_.steps);
  }

  Objective& objective_;
  TrainingConfig config_;
  const data::FitRequest& request_;
  const data::Identity& identity_;
  Replicas replicas_;
  Optimizer optimizer_;
  data::CheckpointFile checkpoint_;
  Log log_;
  std::int64_t done_ = 0, written_ = 0;
  std::int64_t log_number_ = 0;  // that the checkpoint knows
  std::vector<double> means_;
  std::vector<data::History> watched_;
  std::int64_t looks_ = -1;  // the tenth that samples to watch were last seen at
  double sum_ = 0.0, recent_ = 0.0;
  std::int64_t pending_ = 0;  // steps in sum_
};

}  // namespace

Trained train(Objective& objective, const TrainingConfig& config, const data::FitRequest& request,
              const data::Identity& identity) {
  const at::NoGradGuard plain;
  try {
    return Loop(objective, config, request, identity).run();
  } catch (const DistributedError&) {
    throw;
  } catch (const std::exception& error) {
    group_of(request).fail(error.what());
    throw;
  }
}

}  // namespace gradatim::neural
