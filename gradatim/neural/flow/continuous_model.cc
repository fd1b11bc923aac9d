#include "gradatim/neural/flow/continuous_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/core/philox.h"
#include "gradatim/data/samples/values.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/size.h"
#include "gradatim/process/generate.h"

namespace gradatim::neural {
namespace {

constexpr const char* kPath = "process.path.rectified";
constexpr const char* kVelocity = "process.prediction.velocity";

template <class I>
std::shared_ptr<const I> made(const char* name) {
  return api::build_as<I>(api::Settings{.component = name});
}

// Where labels of samples are among the model's, one a sample; none where it knows none.
std::vector<std::int64_t> known_labels(const SampleKind& kind, const data::Samples& samples) {
  if (kind.classes.empty() || samples.labels.empty()) return {};
  const auto places = kind.places_of(samples);
  std::vector<std::int64_t> labels;
  for (const std::int64_t label : samples.labels) labels.push_back(places[to_size(label)]);
  return labels;
}

NetworkShape flow_shape(const SampleKind& kind, const process::Path& path, std::uint64_t seed) {
  NetworkShape shape = network_shape(kind, path, seed);
  shape.classes = static_cast<std::int64_t>(kind.classes.size());
  // Training by likelihood sees the times of its steps alone, and between them nothing may wave;
  // nor should it where a flow is integrated to a tolerance.
  shape.wave_scale = 0.01;
  return shape;
}

FieldParts parts_around(const ContinuousFlowPlan& plan, std::shared_ptr<Net> net,
                        const NetworkShape& shape, std::shared_ptr<const process::Path> path,
                        at::Device device) {
  return {.net = std::move(net),
          .path = std::move(path),
          .prediction = made<process::Prediction>(kVelocity),
          .shape = shape,
          .device = device,
          .unlabelled = plan.config.drop_label > 0.0,
          .independent = plan.config.objective == FlowObjective::flow_matching &&
                         plan.coupling->independent()};
}

}  // namespace

std::int64_t probes_of(const ContinuousFlowConfig& config, std::int64_t dims) {
  const bool exact = config.trace == TraceKind::exact ||
                     (config.trace == TraceKind::automatic && dims <= kExactDims);
  return exact ? 0 : config.probes;
}

BatchPlan batch_plan(const ContinuousFlowPlan& plan) {
  const bool matching = plan.config.objective == FlowObjective::flow_matching;
  return {.path = made<process::Path>(kPath),
          .times = made<process::TimeDensity>("process.time_density.uniform"),
          .prediction = made<process::Prediction>(kVelocity),
          .loss_weight = made<process::LossWeight>("process.loss_weight.simple"),
          .coupling = matching ? plan.coupling : nullptr,
          .drop_label = plan.config.drop_label,
          .flip = plan.config.flip,
          .pair_steps = plan.config.pair_steps};
}

FieldParts flow_parts(const ContinuousFlowPlan& plan, const SampleKind& kind, std::uint64_t seed,
                      at::Device device) {
  const auto path = made<process::Path>(kPath);
  const NetworkShape shape = flow_shape(kind, *path, seed);
  return parts_around(plan, make_net(*plan.network, shape, device), shape, path, device);
}

FieldParts flow_parts(const ContinuousFlowPlan& plan, const SampleKind& kind,
                      const SafetensorsFile& file) {
  const auto path = made<process::Path>(kPath);
  const NetworkShape shape = flow_shape(kind, *path, 0);
  return parts_around(plan, load_net(*plan.network, shape, file, "network."), shape, path,
                      at::kCPU);
}

std::shared_ptr<const ContinuousFlowModel> ContinuousFlowModel::load(const ContinuousFlowPlan& plan,
                                                                     const SafetensorsFile& file,
                                                                     const data::ModelCard& card) {
  GRADATIM_CHECK(plan.network != nullptr, ModelError, 3006, "{}: its settings name no network",
                 file.source());
  SampleKind kind = SampleKind::load(file);
  const std::int64_t dims = kind.dims();
  FieldParts parts = flow_parts(plan, kind, file);
  return std::make_shared<ContinuousFlowModel>(plan, card, std::move(kind), Scale::load(file, dims),
                                               std::move(parts));
}

std::shared_ptr<const FieldModel> ContinuousFlowModel::again(at::Device device) const {
  return std::make_shared<ContinuousFlowModel>(plan_, card(), kind(), scale(),
                                               flow_parts(plan_, kind(), 0, device));
}

// The tolerance is the solver's, so that samples are the model's own unless another is asked for.
api::Settings ContinuousFlowModel::sampler() const {
  api::Settings settings{.component = "process.sampler"};
  settings.parts["path"] = {.component = kPath};
  settings.parts["prediction"] = {.component = kVelocity};
  settings.parts["solver"] = {.component = "process.solver.rk45"};
  return settings;
}

// The mean of -ln p, and its standard error by the probes alone, where there are any. Bytes stand
// for what rounds to them: by one draw of it, the loss is in the mean no less than that of -ln P.
std::vector<std::pair<std::string, double>> ContinuousFlowModel::evaluate_samples(
    const data::Samples& samples, std::uint64_t seed) const {
  return translated([&] {
    kind().check(samples);
    process::LikelihoodOptions options{.seed = seed, .ode = {.atol = 1e-5, .rtol = 1e-5}};
    const bool estimated = probes_of(plan_.config, kind().dims()) > 0;
    if (estimated) options.probes = 4;
    std::vector<double> data = data::values_of(samples, shape(), "the samples");
    const Philox draws(seed, Stream::train_noise);
    for (std::size_t k = 0; kind().bytes && k < data.size(); ++k) data[k] += draws.uniform(k) - 0.5;
    const auto found = process::log_prob(*this, sampler(), std::move(data),
                                         known_labels(kind(), samples), options);
    double sum = 0.0, variance = 0.0;
    for (std::size_t k = 0; k < found.log_prob.size(); ++k) {
      sum -= found.log_prob[k];
      variance += found.standard_error[k] * found.standard_error[k];
    }
    const auto count = static_cast<double>(samples.count);
    std::vector<std::pair<std::string, double>> metrics{{"loss", sum / count}};
    if (estimated) metrics.emplace_back("loss_error", std::sqrt(variance) / count);
    return metrics;
  });
}

}  // namespace gradatim::neural
