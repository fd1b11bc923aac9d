#include "gradatim/neural/stable/unet_field.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradatim/core/error.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/nn/states.h"

namespace gradatim::neural {

using process::ConditionPtr;
using process::Query;
using process::Space;
using process::Vec;

Tensor UnetField::said(const Tensor& x, double told,
                       std::span<const ConditionPtr> conditions) const {
  const auto count = std::ssize(conditions);
  const std::int64_t rows = x.size(0);
  std::vector<Tensor> texts;
  for (const auto& each : conditions) {
    texts.push_back(dynamic_cast<const TextStates&>(*each).states());
  }
  Tensor latents = x;
  if (parts_.beside.defined()) {
    latents = at::cat({x, parts_.beside.expand({rows, -1, -1, -1})}, 1);
  }
  NetInput input{count == 1 ? latents : at::cat(std::vector(to_size(count), latents)),
                 at::full({count * rows}, told, at::kFloat),
                 {}};
  input.context = at::cat(texts);
  if (parts_.one_by_one) return parts_.net->forward(input);
  if (!std::ranges::equal(kept_for_, conditions)) {
    kept_ = {};
    kept_for_.assign(conditions.begin(), conditions.end());
  }
  input.kept = &kept_;
  return parts_.net->forward(input);
}

void UnetField::output(Space& space, const Vec& x, double told,
                       std::span<const ConditionPtr> conditions, std::span<Vec> out) const {
  translated([&] {
    const at::NoGradGuard plain;
    const TorchThreads threads(parts_.net->operations_at_once() * 64.0);
    const std::int64_t rows = x.rows(), dims = x.dims();
    std::vector<std::int64_t> sizes{rows};
    sizes.insert(sizes.end(), parts_.sample.begin(), parts_.sample.end());
    const Tensor latents = tensor_of(space, x).view(sizes);
    const std::size_t at_once = parts_.one_by_one ? 1 : conditions.size();
    for (std::size_t first = 0; first < conditions.size(); first += at_once) {
      const Tensor all = said(latents, told, conditions.subspan(first, at_once));
      for (std::size_t k = 0; k < at_once; ++k) {
        const Output result(space, rows, dims);
        result.numbers().copy_(
            all.narrow(0, static_cast<std::int64_t>(k) * rows, rows).reshape({rows, dims}));
        out[first + k] = result.done();
      }
    }
  });
}

void UnetField::eval(Space& space, const Query& query, std::span<const ConditionPtr> conditions,
                     std::span<Vec> out) const {
  // Images are drawn one by one, so that all rows are at one time.
  GRADATIM_ASSERT(std::ranges::count(query.t, query.t.front()) == std::ssize(query.t));
  output(space, query.x, parts_.path->model_time(query.t.front()), conditions, out);
}

void UnetField::check(const process::Condition* condition) const {
  GRADATIM_CHECK(dynamic_cast<const TextStates*>(condition) != nullptr, UsageError, 1104,
                 "a checkpoint of Stable Diffusion is asked for texts");
}

}  // namespace gradatim::neural
