// The permutation of least sum |noise_i - data_j|^2 + w |c_i - c_j|^2, j = partner(i), where noise
// row i is given the condition c_i of data row i. Labels: w is infinite, so that rows change places
// within a class alone. Numbers: w is the least at which no more than `target_ratio` of all n^2
// pairs cost no more than what the row came with, |noise_i - data_i|^2. A pair does so while w is
// at most (|noise_i - data_i|^2 - |noise_i - data_j|^2) / |c_i - c_j|^2, which makes w an order
// statistic; the paper's search by halving closes in on the same number.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "gradatim/api/export.h"
#include "gradatim/core/error.h"
#include "gradatim/process/coupling.h"
#include "gradatim/process/metric/assignment.h"
#include "gradatim/process/metric/point_assignment.h"

namespace gradatim::process {
namespace {

struct ConditionalOptimalTransportConfig {
  double target_ratio = 0.05;
};

constexpr double kMostWeight = 1e8;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

void within_classes(const Batch& batch, std::span<std::int32_t> partner) {
  std::map<std::int64_t, std::vector<std::int32_t>> classes;
  for (std::int64_t i = 0; i < batch.rows; ++i) {
    classes[batch.labels[at(i)]].push_back(static_cast<std::int32_t>(i));
  }
  for (const auto& [label, rows] : classes) {
    std::vector<float> noise, data;
    for (const std::int32_t row : rows) {
      const auto begin = row * batch.dims;
      noise.insert(noise.end(), batch.noise.begin() + begin,
                   batch.noise.begin() + begin + batch.dims);
      data.insert(data.end(), batch.data.begin() + begin, batch.data.begin() + begin + batch.dims);
    }
    const auto found = assign_points(noise, data, batch.dims);
    for (std::size_t k = 0; k < rows.size(); ++k) partner[at(rows[k])] = rows[at(found[k])];
  }
}

// The weight of conditions; `away` are their squared distances.
double weight(const std::vector<float>& cost, const std::vector<float>& away, std::int64_t n,
              double target_ratio) {
  std::vector<double> limits;
  std::int64_t always = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      const double gain = double{cost[at(i * n + i)]} - double{cost[at(i * n + j)]};
      if (gain < 0.0) continue;
      const double apart = away[at(i * n + j)];
      if (apart == 0.0) {
        ++always;
      } else {
        limits.push_back(gain / apart);
      }
    }
  }
  const double allowed = std::floor(target_ratio * static_cast<double>(n) * static_cast<double>(n));
  const std::int64_t most = static_cast<std::int64_t>(allowed) - always;
  if (static_cast<std::int64_t>(limits.size()) <= most) return 0.0;
  if (most <= 0) return kMostWeight;
  std::nth_element(limits.begin(), limits.begin() + (most - 1), limits.end(), std::greater<>());
  return std::min(limits[at(most - 1)], kMostWeight);
}

class ConditionalOptimalTransport final : public Coupling {
 public:
  explicit ConditionalOptimalTransport(const ConditionalOptimalTransportConfig& config)
      : config_(config) {}

 protected:
  void choose(const Batch& batch, std::span<std::int32_t> partner) const override {
    GRADATIM_CHECK(!batch.labels.empty() || !batch.conditions.empty(), UsageError, 1156,
                   "conditional_optimal_transport needs labels or conditions, and the batch of {} "
                   "rows has none; give them, or take optimal_transport",
                   batch.rows);
    if (!batch.labels.empty()) return within_classes(batch, partner);
    const std::int64_t n = batch.rows;
    std::vector<float> cost = squared_costs(batch);
    const std::vector<float> away =
        squared_costs({.noise = batch.conditions,
                       .data = batch.conditions,
                       .rows = n,
                       .dims = static_cast<std::int64_t>(batch.conditions.size()) / n});
    const double w = weight(cost, away, n, config_.target_ratio);
    // Rows come in an order in which the first are spread like all of them, for speed.
    const auto order = spread_order(batch.data, batch.dims);
    const auto fill = [&](std::int64_t begin, std::int64_t end, double* out, std::int64_t pitch) {
      for (std::int64_t i = begin; i < end; ++i, out += pitch) {
        for (std::int64_t j = 0; j < n; ++j) {
          const std::size_t pair = at(order[at(i)] * n + order[at(j)]);
          out[j] = double{cost[pair]} + w * double{away[pair]};
        }
      }
    };
    const Assignment found = assign(*stored_costs(n, FillRows<double>(fill)));
    for (std::int64_t i = 0; i < n; ++i) {
      partner[at(order[at(i)])] = order[at(found.column[at(i)])];
    }
  }

 private:
  ConditionalOptimalTransportConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&ConditionalOptimalTransportConfig::target_ratio>(
        {.doc = "Conditions that are numbers: the share of all pairs that may cost no more than "
                "the pair that a row came with; less keeps conditions nearer.",
         .range = api::between(0.0, 1.0)}),
};

constexpr api::Text kText = {
    .name = "process.coupling.conditional_optimal_transport",
    .summary = "The best pairs among rows of one label, or of near conditions.",
    .detail =
        "Plain optimal transport ties a label to the noise near its data, and sampling, which "
        "draws noise whatever the label, then meets pairs that it never saw. Here noise row i is "
        "given the label of data row i and keeps it, so that noise stays independent of the label. "
        "Conditions that are numbers weigh as far as target_ratio says. Labels go before "
        "conditions where a batch has both. The label of a pair is that of its data row.",
    .source =
        "Cheng and Schwing (2025), The curse of conditions: analyzing and improving optimal "
        "transport for conditional flow-based generation",
    .shape = "noise, data: [rows, dims]; labels: [rows]; conditions: [rows, k]",
    .errors =
        "GRD-1155 shapes do not fit; GRD-1156 neither labels nor conditions; GRD-4024 a number is "
        "not finite",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_coupling_conditional_optimal_transport) =
    gradatim::api::component<gradatim::process::ConditionalOptimalTransport,
                             gradatim::process::ConditionalOptimalTransportConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
