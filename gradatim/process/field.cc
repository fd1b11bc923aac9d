#include "gradatim/process/field.h"

#include <fmt/format.h>

#include "gradatim/core/error.h"

namespace gradatim::process {

Vec Field::vjp(Space&, const Query&, const ConditionPtr&, const Vec&) const {
  throw UsageError(1103, "this field has no derivative with respect to its state");
}

void Field::check(const Condition* condition) const {
  GRADATIM_CHECK(condition == nullptr, UsageError, 1104, "this field takes no condition");
}

}  // namespace gradatim::process
