// Oracle: a field whose answers are known exactly, for certifying solvers and for learning.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "gradatim/process/field.h"
#include "gradatim/process/mixture.h"

namespace gradatim::process {

class Oracle : public Field {
 public:
  virtual std::int64_t dims() const = 0;
  /// The mixture of the data.
  virtual const Mixture& mixture() const = 0;
  /// ln p_t(x | label) of each row, in nats, for states on `path`.
  virtual void log_prob(const Path& path, std::span<const double> x, double t,
                        std::span<double> out, std::int64_t label = kAnyLabel) const = 0;
};

/// An oracle by name; it becomes a field once path and prediction are known.
class OracleMaker {
 public:
  using Interface = OracleMaker;
  static constexpr std::string_view kKind = "process.oracle";
  virtual ~OracleMaker() = default;
  virtual const Mixture& mixture() const = 0;
  virtual std::int64_t dims() const = 0;
  virtual std::shared_ptr<const Oracle> on(std::shared_ptr<const Path> path,
                                           std::shared_ptr<const Prediction> prediction) const = 0;
};

/// The field of a mixture on a path, putting out any prediction. A label asks for its components.
class MixtureField final : public Oracle {
 public:
  MixtureField(Mixture mixture, std::shared_ptr<const Path> path,
               std::shared_ptr<const Prediction> prediction);

  std::int64_t dims() const override { return mixture_.dims; }
  const Mixture& mixture() const override { return mixture_; }
  const Prediction& prediction() const override { return *prediction_; }
  bool differentiable() const override { return true; }
  void eval(Space& space, const Query& query, std::span<const ConditionPtr> conditions,
            std::span<Vec> out) const override;
  Vec vjp(Space& space, const Query& query, const ConditionPtr& condition,
          const Vec& w) const override;
  void check(const Condition* condition) const override;
  void log_prob(const Path& path, std::span<const double> x, double t, std::span<double> out,
                std::int64_t label = kAnyLabel) const override;

 private:
  /// Calls f(marginal, state, label, row, scratch) for every row, states unscaled.
  template <class F>
  void for_rows(std::span<double> states, const Query& query, const Condition* condition,
                const F& f) const;

  Mixture mixture_;
  std::shared_ptr<const Path> path_;
  std::shared_ptr<const Prediction> prediction_;
};

/// A maker that is said by its mixture alone.
class MixtureMaker : public OracleMaker {
 public:
  /// UsageError GRD-1133 where the lists do not fit together.
  explicit MixtureMaker(Mixture mixture);
  const Mixture& mixture() const override { return mixture_; }
  std::int64_t dims() const override { return mixture_.dims; }
  std::shared_ptr<const Oracle> on(std::shared_ptr<const Path> path,
                                   std::shared_ptr<const Prediction> prediction) const override;

 private:
  Mixture mixture_;
};

}  // namespace gradatim::process
