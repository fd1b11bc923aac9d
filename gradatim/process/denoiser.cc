#include "gradatim/process/denoiser.h"

#include <algorithm>
#include <cmath>

namespace gradatim::process {
namespace {

// States of two paths at equal sigma / alpha: which multiple one is of the other. By norms, so that
// the end of a path that has no such noise level still sees states of the size it knows.
double factor(const PathPoint& from, const PathPoint& to) {
  return std::hypot(to.alpha, to.sigma) / std::hypot(from.alpha, from.sigma);
}

}  // namespace

void Denoiser::data_and_aside(Space& space, const Query& query,
                              std::span<const ConditionPtr> conditions, std::span<Form> out,
                              const Aside& aside) const {
  check_variance(aside.variance.empty());
  data(space, query, conditions, out);
  std::copy_n(out.begin(), aside.plain.size(), aside.plain.begin());
}

FieldDenoiser::FieldDenoiser(std::shared_ptr<const Field> field, std::shared_ptr<const Path> path,
                             std::shared_ptr<const Path> trained)
    : field_(std::move(field)),
      path_(std::move(path)),
      trained_(trained == nullptr ? path_ : std::move(trained)) {}

FieldDenoiser::Place FieldDenoiser::place(double t) const {
  const PathPoint point = path_->at(t);
  if (trained_ == path_) return {point, 1.0};
  const PathPoint own = trained_->at(trained_->time_of(point.ratio()));
  return {own, factor(point, own)};
}

double FieldDenoiser::skip(double t) const {
  const auto [point, scale] = place(t);
  return scale * field_->prediction().data(point).x;
}

void FieldDenoiser::convert(const Query& query) const {
  const std::size_t rows = query.t.size();
  times_.resize(rows);
  input_.resize(rows);
  x_.resize(rows);
  f_.resize(rows);
  uniform_ = std::all_of(query.t.begin(), query.t.end(), [&](double t) { return t == query.t[0]; });
  for (std::size_t row = 0; row < rows; ++row) {
    if (row > 0 && query.t[row] == query.t[row - 1]) {
      times_[row] = times_[row - 1];
      input_[row] = input_[row - 1];
      x_[row] = x_[row - 1];
      f_[row] = f_[row - 1];
      continue;
    }
    const auto [point, scale] = place(query.t[row]);
    const FromField data = field_->prediction().data(point);
    times_[row] = point.t;
    input_[row] = scale * field_->prediction().input_scale(point);
    x_[row] = scale * data.x;
    f_[row] = data.f;
  }
}

void FieldDenoiser::data_and_aside(Space& space, const Query& query,
                                   std::span<const ConditionPtr> conditions, std::span<Form> out,
                                   const Aside& aside) const {
  if (query.t.empty()) return;
  convert(query);
  Vec input = query.x;
  if (!std::all_of(input_.begin(), input_.end(), [](double c) { return c == 1.0; })) {
    Form scaled;
    uniform_ ? scaled.add(input_[0], query.x) : scaled.add(1.0, query.x, input_);
    input = space.combine(scaled);
  }
  outputs_.resize(conditions.size());
  const Query asked{input, times_, query.rows};
  if (aside.variance.empty()) {
    field_->eval(space, asked, conditions, outputs_);
  } else {
    field_->eval_with_variance(space, asked, conditions, outputs_, aside.variance);
  }
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    out[i].clear();
    if (uniform_) {
      out[i].add(x_[0], query.x);
      out[i].add(f_[0], outputs_[i]);
    } else {
      out[i].add(1.0, query.x, x_);
      out[i].add(1.0, outputs_[i], f_);
    }
    outputs_[i] = {};
  }
  std::copy_n(out.begin(), aside.plain.size(), aside.plain.begin());
}

Vec FieldDenoiser::vjp(Space& space, const Query& query, const ConditionPtr& condition,
                       const Vec& w) const {
  convert(query);
  Form input, result;
  input.add(1.0, query.x, input_);
  const Vec inner = field_->vjp(space, {space.combine(input), times_, query.rows}, condition, w);
  std::vector<double> chain(f_.size());
  std::transform(f_.begin(), f_.end(), input_.begin(), chain.begin(), std::multiplies<>());
  result.add(1.0, w, x_);
  result.add(1.0, inner, chain);
  return space.combine(result);
}

}  // namespace gradatim::process
