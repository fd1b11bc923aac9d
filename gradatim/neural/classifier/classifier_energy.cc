#include "gradatim/neural/classifier/classifier_energy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/neural/classifier/classifier_loss.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/nn/states.h"
#include "gradatim/neural/train/batches.h"

namespace gradatim::neural {

ClassifierEnergy::ClassifierEnergy(ClassifierParts parts,
                                   std::shared_ptr<const process::Labels> labels,
                                   std::shared_ptr<const process::Path> path, process::StateMap map)
    : parts_(std::move(parts)),
      labels_(std::move(labels)),
      path_(std::move(path)),
      map_(std::move(map)),
      shift_(at::tensor(at::ArrayRef<double>(map_.shift)).to(at::kFloat)) {}

// With states alpha x + sigma z and the classifier's data f x + s, its own state of the same noise
// is f state + alpha s = alpha (f x + s) + f sigma z: as that of a noise-to-signal ratio f times as
// large. The network sees it divided by its norm (batches.h).
ClassifierEnergy::Inputs ClassifierEnergy::inputs(const process::Query& query) const {
  const auto rows = static_cast<std::int64_t>(query.t.size());
  const Tensor factor = at::empty({rows, 1}, at::kFloat), signal = at::empty_like(factor);
  const Tensor t = at::empty({rows}, at::kFloat), labels = at::empty({rows}, at::kLong);
  for (std::int64_t row = 0; row < rows; ++row) {
    const process::PathPoint p = path_->at(query.t[to_size(row)]);
    const double norm = std::hypot(p.alpha, map_.factor * p.sigma);
    const double own = parts_.path->time_of(map_.factor * p.ratio());
    factor.data_ptr<float>()[row] = static_cast<float>(map_.factor / norm);
    signal.data_ptr<float>()[row] = static_cast<float>(p.alpha / norm);
    t.data_ptr<float>()[row] = static_cast<float>(told_time(*parts_.path, own));
    labels.data_ptr<std::int64_t>()[row] = labels_->of(query.rows[to_size(row)]);
  }
  return {factor, signal, t, labels};
}

process::Vec ClassifierEnergy::gradient(process::Space& space, const process::Query& query,
                                        const process::ConditionPtr&, const process::Form&) const {
  return translated([&] {
    const TorchThreads threads(parts_.net->operations_at_once() *
                               static_cast<double>(chunk_rows(parts_.shape)));
    const std::int64_t dims = c10::multiply_integers(parts_.shape.sample);
    GRADATIM_CHECK(query.x.dims() == dims, UsageError, 1105,
                   "the state has {} numbers and the classifier's samples {}", query.x.dims(),
                   dims);
    const Inputs all = inputs(query);
    const Tensor x = tensor_of(space, query.x) * all.factor + all.signal * shift_;
    const std::int64_t chunk = chunk_rows(parts_.shape);
    const auto part_of = [&](const Tensor& column, std::int64_t first) {
      return padded(column.view({column.size(0), 1}), first, chunk).view(chunk).to(parts_.device);
    };
    const Output result(space, x.size(0), dims);
    for (std::int64_t first = 0; first < x.size(0); first += chunk) {
      const Tensor state = padded(x, first, chunk).to(parts_.device).clone().requires_grad_();
      const at::AutoGradMode graph(true);
      const Tensor output = parts_.net->forward(
          {shaped(state, parts_.shape), part_of(all.t, first), Tensor()});  // [chunk, classes]
      const Tensor chosen = log_chances_of(output, parts_.log_shares, part_of(all.signal, first))
                                .gather(1, part_of(all.labels, first).unsqueeze(1));
      const Tensor gradient = torch::autograd::grad({chosen.sum()}, {state}).front();
      const std::int64_t rows = std::min(chunk, x.size(0) - first);
      const at::NoGradGuard plain;
      result.numbers()
          .narrow(0, first, rows)
          .copy_(gradient.narrow(0, 0, rows).to(at::kCPU) * all.factor.narrow(0, first, rows));
    }
    return result.done();
  });
}

}  // namespace gradatim::neural
