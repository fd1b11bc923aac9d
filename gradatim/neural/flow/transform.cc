#include "gradatim/neural/flow/transform.h"

namespace gradatim::neural {

Tensor add_log_det(const Tensor& a, const Tensor& b) {
  if (!a.defined()) return b;
  return b.defined() ? a + b : a;
}

Moved Chain::forward(const Tensor& x, const Tensor& context) const {
  Moved at{x, {}};
  for (const auto& step : steps_) {
    Moved next = step->forward(at.x, context);
    at = {std::move(next.x), add_log_det(at.log_det, next.log_det)};
  }
  return at;
}

Moved Chain::inverse(const Tensor& y, const Tensor& context) const {
  Moved at{y, {}};
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    Moved next = (*step)->inverse(at.x, context);
    at = {std::move(next.x), add_log_det(at.log_det, next.log_det)};
  }
  return at;
}

void Chain::start(const Tensor& x, const Tensor& context) {
  Tensor at = x;
  for (const auto& step : steps_) {
    step->start(at, context);
    at = step->forward(at, context).x;
  }
}

std::vector<std::int64_t> Chain::out_shape(const std::vector<std::int64_t>& sample) const {
  std::vector<std::int64_t> shape = sample;
  for (const auto& step : steps_) shape = step->out_shape(shape);
  return shape;
}

}  // namespace gradatim::neural
