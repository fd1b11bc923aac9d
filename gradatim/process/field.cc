#include "gradatim/process/field.h"

#include <fmt/format.h>

#include "gradatim/core/error.h"

namespace gradatim::process {

void Field::eval_with_variance(Space&, const Query&, std::span<const ConditionPtr>, std::span<Vec>,
                               std::span<Vec>) const {
  check_variance(false);
}

Vec Field::vjp(Space&, const Query&, const ConditionPtr&, const Vec&) const {
  throw UsageError(1103, "this field has no derivative with respect to its state");
}

void Field::products(Space& space, const Query& query, const ConditionPtr& condition,
                     std::span<const Vec> vectors, std::span<double> out) const {
  const std::size_t rows = query.t.size();
  for (std::size_t k = 0; k < vectors.size(); ++k) {
    space.reduce(Reduction::dot, vectors[k], vjp(space, query, condition, vectors[k]), 0.0,
                 out.subspan(k * rows, rows));
  }
}

void Field::check(const Condition* condition) const {
  GRADATIM_CHECK(condition == nullptr, UsageError, 1104, "this field takes no condition");
}

void check_variance(bool learned) {
  GRADATIM_CHECK(learned, UsageError, 1145,
                 "variance = learned needs a field that has learned variances, and this one has "
                 "not; train with learned_variance, or take fixed_small or fixed_large");
}

}  // namespace gradatim::process
