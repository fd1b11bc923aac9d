// Fits neural.diffusion: batches, the objective of the training loop, and the edge to libgradatim.
#include "gradatim/neural/diffusion/diffusion_fit.h"

#include <fmt/format.h>

#include "gradatim/core/error.h"
#include "gradatim/neural/diffusion/diffusion_objective.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/train/identity.h"
#include "gradatim/neural/train/start.h"

namespace gradatim::neural {
namespace {

void check_request(const DiffusionPlan& plan, const data::FitRequest& request) {
  GRADATIM_CHECK(request.samples != nullptr, UsageError, 1010,
                 "neural.diffusion learns from samples; give it some");
  GRADATIM_CHECK(
      request.samples->given_columns.empty(), UsageError, 1192,
      "neural.diffusion takes no numbers that are given; leave them out, or take neural.flow");
  GRADATIM_CHECK(request.init_model == nullptr, UsageError, 1036,
                 "neural.diffusion does not go on from a model; leave out init_model, or give a "
                 "checkpoint's folder by resume");
  plan.prediction->data(plan.path->at(plan.path->last()));  // or nothing could be sampled later
  if (plan.config.learned_variance) check_learned_variance(plan, request.source != nullptr);
  GRADATIM_CHECK(!plan.config.flip || request.samples->is_images(), UsageError, 1161,
                 "flip mirrors images, and the samples are rows; leave it out");
  GRADATIM_CHECK(request.source == nullptr || request.valid_samples == nullptr, UsageError, 1036,
                 "a flow from samples has no loss on samples to watch alone; leave out valid");
  const bool pictures = plan.training->config().sample_every > 0;
  GRADATIM_CHECK(!pictures || (!request.log_folder.empty() && request.source == nullptr),
                 UsageError, 1181, "sample_every leaves samples in a log's folder, {}",
                 request.source != nullptr ? "and a flow that starts from samples draws none there"
                                           : "and there is none; name one by log_dir");
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

void choose_network(DiffusionPlan& plan, const data::Samples& samples, api::Settings& settings) {
  if (plan.network == nullptr) {
    const char* name = samples.is_images() ? "neural.network.unet" : "neural.network.mlp";
    settings.parts["network"] = api::complete({.component = name});
    plan.network = api::build_as<Network>(settings.parts["network"]);
  }
}

// Captions stand for labels, where there are any.
std::shared_ptr<const CaptionTokens> learn_captions(DiffusionPlan& plan,
                                                    const data::Samples& samples, SampleKind& kind,
                                                    api::Settings& settings) {
  GRADATIM_CHECK(plan.text == nullptr || !samples.captioned.empty(), UsageError, 1209,
                 "a text encoder needs samples with captions; give them, or leave it out");
  if (samples.captioned.empty()) return nullptr;
  if (plan.text == nullptr) {
    settings.parts["text"] = api::complete({.component = "neural.text_encoder.transformer"});
    plan.text = api::build_as<TextEncoder>(settings.parts["text"]);
  }
  kind.captions = true;
  kind.classes.clear();
  return std::make_shared<CaptionTokens>(*plan.text, samples);
}

}  // namespace

void check_diffusion(DiffusionPlan plan, const data::FitRequest& request, api::Settings settings) {
  check_request(plan, request);
  const data::Samples& samples = *request.samples;
  choose_network(plan, samples, settings);
  SampleKind kind = SampleKind::of(samples);
  const auto captions = learn_captions(plan, samples, kind, settings);
  field_parts(plan, kind, captions, request.seed, at::kCPU);
}

std::shared_ptr<const DiffusionModel> fit_diffusion(DiffusionPlan plan,
                                                    const data::FitRequest& request,
                                                    api::Settings settings, const SeenAs& seen) {
  check_request(plan, request);
  const data::Samples& samples = *request.samples;
  choose_network(plan, samples, settings);
  const TrainingConfig& config = plan.training->config();
  SampleKind kind = SampleKind::of(samples);
  kind.source = request.source != nullptr;
  const auto captions = learn_captions(plan, samples, kind, settings);
  const FieldParts parts =
      field_parts(plan, kind, captions, request.seed, device_of(request.device));
  parts.net->set_precision(config.precision);
  const TorchThreads threads(3.0 * parts.net->operations_at_once() *
                             static_cast<double>(config.batch_size / group_of(request).size()));
  const Scale scale(plan.config.scaling, samples);
  BatchesRequest asked{.samples = request.samples,
                       .source = request.source,
                       .rows = config.batch_size,
                       .shuffle = config.shuffle,
                       .seed = request.seed,
                       .captions = captions};
  const auto variance = variance_loss(plan, scale, kind.bytes);
  if (variance) asked = variance->asked(std::move(asked));
  Batches batches(batch_plan(plan), scale, std::move(asked));
  data::ModelCard card{.settings = settings, .notes = request.notes};
  DiffusionObjective objective(config, std::move(batches), parts, variance, [&] {
    const FieldParts own = field_parts(plan, kind, captions, 0, parts.device);
    auto model = std::make_shared<const DiffusionModel>(plan, card, kind, scale, own);
    return ModelCopy{seen ? seen(model) : model, &own.net->parameters()};
  });
  tell_start(request, settings.parts.at("network"), parts.net->parameters());
  Trained trained = train(objective, config, request, identity_of(request, settings));
  parts.net->parameters().values().copy_(trained.parameters);
  parts.net->end_training();
  card.rounds = trained.steps;
  card.history = std::move(trained.history);
  return std::make_shared<DiffusionModel>(plan, std::move(card), std::move(kind), scale, parts);
}

BatchPlan batch_plan(const DiffusionPlan& plan) {
  return {.path = plan.path,
          .times = plan.times,
          .prediction = plan.prediction,
          .loss_weight = plan.loss_weight,
          .coupling = plan.coupling,
          .drop_label = plan.config.drop_label,
          .flip = plan.config.flip,
          .pair_steps = plan.config.pair_steps};
}

namespace {

NetworkShape field_shape(const DiffusionPlan& plan, const SampleKind& kind,
                         const CaptionTokens* captions, std::uint64_t seed) {
  NetworkShape shape = network_shape(kind, *plan.path, seed);
  shape.classes = static_cast<std::int64_t>(kind.classes.size());
  if (captions != nullptr) {
    const TextEncoderConfig& text = plan.text->config();
    shape.context = text.width;
    shape.text = {captions->length(), captions->vocabulary(), text.layers, text.heads};
  }
  shape.outputs = plan.config.learned_variance ? 2 : 1;
  return shape;
}

FieldParts parts_around(std::shared_ptr<Net> net, const DiffusionPlan& plan,
                        const NetworkShape& shape, at::Device device,
                        std::shared_ptr<const CaptionTokens> captions) {
  return {.net = std::move(net),
          .path = plan.path,
          .prediction = plan.prediction,
          .shape = shape,
          .device = device,
          .unlabelled = plan.config.drop_label > 0.0,
          .captions = std::move(captions)};
}

}  // namespace

FieldParts field_parts(const DiffusionPlan& plan, const SampleKind& kind,
                       std::shared_ptr<const CaptionTokens> captions, std::uint64_t seed,
                       at::Device device) {
  const NetworkShape shape = field_shape(plan, kind, captions.get(), seed);
  return parts_around(make_net(*plan.network, shape, device), plan, shape, device,
                      std::move(captions));
}

FieldParts field_parts(const DiffusionPlan& plan, const SampleKind& kind,
                       const SafetensorsFile& file) {
  std::shared_ptr<const CaptionTokens> captions;
  if (kind.captions) captions = CaptionTokens::load(*plan.text, file);
  const NetworkShape shape = field_shape(plan, kind, captions.get(), 0);
  return parts_around(load_net(*plan.network, shape, file, "network."), plan, shape, at::kCPU,
                      std::move(captions));
}

}  // namespace gradatim::neural

extern "C" {

gradatim::neural::FitDiffusion gradatim_fit_diffusion;
gradatim::neural::LoadDiffusion gradatim_load_diffusion;

std::shared_ptr<const gradatim::data::Model> gradatim_fit_diffusion(
    const gradatim::neural::DiffusionPlan& plan, const gradatim::data::FitRequest& request,
    const gradatim::api::Settings& settings) {
  using namespace gradatim::neural;
  return translated([&]() -> std::shared_ptr<const gradatim::data::Model> {
    return fit_diffusion(plan, request, settings);
  });
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
