// Denoiser: a field on a path, asked for clean data. Guidance wraps one and is one.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "gradatim/process/field.h"

namespace gradatim::process {

/// What a denoiser may say beside the data, one a condition; empty where it is not wanted.
struct Aside {
  std::span<Form> plain = {};    // the data that the field says before guidance
  std::span<Vec> variance = {};  // the field's learned variances (Field::eval_with_variance)
};

class Denoiser {
 public:
  virtual ~Denoiser() = default;

  /// The path that states lie on.
  virtual const Path& path() const = 0;
  /// out[i] = E[data | x, conditions[i]] as a combination of x and what the field put out. All
  /// conditions are evaluated as one batch.
  virtual void data(Space& space, const Query& query, std::span<const ConditionPtr> conditions,
                    std::span<Form> out) const = 0;
  /// The same and what else is wanted of conditions[i]: no further evaluation where guidance asks
  /// for that anyway. UsageError GRD-1145 where variances are wanted and the field has none.
  virtual void data_and_aside(Space& space, const Query& query,
                              std::span<const ConditionPtr> conditions, std::span<Form> out,
                              const Aside& aside) const;
  /// The meaning of the field's own output F, in which rescaled guidance measures deviations.
  virtual const Prediction& native() const = 0;
  /// The a of D = a x + b F.
  virtual double skip(double t) const { return native().data(path().at(t)).x; }
  /// As the field's: Field::independent_noise.
  virtual bool independent_noise() const { return true; }
  /// w^T dD/dx. UsageError GRD-1103 where the field has no derivative, GRD-1131 where the guidance
  /// has none.
  virtual Vec vjp(Space& space, const Query& query, const ConditionPtr& condition,
                  const Vec& w) const = 0;
};

/// A field trained on `trained`, sampled on `path` (the same path, or any other: at equal
/// sigma / alpha the states of two paths differ by a factor).
class FieldDenoiser final : public Denoiser {
 public:
  FieldDenoiser(std::shared_ptr<const Field> field, std::shared_ptr<const Path> path,
                std::shared_ptr<const Path> trained = nullptr);

  const Path& path() const override { return *path_; }
  const Prediction& native() const override { return field_->prediction(); }
  double skip(double t) const override;
  bool independent_noise() const override { return field_->independent_noise(); }
  void data(Space& space, const Query& query, std::span<const ConditionPtr> conditions,
            std::span<Form> out) const override {
    data_and_aside(space, query, conditions, out, {});
  }
  void data_and_aside(Space& space, const Query& query, std::span<const ConditionPtr> conditions,
                      std::span<Form> out, const Aside& aside) const override;
  Vec vjp(Space& space, const Query& query, const ConditionPtr& condition,
          const Vec& w) const override;

 private:
  struct Place {
    PathPoint point;  // on the trained path
    double scale;     // of the states there
  };
  Place place(double t) const;
  /// Times, factors and coefficients of a query on the trained path, row by row.
  void convert(const Query& query) const;

  std::shared_ptr<const Field> field_;
  std::shared_ptr<const Path> path_, trained_;
  // Of one query; a denoiser belongs to one thread.
  mutable std::vector<double> times_, input_, x_, f_;
  mutable std::vector<Vec> outputs_;
  mutable bool uniform_ = true;
};

}  // namespace gradatim::process
