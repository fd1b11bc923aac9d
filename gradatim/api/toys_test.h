// Toy exports that the tests of this folder share: a loss, a learner with an inner part, a model.
#pragma once

#include "gradatim/api/registry.h"

namespace gradatim::api::toys {

struct Loss {
  static constexpr std::string_view kKind = "toy.loss";
  virtual ~Loss() = default;
  virtual double value(double residual) const = 0;
};

class Metric {
 public:
  static constexpr std::string_view kKind = "toy.metric";
  using Formula = double (*)(const struct MetricInput&);
  Metric(std::string_view /*name*/, Formula given, std::string_view /*tags*/) : formula(given) {}
  Formula formula;
};
struct MetricInput {
  using Interface = Metric;
  static constexpr std::string_view kSignature = "y_true y_pred sample_weight";
  double truth = 0.0, prediction = 0.0;
};

/// What a toy model was built with; "auto" parts are null.
struct Model {
  static constexpr std::string_view kKind = "toy.model";
  virtual ~Model() = default;
  virtual double rate() const = 0;
  virtual int rounds() const = 0;
  virtual const Loss* loss() const = 0;
};

/// toy.loss.squared, toy.loss.huber (alias toy.loss.pseudo_huber), toy.learner.tree,
/// toy.learner.stump (deprecated), toy.split.exact, toy.split.fast, toy.boost (aliases toy.gbdt,
/// toy.mart), and the function toy.metric.bias.
std::span<const Entry* const> entries();
const Registry& registry();

}  // namespace gradatim::api::toys
