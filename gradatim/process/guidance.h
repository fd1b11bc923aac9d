// Guidance: wraps a Denoiser and is one, so several compose.
//
//   auto guided = classifier_free(field, 7.5);
//   guided = limited(rescaled(guided, 0.7), field, {.low = 0.3, .high = 3.0});
//
// What is linear stays a Form. By name, each kind of guidance has a part `inner`, which is applied
// before it, nearer to the field.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "gradatim/process/denoiser.h"
#include "gradatim/process/mixture.h"

namespace gradatim::process {

/// A differentiable log-energy of states, such as ln p(label | x_t).
class Energy {
 public:
  virtual ~Energy() = default;
  /// Its gradient by the state, [rows, dims]. `data` is what the denoiser predicts there under
  /// `condition`.
  virtual Vec gradient(Space& space, const Query& query, const ConditionPtr& condition,
                       const Form& data) const = 0;
};

/// A differentiable log-energy of clean data, such as a distance to what is wanted.
class DataEnergy {
 public:
  virtual ~DataEnergy() = default;
  virtual Vec gradient(Space& space, const Vec& data, std::span<const std::int64_t> rows) const = 0;
};

/// The energy of the data that a denoiser predicts: dD/dx^T grad, by its vjp.
std::shared_ptr<const Energy> of_data(std::shared_ptr<const Denoiser> denoiser,
                                      std::shared_ptr<const DataEnergy> energy);
/// The same of an energy -|error|^2 / 2 whose error has deviation `tolerance` in the data that are
/// wanted, and a further sigma / sqrt(alpha^2 + sigma^2) in those that are guessed from noise, with
/// data of unit variance: divided by the sum of their squares. Song, Vahdat, Mardani and Kautz
/// (2023), Pseudoinverse-guided diffusion models for inverse problems.
std::shared_ptr<const Energy> of_guess(std::shared_ptr<const Denoiser> denoiser,
                                       std::shared_ptr<const DataEnergy> energy, double tolerance);
/// ln p(label | x_t) of a mixture's data, exact.
std::shared_ptr<const Energy> exact_classifier(Mixture mixture, std::shared_ptr<const Path> path,
                                               std::shared_ptr<const Labels> labels);

using DenoiserPtr = std::shared_ptr<const Denoiser>;

/// D + weight sigma^2 / alpha grad.
DenoiserPtr classifier(DenoiserPtr inner, std::shared_ptr<const Energy> energy, double weight);
/// D_negative + weight (D_condition - D_negative), both in one batch: 0 is the negative condition
/// (null: anything), 1 the plain one; neither asks for what it does not need.
DenoiserPtr classifier_free(DenoiserPtr inner, double weight, ConditionPtr negative = nullptr);
/// The field's output scaled, row by row, towards the deviation it has without guidance: by
/// strength * plain / guided + 1 - strength.
DenoiserPtr rescaled(DenoiserPtr inner, double strength);

struct Threshold {
  double level = 0.995;  // quantile of |D| in a row
  double range = 1.0;    // of the data: [-range, range]
  double most = 0.0;     // that the quantile is held to; 0: no bound
};
/// Row by row, D clipped to its own quantile s and divided by s / range, where s is above range.
DenoiserPtr dynamic_threshold(DenoiserPtr inner, const Threshold& threshold);

enum class IntervalMeasure { ratio, log_snr, time };
struct Interval {
  IntervalMeasure measure = IntervalMeasure::ratio;  // sigma / alpha, ln(alpha^2 / sigma^2), or t
  double low = 0.0, high = 0.0;
};
/// `guided` where low <= measure <= high, `plain` elsewhere, which is then all that is evaluated.
DenoiserPtr limited(DenoiserPtr guided, DenoiserPtr plain, const Interval& interval);

/// What guidance needs to be told beyond its settings.
struct GuidanceContext {
  ConditionPtr negative = nullptr;
  std::shared_ptr<const Energy> energy = nullptr;
};

/// Guidance by name.
class Guidance {
 public:
  using Interface = Guidance;
  static constexpr std::string_view kKind = "process.guidance";
  virtual ~Guidance() = default;
  /// UsageError GRD-1134 where it needs an energy and there is none.
  virtual DenoiserPtr around(DenoiserPtr field, const GuidanceContext& context) const = 0;
  /// Whether it, or what is inside it, needs an energy.
  virtual bool needs_energy() const { return false; }
};

/// Guidance by name with other guidance inside.
class NestedGuidance : public Guidance {
 public:
  explicit NestedGuidance(std::span<const std::shared_ptr<const void>> parts)
      : inner_(std::static_pointer_cast<const Guidance>(parts[0])) {}
  DenoiserPtr around(DenoiserPtr field, const GuidanceContext& context) const override {
    return outer(inner_->around(field, context), field, context);
  }
  bool needs_energy() const override { return inner_->needs_energy(); }

 protected:
  virtual DenoiserPtr outer(DenoiserPtr inner, DenoiserPtr field,
                            const GuidanceContext& context) const = 0;

 private:
  std::shared_ptr<const Guidance> inner_;
};

/// What every wrapper shares. As any denoiser, it belongs to one thread.
class GuidedDenoiser : public Denoiser {
 public:
  explicit GuidedDenoiser(DenoiserPtr inner) : inner_(std::move(inner)) {}
  const Path& path() const final { return inner_->path(); }
  const Prediction& native() const final { return inner_->native(); }
  double skip(double t) const final { return inner_->skip(t); }
  bool independent_noise() const final { return inner_->independent_noise(); }
  void data(Space& space, const Query& query, std::span<const ConditionPtr> conditions,
            std::span<Form> out) const final {
    data_and_aside(space, query, conditions, out, {});
  }
  /// UsageError GRD-1131; guidance that has a derivative overrides it.
  Vec vjp(Space& space, const Query& query, const ConditionPtr& condition,
          const Vec& w) const override;

 protected:
  const Denoiser& inner() const { return *inner_; }

 private:
  DenoiserPtr inner_;
};

}  // namespace gradatim::process
