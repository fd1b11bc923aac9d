#include "gradatim/neural/diffusion/diffusion_field.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradatim/core/error.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/nn/states.h"

namespace gradatim::neural {
namespace {

// At once, where rows are computed one by one; what a pass needs then stays in the cache.
constexpr std::int64_t kMostRows = 1024;

}  // namespace

using process::ConditionPtr;
using process::Query;
using process::Space;
using process::Vec;

std::int64_t DiffusionField::chunk() const { return chunk_rows(parts_.shape); }

Tensor DiffusionField::times(const Query& query, std::int64_t first, std::int64_t rows) const {
  const Tensor t = at::empty({rows}, at::kFloat);
  const auto last = static_cast<std::int64_t>(query.t.size()) - 1;
  for (std::int64_t row = 0; row < rows; ++row) {
    const double time = query.t[to_size(std::min(first + row, last))];
    t.data_ptr<float>()[row] = static_cast<float>(parts_.path->model_time(time));
  }
  return t;
}

Tensor DiffusionField::labels(const Query& query, const process::Condition* condition,
                              std::int64_t first, std::int64_t rows) const {
  if (parts_.shape.classes == 0) return {};
  const Tensor ids = at::full({rows}, parts_.shape.classes, at::kLong);
  const auto* labels = dynamic_cast<const process::Labels*>(condition);
  const auto last = static_cast<std::int64_t>(query.rows.size()) - 1;
  for (std::int64_t row = 0; row < rows && labels != nullptr; ++row) {
    ids.data_ptr<std::int64_t>()[row] =
        labels->of(query.rows[to_size(std::min(first + row, last))]);
  }
  return ids;
}

void DiffusionField::tell(const Query& query, std::span<const ConditionPtr> conditions,
                          std::int64_t first, std::int64_t rows, NetInput& input) const {
  if (!texts_ && parts_.shape.classes == 0) return;
  for (const auto& condition : conditions) {
    GRADATIM_CHECK(condition != nullptr || parts_.unlabelled, UsageError, 1104,
                   "the model learned every sample with its {0} (drop_label = 0) and knows nothing "
                   "of samples without; name a {0}, and leave out guidance that needs both",
                   texts_ ? "caption" : "label");
  }
  if (texts_) return texts_->tell(conditions, query.rows, first, rows, input);
  std::vector<Tensor> ids;
  for (const auto& condition : conditions) {
    ids.push_back(labels(query, condition.get(), first, rows));
  }
  input.labels = at::cat(ids).to(parts_.device);
}

void DiffusionField::eval_with_variance(Space& space, const Query& query,
                                        std::span<const ConditionPtr> conditions,
                                        std::span<Vec> out, std::span<Vec> variance) const {
  process::check_variance(learns_variance());
  ask(space, query, conditions, out, variance);
}

void DiffusionField::ask(Space& space, const Query& query, std::span<const ConditionPtr> conditions,
                         std::span<Vec> out, std::span<Vec> variance) const {
  translated([&] {
    const at::NoGradGuard plain;
    const bool row_by_row = parts_.net->row_by_row();
    const bool one_time = row_by_row && !query.t.empty() &&
                          std::ranges::count(query.t, query.t.front()) == std::ssize(query.t);
    const std::int64_t most = row_by_row ? kMostRows : chunk();
    const TorchThreads threads(parts_.net->operations_at_once() *
                               static_cast<double>(std::min(most, query.x.rows())));
    GRADATIM_CHECK(query.x.dims() == dims(), UsageError, 1105,
                   "the state has {} numbers and the network's samples {}", query.x.dims(), dims());
    const Tensor x = tensor_of(space, query.x);
    const auto count = static_cast<std::int64_t>(conditions.size());
    // Of each condition, the prediction and behind it the learned variances, where they are wanted.
    const std::int64_t channels = parts_.shape.sample[0];
    const std::span<Vec> wanted[] = {out, variance};
    const std::int64_t halves = variance.empty() ? 1 : 2;
    std::vector<Output> results;
    for (std::int64_t k = 0; k < halves * count; ++k)
      results.emplace_back(space, x.size(0), dims());
    for (std::int64_t first = 0; first < x.size(0); first += most) {
      // Rows that depend on each other's number come in chunks of one size.
      const std::int64_t rows = std::min(most, x.size(0) - first);
      const std::int64_t size = row_by_row ? rows : most;
      const Tensor part = shaped(padded(x, first, size), parts_.shape);
      const auto for_each_condition = [count](const Tensor& one) {
        return count == 1 ? one : at::cat(std::vector<Tensor>(to_size(count), one));
      };
      const Tensor t =
          one_time ? times(query, 0, 1) : for_each_condition(times(query, first, size));
      NetInput input{for_each_condition(part.to(parts_.device)), t.to(parts_.device), {}};
      tell(query, conditions, first, size, input);
      const Tensor said = parts_.net->forward(input).narrow(1, 0, halves * channels);
      for (std::int64_t k = 0; k < count; ++k) {
        for (std::int64_t half = 0; half < halves; ++half) {
          const Tensor said_half =
              said.narrow(0, k * size, rows).narrow(1, half * channels, channels);
          results[to_size(half * count + k)]
              .numbers()
              .narrow(0, first, rows)
              .copy_(said_half.reshape({rows, dims()}));
        }
      }
    }
    for (std::size_t k = 0; k < results.size(); ++k) {
      wanted[k / out.size()][k % out.size()] = results[k].done();
    }
  });
}

Vec DiffusionField::vjp(Space& space, const Query& query, const ConditionPtr& condition,
                        const Vec& w) const {
  return translated([&] {
    const TorchThreads threads(parts_.net->operations_at_once() * static_cast<double>(chunk()));
    const Tensor x = tensor_of(space, query.x), weights = tensor_of(space, w);
    const Output result(space, x.size(0), dims());
    for (std::int64_t first = 0; first < x.size(0); first += chunk()) {
      const Tensor state = padded(x, first, chunk()).to(parts_.device).clone().requires_grad_();
      const at::AutoGradMode graph(true);
      NetInput input{
          shaped(state, parts_.shape), times(query, first, chunk()).to(parts_.device), {}};
      tell(query, {&condition, 1}, first, chunk(), input);
      const Tensor said = parts_.net->forward(input).narrow(1, 0, parts_.shape.sample[0]);
      const Tensor chosen = shaped(padded(weights, first, chunk()), parts_.shape).to(parts_.device);
      const auto gradient = torch::autograd::grad({said}, {state}, {chosen}).front();
      const std::int64_t rows = std::min(chunk(), x.size(0) - first);
      const at::NoGradGuard plain;
      result.numbers().narrow(0, first, rows).copy_(gradient.narrow(0, 0, rows));
    }
    return result.done();
  });
}

void DiffusionField::products(Space& space, const Query& query, const ConditionPtr& condition,
                              std::span<const Vec> vectors, std::span<double> out) const {
  // A network whose directions go back one by one gains nothing here, and learned variances stand
  // behind the field in its output.
  if (!parts_.net->row_by_row() || learns_variance())
    return Field::products(space, query, condition, vectors, out);
  translated([&] {
    const at::NoGradGuard plain;
    const TorchThreads threads(parts_.net->operations_at_once() * static_cast<double>(chunk()));
    const Tensor x = tensor_of(space, query.x);
    std::vector<Tensor> directions;
    for (const Vec& z : vectors) directions.push_back(tensor_of(space, z));
    for (std::int64_t first = 0; first < x.size(0); first += chunk()) {
      const std::int64_t rows = std::min(chunk(), x.size(0) - first);
      std::vector<Tensor> parts;
      for (const Tensor& z : directions) parts.push_back(padded(z, first, chunk()));
      const Tensor z = at::stack(parts);
      NetInput input{
          shaped(padded(x, first, chunk()), parts_.shape), times(query, first, chunk()), {}};
      tell(query, {&condition, 1}, first, chunk(), input);
      const Along along = parts_.net->along(input, z);
      const Tensor found = (along.products.to(at::kDouble) * z).sum(-1);  // [vectors, chunk]
      for (std::int64_t k = 0; k < found.size(0); ++k) {
        std::copy_n(found[k].const_data_ptr<double>(), rows, out.begin() + k * x.size(0) + first);
      }
    }
  });
}

void DiffusionField::check(const process::Condition* condition) const {
  if (condition == nullptr) return;
  if (texts_) return texts_->check(condition);
  const auto* labels = dynamic_cast<const process::Labels*>(condition);
  GRADATIM_CHECK(labels != nullptr && parts_.shape.classes > 0, UsageError, 1104,
                 "the model was trained without labels; leave them out");
  for (const std::int64_t label : labels->all()) {
    GRADATIM_CHECK(label >= 0 && label < parts_.shape.classes, UsageError, 1104,
                   "there is no label {}; the model's are 0 to {}", label,
                   parts_.shape.classes - 1);
  }
}

}  // namespace gradatim::neural
