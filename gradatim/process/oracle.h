// Oracle: a field whose answers are known exactly, for certifying solvers and for learning.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "gradatim/process/field.h"

namespace gradatim::process {

/// A mixture of normal distributions with diagonal covariances.
struct Mixture {
  std::vector<double> weights;     // [k], sum to 1
  std::vector<double> means;       // [k, dims]
  std::vector<double> deviations;  // [k, dims]
  std::int64_t dims = 1;

  std::size_t components() const { return weights.size(); }
};

class Oracle : public Field {
 public:
  virtual std::int64_t dims() const = 0;
  /// The mixture of the data.
  virtual const Mixture& mixture() const = 0;
  /// ln p_t(x) of each row, in nats, for states on `path`.
  virtual void log_prob(const Path& path, std::span<const double> x, double t,
                        std::span<double> out) const = 0;
};

/// An oracle by name; it becomes a field once path and prediction are known.
class OracleMaker {
 public:
  using Interface = OracleMaker;
  static constexpr std::string_view kKind = "process.oracle";
  virtual ~OracleMaker() = default;
  virtual std::int64_t dims() const = 0;
  virtual std::shared_ptr<const Oracle> on(std::shared_ptr<const Path> path,
                                           std::shared_ptr<const Prediction> prediction) const = 0;
};

/// The field of a mixture on a path, putting out any prediction. Labels choose one component.
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
  void log_prob(const Path& path, std::span<const double> x, double t,
                std::span<double> out) const override;

 private:
  /// E[data | x] and, where `w` is not null, w^T times its derivative.
  void row(const PathPoint& p, const double* x, std::int64_t label, double* data, const double* w,
           double* product) const;

  Mixture mixture_;
  std::shared_ptr<const Path> path_;
  std::shared_ptr<const Prediction> prediction_;
};

}  // namespace gradatim::process
