// Fits neural.diffusion: batches, the objective of the training loop, and the edge to libgradatim.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "gradatim/core/ahead.h"
#include "gradatim/core/error.h"
#include "gradatim/core/hash.h"
#include "gradatim/neural/diffusion/diffusion_loss.h"
#include "gradatim/neural/diffusion/diffusion_model.h"
#include "gradatim/neural/diffusion/preview.h"
#include "gradatim/neural/diffusion/variance_loss.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/train/loop.h"

namespace gradatim::neural {
namespace {

std::string hash_of(const data::Samples* samples) {
  if (samples == nullptr) return "";
  Hash hash;
  for (const std::int64_t extent : samples->shape) hash.add(static_cast<std::uint64_t>(extent));
  hash.add(std::string_view(reinterpret_cast<const char*>(samples->bytes.data()),
                            samples->bytes.size()));
  hash.add(std::span<const float>(samples->numbers));
  for (const std::int64_t label : samples->labels) hash.add(static_cast<std::uint64_t>(label));
  for (const std::string& word : samples->classes) hash.add(std::string_view(word));
  return fmt::format("{:016x}", hash.value());
}

data::Identity identity_of(const data::FitRequest& request, api::Settings settings) {
  auto& training = settings.parts["training"].values;
  training.erase("max_seconds");  // budgets and pictures of the process, not of the model
  training.erase("sample_every");
  return {{"set of settings", api::to_json(settings)},
          {"seed", std::to_string(request.seed)},
          {"set of samples to learn from", hash_of(request.samples.get())},
          {"set of samples to start from", hash_of(request.source.get())}};
}

class DiffusionObjective final : public Objective {
 public:
  /// `model` is a model of the same plan with a network of its own.
  DiffusionObjective(const TrainingConfig& config, Batches batches, const FieldParts& parts,
                     std::optional<VarianceLoss> variance,
                     std::function<std::shared_ptr<DiffusionModel>()> model)
      : config_(config),
        batches_(std::move(batches)),
        parts_(parts),
        variance_(std::move(variance)),
        make_model_(std::move(model)) {}

  Parameters& parameters() override { return parts_.net->parameters(); }
  void begin(std::int64_t first, std::int64_t last) override {
    ahead_.emplace([this](std::int64_t step) { return batches_.at(step); }, first, last);
  }

  double step(std::int64_t) override {
    Batch batch = ahead_->next();
    const std::int64_t part = (batch.rows + config_.accumulate - 1) / config_.accumulate;
    double loss = 0.0;
    for (std::int64_t first = 0; first < batch.rows; first += part) {
      const std::int64_t rows = std::min(part, batch.rows - first);
      auto tensors = tensors_of(batch, parts_.shape, first, rows, parts_.device);
      if (variance_) variance_->add_to(tensors, batch, parts_, first, rows);
      loss += learn(*parts_.net, tensors, batch.rows).item<double>();
    }
    return loss;
  }

  data::Samples samples(const Tensor& parameters) override {
    if (model_ == nullptr) model_ = make_model_();
    model_->parameters().values().copy_(parameters);
    return preview(*model_);
  }

 private:
  TrainingConfig config_;
  Batches batches_;
  FieldParts parts_;
  std::optional<VarianceLoss> variance_;
  std::function<std::shared_ptr<DiffusionModel>()> make_model_;
  std::shared_ptr<DiffusionModel> model_;  // of pictures, made for the first one
  std::optional<Ahead<Batch>> ahead_;      // the last member: it uses the others
};

void check_request(const DiffusionPlan& plan, const data::FitRequest& request) {
  GRADATIM_CHECK(request.samples != nullptr, UsageError, 1010,
                 "neural.diffusion learns from samples; give it some");
  GRADATIM_CHECK(request.init_model == nullptr, UsageError, 1036,
                 "neural.diffusion does not go on from a model; leave out init_model, or give a "
                 "checkpoint's folder by resume");
  plan.prediction->data(plan.path->at(plan.path->last()));  // or nothing could be sampled later
  if (plan.config.learned_variance) check_learned_variance(plan, request.source != nullptr);
  if (request.source == nullptr) return;
  GRADATIM_CHECK(request.source->shape == request.samples->shape, DataError, 2090,
                 "the samples have shape [{}] and the source's [{}]",
                 fmt::join(request.samples->shape, ", "), fmt::join(request.source->shape, ", "));
  const process::PathPoint end = plan.path->at(plan.path->last());
  GRADATIM_CHECK(end.alpha == 0.0 && end.sigma == 1.0, UsageError, 1164,
                 "a source of samples needs a path that ends there, such as rectified; this one "
                 "ends at alpha = {:.3g}, sigma = {:.3g}",
                 end.alpha, end.sigma);
}

std::shared_ptr<const data::Model> fit(DiffusionPlan plan, const data::FitRequest& request,
                                       api::Settings settings) {
  check_request(plan, request);
  const TorchThreads threads;
  const data::Samples& samples = *request.samples;
  if (plan.network == nullptr) {
    const char* name = samples.is_images() ? "neural.network.unet" : "neural.network.mlp";
    settings.parts["network"] = api::complete({.component = name});
    plan.network = api::build_as<Network>(settings.parts["network"]);
  }
  const TrainingConfig& config = plan.training->config();
  SampleKind kind = SampleKind::of(samples);
  kind.source = request.source != nullptr;
  const FieldParts parts = field_parts(plan, kind, request.seed, device_of(request.device));
  const Scale scale(plan.config.scaling, samples);
  BatchesRequest asked{.samples = request.samples,
                       .source = request.source,
                       .rows = config.batch_size,
                       .seed = request.seed};
  const auto variance = variance_loss(plan, scale, kind.bytes);
  if (variance) asked = variance->asked(std::move(asked));
  Batches batches(plan, scale, std::move(asked));
  data::ModelCard card{.settings = settings, .notes = request.notes};
  DiffusionObjective objective(config, std::move(batches), parts, variance, [&] {
    return std::make_shared<DiffusionModel>(plan, card, kind, scale,
                                            field_parts(plan, kind, 0, parts.device));
  });
  Trained trained = train(objective, config, request, identity_of(request, settings));
  parts.net->parameters().values().copy_(trained.parameters);
  card.rounds = trained.steps;
  card.history = std::move(trained.history);
  return std::make_shared<DiffusionModel>(plan, std::move(card), std::move(kind), scale, parts);
}

}  // namespace

FieldParts field_parts(const DiffusionPlan& plan, const SampleKind& kind, std::uint64_t seed,
                       at::Device device) {
  const bool small = std::abs(plan.path->model_time(plan.path->last())) < 10.0;
  NetworkShape shape{.sample = kind.shape,
                     .classes = static_cast<std::int64_t>(kind.classes.size()),
                     .outputs = plan.config.learned_variance ? 2 : 1,
                     .time_scale = small ? 1000.0 : 1.0,
                     .seed = seed};
  return {make_net(*plan.network, shape, device), plan.path, plan.prediction, shape, device};
}

}  // namespace gradatim::neural

extern "C" {

gradatim::neural::FitDiffusion gradatim_fit_diffusion;
gradatim::neural::LoadDiffusion gradatim_load_diffusion;

std::shared_ptr<const gradatim::data::Model> gradatim_fit_diffusion(
    const gradatim::neural::DiffusionPlan& plan, const gradatim::data::FitRequest& request,
    const gradatim::api::Settings& settings) {
  using namespace gradatim::neural;
  return translated([&] { return fit(plan, request, settings); });
}

std::shared_ptr<const gradatim::data::Model> gradatim_load_diffusion(
    const gradatim::neural::DiffusionPlan& plan, const gradatim::SafetensorsFile& file,
    const gradatim::data::ModelCard& card) {
  using namespace gradatim::neural;
  return translated([&]() -> std::shared_ptr<const gradatim::data::Model> {
    return DiffusionModel::load(plan, file, card);
  });
}
}
