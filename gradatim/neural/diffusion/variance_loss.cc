#include "gradatim/neural/diffusion/variance_loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "gradatim/core/error.h"
#include "gradatim/neural/diffusion/diffusion_model.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

Bins bins_of(const Scale& scale) {
  std::array<double, 3> states = {0.0, 1.0, 255.0};
  scale.to_states(states);
  return {0.5 * (states[1] - states[0]), states[0], states[2]};
}

// Rows of a batch for the bound: so many of the step to data, whose cost differs most from sample
// to sample, and the others spread over all other steps.
constexpr std::int64_t kBoundRows = 256, kDataRows = 64, kBoundBatches = 64;

}  // namespace

VarianceLoss::VarianceLoss(const DiffusionPlan& plan, const Scale& scale, bool bytes)
    : path_(plan.path),
      prediction_(plan.prediction),
      times_(plan.times),
      table_(plan.path),
      weight_(plan.config.variance_weight * static_cast<double>(table_.steps()) /
              std::numbers::ln2) {
  if (bytes && scale.uniform()) bins_ = bins_of(scale);
}

BatchesRequest VarianceLoss::asked(BatchesRequest request) const {
  request.time = [path = path_, times = times_, table = table_](std::int64_t, double u, double z) {
    return table.time(table.place(times->time(*path, u, z)));
  };
  request.keep_data = true;
  return request;
}

void VarianceLoss::add_to(BatchTensors& tensors, Batch& batch, const FieldParts& parts,
                          std::int64_t first, std::int64_t rows) const {
  std::vector<StepTerms> terms;
  for (std::int64_t row = first; row < first + rows; ++row) {
    terms.push_back(table_.terms(table_.place(batch.times[to_size(row)]), *prediction_));
  }
  const std::int64_t dims = c10::multiply_integers(parts.shape.sample);
  const Tensor data = at::from_blob(batch.data.data() + first * dims, tensors.target.sizes());
  tensors.steps = step_costs(terms, data.to(parts.device), bins_);
  tensors.step_weight = weight_;
}

std::optional<VarianceLoss> variance_loss(const DiffusionPlan& plan, const Scale& scale,
                                          bool bytes) {
  if (!plan.config.learned_variance) return std::nullopt;
  return VarianceLoss(plan, scale, bytes);
}

void check_learned_variance(const DiffusionPlan& plan, bool source) {
  GRADATIM_CHECK(
      !source && plan.path->gaussian_source() && plan.coupling->independent(), UsageError, 1146,
      "learned_variance needs steps of a diffusion from normal noise; leave out the source, and "
      "take process.coupling.independent and a path of normal noise");
}

namespace {

// Which of the steps behind the first a row of the bound is of. Half of the rows are spread evenly
// over the places, half evenly over ln(1 + SNR), by which the costs of normal data grow: most of
// the bound lies in the few steps near the data.
class Places {
 public:
  Places(const process::Path& path, const StepTable& table) {
    const auto level = [&](std::int64_t place) {
      const process::PathPoint p = path.at(table.time(place));
      return p.sigma > 0.0 ? std::log1p(std::pow(p.alpha / p.sigma, 2.0)) : 0.0;
    };
    const double all = level(1) - level(table.steps());
    const auto count = static_cast<double>(table.steps() - 1);
    for (std::int64_t place = 2; place <= table.steps(); ++place) {
      const double fall = std::max(0.0, level(place - 1) - level(place));
      share_.push_back(all > 0.0 ? 0.5 / count + 0.5 * fall / all : 1.0 / count);
      below_.push_back(share_.back() + (below_.empty() ? 0.0 : below_.back()));
    }
  }

  std::int64_t at(double part) const {
    if (share_.empty()) return 1;
    const auto above = std::upper_bound(below_.begin(), below_.end(), part * below_.back());
    return 2 + std::min(above - below_.begin(), std::ssize(below_) - 1);
  }
  double share(std::int64_t place) const {
    return share_.empty() ? INFINITY : share_[to_size(place - 2)];
  }

 private:
  std::vector<double> share_, below_;  // of place 2, 3, ...
};

// The cost of rows in nats a number.
Tensor row_costs(const FieldParts& parts, const BatchTensors& batch) {
  const Tensor output = parts.net->forward(batch.input);
  const std::int64_t channels = batch.target.size(1);
  return step_cost(output.narrow(1, 0, channels) - batch.target,
                   output.narrow(1, channels, channels), *batch.steps)
      .cost.flatten(1)
      .mean(1, false, at::kDouble)
      .to(at::kCPU);
}

}  // namespace

Bound variational_bound(const FieldParts& parts, const DiffusionPlan& plan,
                        const VarianceLoss& loss, const Scale& scale,
                        std::shared_ptr<const data::Samples> samples, std::uint64_t seed,
                        const std::function<void(Batch&)>& prepare) {
  const StepTable& table = loss.table();
  const Places places(*plan.path, table);
  BatchPlan asked = batch_plan(plan);
  asked.drop_label = 0.0;  // the bound is that of samples with their labels
  asked.pair_steps = 1;
  BatchesRequest request =
      loss.asked({.samples = std::move(samples), .rows = kBoundRows, .seed = seed});
  constexpr auto kOthers = static_cast<double>(kBoundRows - kDataRows);
  request.time = [&](std::int64_t row, double u, double) {
    return table.time(
        row < kDataRows ? 1 : places.at((static_cast<double>(row - kDataRows) + u) / kOthers));
  };
  Batches batches(asked, scale, std::move(request));
  const process::PathPoint end = plan.path->at(plan.path->last());
  double sum = 0.0, squares = 0.0;
  for (std::int64_t part = 0; part < kBoundBatches; ++part) {
    Batch batch = batches.at(part);
    if (prepare) prepare(batch);
    auto tensors = tensors_of(batch, parts.shape, 0, kBoundRows, parts.device);
    loss.add_to(tensors, batch, parts, 0, kBoundRows);
    const Tensor costs = row_costs(parts, tensors);
    const double size = tensors.steps->data.square().mean(at::kDouble).item<double>();
    double nats = 0.5 * std::pow(end.alpha / end.sigma, 2.0) * size;
    for (std::int64_t row = 0; row < kBoundRows; ++row) {
      const double cost = costs.const_data_ptr<double>()[row];
      const std::int64_t place = table.place(batch.times[to_size(row)]);
      nats += row < kDataRows ? cost / kDataRows : cost / (kOthers * places.share(place));
    }
    sum += nats / std::numbers::ln2;
    squares += std::pow(nats / std::numbers::ln2, 2.0);
  }
  const double mean = sum / kBoundBatches;
  return {mean,
          std::sqrt(std::max(0.0, squares / kBoundBatches - mean * mean) / (kBoundBatches - 1))};
}

}  // namespace gradatim::neural
