// Fits neural.latent_diffusion: the autoencoder, latents of all samples, the diffusion of these.
#include <fmt/format.h>

#include "gradatim/core/error.h"
#include "gradatim/neural/diffusion/diffusion_fit.h"
#include "gradatim/neural/latent/latent_diffusion_model.h"
#include "gradatim/neural/model/latent_diffusion.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/train/stage.h"

namespace gradatim::neural {
namespace {

constexpr const char* kAutoencoderStage = "autoencoder";

void check_latent_request(const data::FitRequest& request) {
  GRADATIM_CHECK(request.samples != nullptr, UsageError, 1010,
                 "neural.latent_diffusion learns from samples; give it some");
  GRADATIM_CHECK(request.source == nullptr, UsageError, 1036,
                 "neural.latent_diffusion starts from normal latents; leave out the source");
}

// The diffusion's own settings: the same but for the autoencoder.
api::Settings diffusion_settings(const api::Settings& settings) {
  api::Settings own{
      .component = "neural.diffusion", .values = settings.values, .parts = settings.parts};
  own.parts.erase(kAutoencoderStage);
  own.values["scaling"] = std::string("none");
  return api::complete(own);
}

// A step of the autoencoder on a few samples tells the shape of its latents: whether the diffusion
// suits them is then known before the autoencoder learns for long.
void check_suits_latents(const LatentDiffusionPlan& plan, const data::FitRequest& request,
                         const api::Settings& settings) {
  constexpr std::int64_t kFew = 8;
  const data::Samples& all = *request.samples;
  auto few = std::make_shared<data::Samples>(all);
  few->count = std::min(kFew, all.count);
  const auto numbers = static_cast<std::size_t>(few->count * all.size());
  if (!all.bytes.empty()) few->bytes.resize(numbers);
  if (!all.numbers.empty()) few->numbers.resize(numbers);
  for (auto* each : {&few->labels, &few->captioned}) {
    if (!each->empty()) each->resize(static_cast<std::size_t>(few->count));
  }
  api::Settings quick = settings.parts.at(kAutoencoderStage);
  quick.parts["training"].values["steps"] = std::int64_t{1};
  quick.parts["training"].values["batch_size"] = std::int64_t{1};
  quick.parts["training"].values["accumulate"] = std::int64_t{1};
  const auto model =
      api::build_as<data::Trainer>(quick)->fit({.seed = request.seed, .samples = few}, quick);
  data::FitRequest of_latents = request;
  of_latents.samples = std::make_shared<data::Samples>(latent_samples(latents_of(*model), *few));
  check_diffusion(plan.diffusion, of_latents, diffusion_settings(settings));
}

std::shared_ptr<const data::Model> learned_autoencoder(const LatentDiffusionPlan& plan,
                                                       const data::FitRequest& request,
                                                       const api::Settings& settings) {
  if (request.autoencoder != nullptr) return request.autoencoder;
  const api::Settings& own = settings.parts.at(kAutoencoderStage);
  check_has_latents(own.component);
  check_goes_on(request, own);
  check_suits_latents(plan, request, settings);
  return plan.autoencoder->fit(request_of_stage(request, kAutoencoderStage), own);
}

std::shared_ptr<const data::Model> fit_latent(const LatentDiffusionPlan& plan,
                                              const data::FitRequest& request,
                                              api::Settings settings) {
  check_latent_request(request);
  const auto autoencoder = learned_autoencoder(plan, request, settings);
  const process::LatentCoder& coder = latents_of(*autoencoder);
  settings.parts[kAutoencoderStage] = autoencoder->card().settings;
  data::ModelCard card{.settings = settings, .notes = request.notes};
  data::FitRequest of_latents = request;
  of_latents.samples = std::make_shared<data::Samples>(latent_samples(coder, *request.samples));
  const auto diffusion =
      fit_diffusion(plan.diffusion, of_latents, diffusion_settings(settings),
                    [&](std::shared_ptr<const DiffusionModel> model) {
                      return std::make_shared<LatentDiffusionModel>(card, autoencoder, model);
                    });
  card.rounds = diffusion->card().rounds;
  card.history = diffusion->card().history;
  add_history(kAutoencoderStage, autoencoder->card().history, card);
  for (const auto& [name, part] : diffusion->card().settings.parts) {
    card.settings.parts[name] = part;  // those that were left to the samples, too
  }
  return std::make_shared<LatentDiffusionModel>(card, autoencoder, diffusion);
}

}  // namespace
}  // namespace gradatim::neural

extern "C" {

gradatim::neural::FitLatentDiffusion gradatim_fit_latent_diffusion;
gradatim::neural::LoadLatentDiffusion gradatim_load_latent_diffusion;

std::shared_ptr<const gradatim::data::Model> gradatim_fit_latent_diffusion(
    const gradatim::neural::LatentDiffusionPlan& plan, const gradatim::data::FitRequest& request,
    const gradatim::api::Settings& settings) {
  using namespace gradatim::neural;
  return translated([&] { return fit_latent(plan, request, settings); });
}

std::shared_ptr<const gradatim::data::Model> gradatim_load_latent_diffusion(
    const gradatim::SafetensorsFile& file, const gradatim::data::ModelCard& card) {
  using namespace gradatim::neural;
  return translated([&]() -> std::shared_ptr<const gradatim::data::Model> {
    return LatentDiffusionModel::load(file, card);
  });
}
}
