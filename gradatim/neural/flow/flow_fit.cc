// Fits neural.flow: batches of states, -ln p as the loss, and the edge to libgradatim.
#include <fmt/format.h>

#include <functional>

#include "gradatim/core/error.h"
#include "gradatim/core/normal.h"
#include "gradatim/neural/flow/flow_model.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/size.h"
#include "gradatim/neural/train/batch_objective.h"
#include "gradatim/neural/train/identity.h"
#include "gradatim/neural/train/start.h"

namespace gradatim::neural {
namespace {

// Rows that steps which are chosen by data see before training.
constexpr std::int64_t kStartRows = 512;

// States of the samples in the order of training; step s is a pure function of (seed, s).
class FlowBatches {
 public:
  FlowBatches(std::shared_ptr<const data::Samples> samples, const FlowParts& parts,
              const TrainingConfig& config, std::uint64_t seed)
      : samples_(std::move(samples)),
        parts_(parts),
        rows_(config.batch_size),
        seed_(seed),
        order_(samples_->count, config.shuffle, seed, Stream::order) {}

  /// x, and in `weight` ln |d state / d data|; what is given lies in `target`. Where noise is
  /// learned, x are data as they are, and `data` normal numbers.
  Batch at(std::int64_t step, std::int64_t rows) {
    const std::int64_t dims = samples_->size(), width = parts_.given.width();
    const auto columns = to_size(parts_.given.columns());
    const Philox noise(seed_, Stream::train_noise, static_cast<std::uint32_t>(step));
    Batch batch{.rows = rows,
                .x = std::vector<float>(to_size(rows * dims)),
                .target = std::vector<float>(to_size(rows * width)),
                .weight = std::vector<float>(to_size(rows))};
    const bool learned = parts_.net->dequantizer() != nullptr;
    std::vector<double> state(to_size(dims)), given(columns);
    if (learned) {
      std::vector<double> drawn(to_size(rows * dims));
      normals(noise, 0, drawn);
      batch.data.assign(drawn.begin(), drawn.end());
    }
    for (std::int64_t k = 0; k < rows; ++k) {
      const std::int64_t index = order_.at(step * rows_ + k);
      parts_.map.row(*samples_, index, state);
      for (std::int64_t j = 0; j < dims && parts_.map.whole() && !learned; ++j) {
        state[to_size(j)] += noise.uniform(to_size(k * dims + j));
      }
      if (!learned) batch.weight[to_size(k)] = static_cast<float>(parts_.map.to_state(state));
      std::ranges::copy(state, batch.x.begin() + k * dims);
      if (width == 0) continue;
      for (std::size_t j = 0; j < columns; ++j) {
        given[j] = double{samples_->given[to_size(index) * columns + j]};
      }
      parts_.given.tell(samples_->labels.empty() ? 0 : samples_->labels[to_size(index)], given,
                        batch.target.data() + k * width);
    }
    return batch;
  }
  Batch at(std::int64_t step) { return at(step, rows_); }

 private:
  std::shared_ptr<const data::Samples> samples_;
  const FlowParts& parts_;
  std::int64_t rows_;
  std::uint64_t seed_;
  Order order_;
};

struct FlowInput {
  Tensor x, context, log_det, noise;
};

FlowInput input_of(Batch& batch, const FlowParts& parts, std::int64_t first, std::int64_t rows) {
  std::vector<std::int64_t> sizes{rows};
  const auto& sample = parts.net->shape().sample;
  sizes.insert(sizes.end(), sample.begin(), sample.end());
  FlowInput input{rows_of(batch.x, first, sizes, parts.device),
                  {},
                  rows_of(batch.weight, first, {rows}, parts.device),
                  {}};
  if (parts.given.width() > 0) {
    input.context = rows_of(batch.target, first, {rows, parts.given.width()}, parts.device);
  }
  if (!batch.data.empty()) {
    input.noise = rows_of(batch.data, first, {rows, parts.net->shape().dims()}, parts.device);
  }
  return input;
}

class FlowObjective final : public BatchObjective {
 public:
  FlowObjective(const TrainingConfig& config, std::function<Batch(std::int64_t)> batches,
                const FlowParts& parts, std::function<ModelCopy()> make_copy)
      : BatchObjective(parts.net->parameters(), config.accumulate, std::move(batches),
                       std::move(make_copy)),
        parts_(parts) {
    parts_.net->parameters().require_gradients(true);
  }

 protected:
  double learn(Batch& batch, std::int64_t first, std::int64_t rows) override {
    const FlowInput input = input_of(batch, parts_, first, rows);
    const PooledMemory pooled;
    const double scale = -1.0 / static_cast<double>(batch.rows);
    Tensor nats;
    {
      const at::AutoGradMode graph(true);
      if (input.noise.defined()) {
        const Moved drawn = dequantized(parts_, input.x.flatten(1), input.noise);
        nats = parts_.net->log_prob(drawn.x, input.context) + drawn.log_det;
      } else {
        nats = parts_.net->log_prob(input.x, input.context);
      }
    }
    // Gradient mode off: gradients are added in place, into the buffer that they look into.
    torch::autograd::backward({nats}, {at::full_like(nats, scale)});
    return scale * (nats.detach() + input.log_det).sum(at::kDouble).item<double>();
  }

 private:
  const FlowParts& parts_;
};

void check_request(const FlowPlan& plan, const data::FitRequest& request) {
  GRADATIM_CHECK(request.samples != nullptr, UsageError, 1010,
                 "neural.flow learns from samples; give it some");
  GRADATIM_CHECK(request.init_model == nullptr, UsageError, 1036,
                 "neural.flow does not go on from a model; leave out init_model, or give a "
                 "checkpoint's folder by resume");
  GRADATIM_CHECK(request.source == nullptr, UsageError, 1036,
                 "a flow with an exact likelihood starts from its base density; leave out the "
                 "source");
  GRADATIM_CHECK(plan.training->config().precision == Precision::float32, UsageError, 1180,
                 "flows are computed in float32, so that they can be inverted; leave precision "
                 "out");
  GRADATIM_CHECK(plan.training->config().sample_every == 0 || !request.log_folder.empty(),
                 UsageError, 1181,
                 "sample_every leaves samples in a log's folder, and there is none; name one by "
                 "log_dir");
}

// Parts that are left to the samples and to the architecture.
void choose(FlowPlan& plan, const data::Samples& samples, api::Settings& settings) {
  if (plan.architecture == nullptr) {
    const char* name =
        samples.is_images() ? "neural.architecture.glow" : "neural.architecture.spline";
    settings.parts["architecture"] = api::complete({.component = name});
    plan.architecture = api::build_as<Architecture>(settings.parts["architecture"]);
  }
  if (plan.base == nullptr) {
    settings.parts["base"] = api::complete({.component = plan.architecture->base()});
    plan.base = api::build_as<BaseDensity>(settings.parts["base"]);
  }
}

std::shared_ptr<const data::Model> fit(FlowPlan plan, const data::FitRequest& request,
                                       api::Settings settings) {
  check_request(plan, request);
  const data::Samples& samples = *request.samples;
  choose(plan, samples, settings);
  const TrainingConfig& config = plan.training->config();
  const SampleKind kind = SampleKind::of(samples);
  FlowParts parts{.map = DataMap(plan.config, samples),
                  .given = Given(samples),
                  .device = device_of(request.device)};
  const FlowShape shape = flow_shape(plan, kind, parts.given, request.seed);
  parts.net = flow_net(plan, shape, parts.device);
  const TorchThreads threads(6.0 * static_cast<double>(parts.net->parameters().count()) *
                             static_cast<double>(config.batch_size / group_of(request).size()));
  FlowBatches batches(request.samples, parts, config, request.seed);
  Batch first = batches.at(0, std::min(samples.count, kStartRows));
  {
    const at::NoGradGuard plain;
    const FlowInput seen = input_of(first, parts, 0, first.rows);
    const Tensor states =
        seen.noise.defined() ? dequantized(parts, seen.x.flatten(1), seen.noise).x : seen.x;
    parts.net->steps().start(states, seen.context);
  }
  data::ModelCard card{.settings = settings, .notes = request.notes};
  FlowObjective objective(
      config, [&](std::int64_t step) { return batches.at(step); }, parts,
      [&] {
        FlowParts own = parts;
        own.net = flow_net(plan, shape, parts.device);
        return ModelCopy{std::make_shared<FlowModel>(plan, card, kind, own),
                         &own.net->parameters()};
      });
  tell_start(request, settings.parts.at("architecture"), parts.net->parameters());
  Trained trained = train(objective, config, request, identity_of(request, settings));
  parts.net->parameters().values().copy_(trained.parameters);
  card.rounds = trained.steps;
  card.history = std::move(trained.history);
  return std::make_shared<FlowModel>(plan, std::move(card), kind, parts);
}

}  // namespace
}  // namespace gradatim::neural

extern "C" {

gradatim::neural::FitFlow gradatim_fit_flow;
gradatim::neural::LoadFlow gradatim_load_flow;

std::shared_ptr<const gradatim::data::Model> gradatim_fit_flow(
    const gradatim::neural::FlowPlan& plan, const gradatim::data::FitRequest& request,
    const gradatim::api::Settings& settings) {
  using namespace gradatim::neural;
  return translated([&] { return fit(plan, request, settings); });
}

std::shared_ptr<const gradatim::data::Model> gradatim_load_flow(
    const gradatim::neural::FlowPlan& plan, const gradatim::SafetensorsFile& file,
    const gradatim::data::ModelCard& card) {
  using namespace gradatim::neural;
  return translated([&]() -> std::shared_ptr<const gradatim::data::Model> {
    return FlowModel::load(plan, file, card);
  });
}
}
