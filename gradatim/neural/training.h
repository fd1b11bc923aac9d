// Training: how a network's parameters are found, the same for every model of the house.
#pragma once

#include <cstdint>
#include <string_view>

namespace gradatim::neural {

enum class RateSchedule { cosine, linear, constant };
enum class Precision { float32, bfloat16 };
enum class GradientCompression { none, bfloat16 };

struct TrainingConfig {
  std::int64_t steps = 10000;
  std::int64_t batch_size = 128;
  bool shuffle = true;
  std::int64_t accumulate = 1;
  double learning_rate = 1e-3;
  std::int64_t warmup_steps = 100;
  RateSchedule schedule = RateSchedule::cosine;
  double weight_decay = 0.0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double gradient_clip = 1.0;
  double ema_decay = 0.999;
  Precision precision = Precision::float32;
  GradientCompression gradient_compression = GradientCompression::none;
  double max_seconds = 0.0;
  std::int64_t sample_every = 0;
};

/// The rate of step 0, 1, ...: it grows to learning_rate in warmup_steps, then falls by the
/// schedule, to 0 behind the last step.
double learning_rate_at(const TrainingConfig& config, std::int64_t step);
/// The weight of the past in the moving average after `step` steps: held below (1 + step) /
/// (10 + step), so that the initial values are soon forgotten.
double ema_decay_at(const TrainingConfig& config, std::int64_t step);

class Training {
 public:
  using Interface = Training;
  static constexpr std::string_view kKind = "neural.training";
  virtual ~Training() = default;
  virtual const TrainingConfig& config() const = 0;
};

}  // namespace gradatim::neural
