// Field: the learned part of sampling, whatever it is made of: a network, a boosted ensemble, an
// oracle whose answer is known.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "gradatim/process/prediction.h"
#include "gradatim/process/space.h"

namespace gradatim::process {

/// What a sample is asked to be. Fields know their own kinds; a null pointer is "anything".
class Condition {
 public:
  virtual ~Condition() = default;
};
using ConditionPtr = std::shared_ptr<const Condition>;

/// A class, the same for all rows or one a row of the whole sampling.
class Labels final : public Condition {
 public:
  explicit Labels(std::vector<std::int64_t> labels) : labels_(std::move(labels)) {}
  std::int64_t of(std::int64_t row) const {
    return labels_.size() == 1 ? labels_[0] : labels_[static_cast<std::size_t>(row)];
  }
  std::span<const std::int64_t> all() const { return labels_; }

 private:
  std::vector<std::int64_t> labels_;
};

/// States, their times, and which rows of the sampling they are.
struct Query {
  Vec x;                               // [rows, dims]
  std::span<const double> t;           // [rows]
  std::span<const std::int64_t> rows;  // [rows], indices into conditions that differ by row
};

class Field {
 public:
  static constexpr std::string_view kKind = "process.field";
  virtual ~Field() = default;

  /// The meaning of the output.
  virtual const Prediction& prediction() const = 0;
  /// out[i] = F(x, t) under conditions[i], [rows, dims] each: one batch.
  virtual void eval(Space& space, const Query& query, std::span<const ConditionPtr> conditions,
                    std::span<Vec> out) const = 0;
  /// Whether the field also says how uncertain its steps are.
  virtual bool learns_variance() const { return false; }
  /// The same batch and, in variance[i], a number v for each of x: the logarithm of a reverse
  /// step's variance stands (v + 1) / 2 of the way from the posterior's given the data to the
  /// diffusion's (solver/ddpm.cc). UsageError GRD-1145 where the field has learned none.
  virtual void eval_with_variance(Space& space, const Query& query,
                                  std::span<const ConditionPtr> conditions, std::span<Vec> out,
                                  std::span<Vec> variance) const;
  /// w^T dF/dx, [rows, dims]. UsageError GRD-1103 where the field has no derivative.
  virtual Vec vjp(Space& space, const Query& query, const ConditionPtr& condition,
                  const Vec& w) const;
  virtual bool differentiable() const { return false; }
  /// out [vectors, rows] = z^T (dF/dx) z of each vector z [rows, dims]; by default by vjp(), one
  /// after the other. Errors of vjp().
  virtual void products(Space& space, const Query& query, const ConditionPtr& condition,
                        std::span<const Vec> vectors, std::span<double> out) const;
  /// Whether it says means over noise that was drawn independently of the data: then exact data
  /// hold no noise, and the score follows from what it says. Not so of a flow that was trained as
  /// one, whose field is a velocity and no more.
  virtual bool independent_noise() const { return true; }
  /// Whether the field knows what these conditions mean; UsageError GRD-1104 where not.
  virtual void check(const Condition* condition) const;
};

/// UsageError GRD-1145 where learned variances are asked for and there are none.
void check_variance(bool learned);

}  // namespace gradatim::process
