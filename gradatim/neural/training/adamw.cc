// AdamW: Adam with the decay of weights outside the adaptive step.
//
//   m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,
//   w = w - rate (m' / (sqrt(v') + eps) + decay w),  m' = m / (1 - b1^k), v' = v / (1 - b2^k)
#include <algorithm>
#include <cmath>
#include <numbers>

#include "gradatim/api/export.h"
#include "gradatim/neural/training.h"

namespace gradatim::neural {

double learning_rate_at(const TrainingConfig& config, std::int64_t step) {
  if (step < config.warmup_steps) {
    return config.learning_rate * static_cast<double>(step + 1) /
           static_cast<double>(config.warmup_steps);
  }
  const double all =
      static_cast<double>(std::max<std::int64_t>(1, config.steps - config.warmup_steps));
  const double done = std::min(1.0, static_cast<double>(step - config.warmup_steps) / all);
  switch (config.schedule) {
    case RateSchedule::cosine:
      return config.learning_rate * 0.5 * (1.0 + std::cos(std::numbers::pi * done));
    case RateSchedule::linear: return config.learning_rate * (1.0 - done);
    case RateSchedule::constant: break;
  }
  return config.learning_rate;
}

double ema_decay_at(const TrainingConfig& config, std::int64_t step) {
  const auto past = static_cast<double>(step);
  return std::min(config.ema_decay, (1.0 + past) / (10.0 + past));
}

namespace {

class AdamWTraining final : public Training {
 public:
  explicit AdamWTraining(const TrainingConfig& config) : config_(config) {}
  const TrainingConfig& config() const override { return config_; }

 private:
  TrainingConfig config_;
};

using C = TrainingConfig;
constexpr std::int64_t kMost = std::int64_t{1} << 40;

constexpr api::Setting kSettings[] = {
    api::setting<&C::steps>({.doc = "Updates of the parameters.", .range = api::between(1, kMost)}),
    api::setting<&C::batch_size>(
        {.doc = "Samples an update learns from.", .range = api::between(1, 1 << 20)}),
    api::setting<&C::shuffle>({.doc = "Whether every pass over the samples takes them in a new "
                                      "random order, or in the one that they came in."}),
    api::setting<&C::accumulate>(
        {.doc = "Parts that a batch is computed in, one after the other, to need less memory.",
         .range = api::between(1, 1 << 20)}),
    api::setting<&C::learning_rate>({.doc = "The largest rate.", .range = api::above(0.0)}),
    api::setting<&C::warmup_steps>(
        {.doc = "Steps in which the rate grows from 0.", .range = api::between(0, kMost)}),
    api::setting<&C::schedule>({.doc = "How the rate falls to 0 behind the warm-up, or does not."}),
    api::setting<&C::weight_decay>({.doc = "Share of the rate by which every parameter shrinks.",
                                    .range = api::at_least(0.0)}),
    api::setting<&C::beta1>({.doc = "Weight of the past in the mean of gradients.",
                             .range = api::from_below(0.0, 1.0)}),
    api::setting<&C::beta2>({.doc = "Weight of the past in the mean of their squares.",
                             .range = api::from_below(0.0, 1.0)}),
    api::setting<&C::epsilon>({.doc = "Added to the root of that mean.", .range = api::above(0.0)}),
    api::setting<&C::gradient_clip>(
        {.doc = "The gradient's norm is held to it; 0 does not.", .range = api::at_least(0.0)}),
    api::setting<&C::ema_decay>(
        {.doc = "Weight of the past in the moving average of the parameters, which is what is "
                "saved; 0 saves the last ones.",
         .range = api::from_below(0.0, 1.0)}),
    api::setting<&C::precision>(
        {.doc = "Numbers of the network's multiplications in training. bfloat16 needs a processor "
                "with AVX-512 BF16 and a U-Net, a transformer or a convolutional classifier."}),
    api::setting<&C::gradient_compression>(
        {.doc = "Numbers that gradients travel as where several processes train together: bfloat16 "
                "halves the bytes, and keeps 8 bits of each."}),
    api::setting<&C::max_seconds>({.doc = "Training ends after the step that passes it; 0 does "
                                          "not. The model then depends on the machine.",
                                   .range = api::at_least(0.0),
                                   .unit = "seconds"}),
    api::setting<&C::sample_every>(
        {.doc = "Steps from one picture of samples to the next, into the folder of the logs; 0 "
                "draws none.",
         .range = api::between(0, kMost)}),
};

constexpr api::Text kText = {
    .name = "neural.training.adamw",
    .summary = "AdamW with a warm-up, a falling rate and a moving average of the parameters.",
    .source = "Loshchilov and Hutter (2019), Decoupled weight decay regularization",
    .errors =
        "GRD-1180 bfloat16 where processor, device or network cannot; GRD-1185 processes do not "
        "divide batch_size; GRD-4029 the loss is not finite",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_training_adamw) =
    gradatim::api::component<gradatim::neural::AdamWTraining, gradatim::neural::TrainingConfig>(
        gradatim::neural::kText, gradatim::neural::kSettings);
