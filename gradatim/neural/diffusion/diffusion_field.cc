#include "gradatim/neural/diffusion/diffusion_field.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradatim/core/error.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/size.h"
#include "gradatim/process/host_space.h"

namespace gradatim::neural {
namespace {

using process::ConditionPtr;
using process::HostSpace;
using process::Query;
using process::Space;
using process::Vec;

// [rows, dims] of a state as float32, without a copy where it lies in memory as such.
Tensor tensor_of(Space& space, const Vec& x) {
  if (dynamic_cast<HostSpace<float>*>(&space) != nullptr) {
    return at::from_blob(const_cast<float*>(HostSpace<float>::data(x)), {x.rows(), x.dims()},
                         at::kFloat);
  }
  const Tensor doubles = at::empty({x.rows(), x.dims()}, at::kDouble);
  space.copy_out(x, {doubles.data_ptr<double>(), to_size(doubles.numel())});
  return doubles.to(at::kFloat);
}

// A state of a tensor's numbers, written in place by `fill` where the space's memory allows.
template <class F>
Vec filled(Space& space, std::int64_t rows, std::int64_t dims, const F& fill) {
  if (auto* host = dynamic_cast<HostSpace<float>*>(&space)) {
    Vec made = host->make(rows, dims);
    fill(at::from_blob(HostSpace<float>::writable(made), {rows, dims}, at::kFloat));
    return made;
  }
  const Tensor numbers = at::empty({rows, dims}, at::kFloat);
  fill(numbers);
  const Tensor doubles = numbers.to(at::kDouble);
  return space.from({doubles.const_data_ptr<double>(), to_size(doubles.numel())}, rows, dims);
}

// Rows [first, first + rows) of x, and behind its end the last one again.
Tensor padded(const Tensor& x, std::int64_t first, std::int64_t rows) {
  const std::int64_t there = std::min(rows, x.size(0) - first);
  const Tensor part = x.narrow(0, first, there);
  if (there == rows) return part;
  return at::cat({part, part.narrow(0, there - 1, 1).expand({rows - there, x.size(1)})});
}

}  // namespace

std::int64_t DiffusionField::chunk() const { return parts_.shape.sample.size() == 3 ? 64 : 1024; }

Tensor DiffusionField::shaped(const Tensor& rows) const {
  std::vector<std::int64_t> sizes{rows.size(0)};
  sizes.insert(sizes.end(), parts_.shape.sample.begin(), parts_.shape.sample.end());
  return rows.view(sizes);
}

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
    const TorchThreads threads;
    GRADATIM_CHECK(query.x.dims() == dims(), UsageError, 1105,
                   "the state has {} numbers and the network's samples {}", query.x.dims(), dims());
    const Tensor x = tensor_of(space, query.x);
    const auto count = static_cast<std::int64_t>(conditions.size());
    // Of each condition, the prediction and behind it the learned variances, where they are wanted.
    const std::int64_t channels = parts_.shape.sample[0], halves = variance.empty() ? 1 : 2;
    const Tensor results = at::empty({count, halves, x.size(0), dims()}, at::kFloat);
    for (std::int64_t first = 0; first < x.size(0); first += chunk()) {
      const Tensor part = shaped(padded(x, first, chunk()));
      std::vector<Tensor> ids;
      for (const auto& condition : conditions)
        ids.push_back(labels(query, condition.get(), first, chunk()));
      const Tensor all_ids = ids.front().defined() ? at::cat(ids).to(parts_.device) : Tensor();
      std::vector<std::int64_t> repeats(to_size(part.dim()), 1);
      repeats[0] = count;
      const Tensor t = times(query, first, chunk()).repeat({count});
      const Tensor said =
          parts_.net
              ->forward({part.to(parts_.device).repeat(repeats), t.to(parts_.device), all_ids})
              .narrow(1, 0, halves * channels);
      const std::int64_t rows = std::min(chunk(), x.size(0) - first);
      for (std::int64_t k = 0; k < count; ++k) {
        const Tensor numbers = said.narrow(0, k * chunk(), rows).reshape({rows, halves, dims()});
        results[k].narrow(1, first, rows).copy_(numbers.transpose(0, 1));
      }
    }
    for (std::int64_t k = 0; k < count; ++k) {
      const auto half = [&](std::int64_t which) {
        return filled(space, x.size(0), dims(),
                      [&](const Tensor& memory) { memory.copy_(results[k][which]); });
      };
      out[to_size(k)] = half(0);
      if (halves == 2) variance[to_size(k)] = half(1);
    }
  });
}

Vec DiffusionField::vjp(Space& space, const Query& query, const ConditionPtr& condition,
                        const Vec& w) const {
  return translated([&] {
    const TorchThreads threads;
    const Tensor x = tensor_of(space, query.x), weights = tensor_of(space, w);
    return filled(space, x.size(0), dims(), [&](const Tensor& memory) {
      for (std::int64_t first = 0; first < x.size(0); first += chunk()) {
        const Tensor state = padded(x, first, chunk()).to(parts_.device).clone().requires_grad_();
        const Tensor ids = labels(query, condition.get(), first, chunk());
        const at::AutoGradMode graph(true);
        const Tensor said =
            parts_.net
                ->forward({shaped(state), times(query, first, chunk()).to(parts_.device),
                           ids.defined() ? ids.to(parts_.device) : ids})
                .narrow(1, 0, parts_.shape.sample[0]);
        const Tensor chosen = shaped(padded(weights, first, chunk())).to(parts_.device);
        const auto gradient = torch::autograd::grad({said}, {state}, {chosen}).front();
        const std::int64_t rows = std::min(chunk(), x.size(0) - first);
        const at::NoGradGuard plain;
        memory.narrow(0, first, rows).copy_(gradient.narrow(0, 0, rows));
      }
    });
  });
}

void DiffusionField::check(const process::Condition* condition) const {
  if (condition == nullptr) return;
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
