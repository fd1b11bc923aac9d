// Fits neural.vq: the autoencoder first, and the edge to libgradatim.
#include <fmt/format.h>

#include "gradatim/core/error.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/nn/memory.h"
#include "gradatim/neural/quantize/vq_model.h"
#include "gradatim/neural/size.h"
#include "gradatim/neural/train/batch_objective.h"
#include "gradatim/neural/train/identity.h"
#include "gradatim/neural/train/stage.h"
#include "gradatim/neural/train/start.h"

namespace gradatim::neural {
namespace {

// Vectors that codes begin by.
constexpr std::int64_t kStartVectors = 16384;

// States of the samples in the order of training.
class StateBatches {
 public:
  StateBatches(std::shared_ptr<const data::Samples> samples, const Scale& scale,
               const TrainingConfig& config, std::uint64_t seed)
      : samples_(std::move(samples)),
        scale_(scale),
        rows_(config.batch_size),
        order_(samples_->count, config.shuffle, seed, Stream::order) {}

  Batch at(std::int64_t step) { return rows(step * rows_, rows_); }
  Batch rows(std::int64_t first, std::int64_t rows) {
    const auto dims = to_size(samples_->size());
    Batch batch{.rows = rows, .x = std::vector<float>(to_size(rows) * dims)};
    for (std::int64_t k = 0; k < rows; ++k) {
      scale_.row(*samples_, order_.at(first + k),
                 std::span(batch.x).subspan(to_size(k) * dims, dims));
    }
    return batch;
  }

 private:
  std::shared_ptr<const data::Samples> samples_;
  Scale scale_;
  std::int64_t rows_;
  Order order_;
};

Tensor vq_input(Batch& batch, const SampleKind& kind, std::int64_t first, std::int64_t rows,
                at::Device device) {
  std::vector<std::int64_t> sizes{rows};
  sizes.insert(sizes.end(), kind.shape.begin(), kind.shape.end());
  return rows_of(batch.x, first, sizes, device);
}

class VqObjective final : public BatchObjective {
 public:
  struct Task {
    VqPlan plan;
    SampleKind kind;
    VqParts parts;
    std::uint64_t seed;
  };
  VqObjective(Task task, std::function<Batch(std::int64_t)> batches,
              std::function<ModelCopy()> make_copy)
      : BatchObjective(task.parts.net->parameters(), task.plan.training->config().accumulate,
                       std::move(batches), std::move(make_copy)),
        task_(std::move(task)) {
    parameters().require_gradients(true);
  }

  void before_update(std::int64_t step) override {
    task_.parts.net->update(step_of(step, task_.plan.training->config().batch_size, 0));
  }

 protected:
  double learn(Batch& batch, std::int64_t first, std::int64_t rows) override {
    const Tensor x = vq_input(batch, task_.kind, first, rows, task_.parts.device);
    const PooledMemory pooled;
    Tensor loss;
    {
      const at::AutoGradMode graph(true);
      const auto made = task_.parts.net->pass(x, step_of(number(), batch.rows, first));
      const auto all = static_cast<double>(batch.rows);
      const double numbers = all * static_cast<double>(task_.kind.dims());
      const bool squared = task_.plan.config.reconstruction == Reconstruction::squared;
      loss = (squared ? at::mse_loss(made.out, x, at::Reduction::Sum)
                      : at::l1_loss(made.out, x, at::Reduction::Sum)) /
             numbers;
      if (made.loss.defined()) {
        loss = loss + made.loss / (all * static_cast<double>(task_.parts.net->places()));
      }
    }
    // Gradient mode off: gradients are added in place, into the buffer that they look into.
    torch::autograd::backward({loss}, {});
    return loss.item<double>();
  }

 private:
  QuantizeStep step_of(std::int64_t step, std::int64_t all, std::int64_t first) const {
    return {task_.seed, step, task_.plan.training->config().steps, all, first};
  }

  Task task_;
};

void check_vq_request(const data::FitRequest& request) {
  GRADATIM_CHECK(request.samples != nullptr, UsageError, 1010,
                 "neural.vq learns from samples; give it some");
  GRADATIM_CHECK(request.samples->given_columns.empty(), UsageError, 1192,
                 "neural.vq takes no numbers that are given; leave them out, or take neural.flow");
  GRADATIM_CHECK(request.init_model == nullptr, UsageError, 1036,
                 "neural.vq does not go on from a model; leave out init_model, or give a "
                 "checkpoint's folder by resume");
  GRADATIM_CHECK(request.source == nullptr, UsageError, 1036,
                 "neural.vq starts from codes; leave out the source");
}

// The parameters' buffer holds sums of the codebooks, which must not be rounded.
void check_training(const Training& training) {
  GRADATIM_CHECK(training.config().precision == Precision::float32, UsageError, 1180,
                 "neural.vq is computed in float32; leave precision out");
  GRADATIM_CHECK(training.config().gradient_compression == GradientCompression::none, UsageError,
                 1180,
                 "sums of codes travel among the gradients of neural.vq, and must not be rounded; "
                 "leave gradient_compression out");
  GRADATIM_CHECK(training.config().sample_every == 0, UsageError, 1181,
                 "neural.vq has no samples before its prior has learned; leave sample_every out");
}

Trained train_autoencoder(const VqPlan& plan, const data::FitRequest& request,
                          const SampleKind& kind, const VqParts& parts, data::ModelCard card) {
  const TrainingConfig& config = plan.training->config();
  StateBatches batches(request.samples, parts.scale, config, request.seed);
  {
    const at::NoGradGuard plain;
    const std::int64_t wanted = kStartVectors / parts.net->places();
    const std::int64_t rows =
        std::min(request.samples->count, std::clamp<std::int64_t>(wanted, 64, 4096));
    Batch first = batches.rows(0, rows);
    parts.net->start(vq_input(first, kind, 0, rows, parts.device), request.seed);
  }
  VqObjective objective(
      {plan, kind, parts, request.seed}, [&](std::int64_t step) { return batches.at(step); },
      [&] {
        VqParts own = parts;
        own.net = make_vq(plan, kind.shape, 0, parts.device);
        return ModelCopy{std::make_shared<VqModel>(plan, card, kind, own), &own.net->parameters()};
      });
  tell_start(request, card.settings.parts.at("autoencoder"), parts.net->parameters());
  return train(objective, config, request, identity_of(request, card.settings));
}

// How far samples are from their reconstructions.
Observation observed(const VqModel& model, const data::Samples& samples) {
  Observation observation(samples.size(), !samples.bytes.empty());
  const std::int64_t chunk = vq_chunk(SampleKind::of(samples));
  for (std::int64_t first = 0; first < samples.count; first += chunk) {
    const auto data = numbers_of(samples, first, std::min(chunk, samples.count - first));
    observation.add(data, model.decode(model.encode(data)));
  }
  observation.finish();
  return observation;
}

std::shared_ptr<const data::Model> fit_vq(VqPlan plan, const data::FitRequest& request,
                                          api::Settings settings) {
  check_vq_request(request);
  check_goes_on(request, settings);
  check_training(*plan.training);
  check_training(plan.prior->training());
  const data::Samples& samples = *request.samples;
  if (plan.autoencoder == nullptr) {
    const char* name = samples.is_images() ? "neural.autoencoder.conv" : "neural.autoencoder.mlp";
    settings.parts["autoencoder"] = api::complete({.component = name});
    plan.autoencoder = api::build_as<Autoencoder>(settings.parts["autoencoder"]);
  }
  const SampleKind kind = SampleKind::of(samples);
  VqParts parts{.net = make_vq(plan, kind.shape, request.seed, device_of(request.device)),
                .scale = Scale(plan.config.scaling, samples),
                .labels = Given(samples),
                .device = device_of(request.device)};
  const TrainingConfig& config = plan.training->config();
  const TorchThreads threads(3.0 * parts.net->operations() *
                             static_cast<double>(config.batch_size / group_of(request).size()));
  data::ModelCard card{.settings = settings, .notes = request.notes};
  Trained trained = train_autoencoder(plan, request, kind, parts, card);
  parts.net->parameters().values().copy_(trained.parameters);
  card.rounds = trained.steps;
  card.history = std::move(trained.history);
  parts.observation = observed(VqModel(plan, card, kind, parts), samples);
  fit_prior(plan, request, kind, parts, card);
  return std::make_shared<VqModel>(plan, std::move(card), kind, parts);
}

}  // namespace
}  // namespace gradatim::neural

extern "C" {

gradatim::neural::FitVq gradatim_fit_vq;
gradatim::neural::LoadVq gradatim_load_vq;

std::shared_ptr<const gradatim::data::Model> gradatim_fit_vq(
    const gradatim::neural::VqPlan& plan, const gradatim::data::FitRequest& request,
    const gradatim::api::Settings& settings) {
  using namespace gradatim::neural;
  return translated([&] { return fit_vq(plan, request, settings); });
}

std::shared_ptr<const gradatim::data::Model> gradatim_load_vq(
    const gradatim::neural::VqPlan& plan, const gradatim::SafetensorsFile& file,
    const gradatim::data::ModelCard& card) {
  using namespace gradatim::neural;
  return translated([&]() -> std::shared_ptr<const gradatim::data::Model> {
    return VqModel::load(plan, file, card);
  });
}
}
