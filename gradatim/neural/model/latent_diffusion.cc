// A diffusion of latents: an autoencoder takes samples to smaller latents, of which a diffusion
// learns the distribution; its samples are decoded.
#include "gradatim/neural/model/latent_diffusion.h"

#include "gradatim/api/export.h"
#include "gradatim/neural/library.h"

namespace gradatim::neural {
namespace {

using Config = LatentDiffusionConfig;

DiffusionPlan diffusion_of(const Config& config, std::span<const api::Made> parts) {
  // Latents are about as large as the noise already.
  return {{.drop_label = config.drop_label,
           .scaling = Scaling::none,
           .pair_steps = config.pair_steps,
           .learned_variance = config.learned_variance,
           .variance_weight = config.variance_weight},
          std::static_pointer_cast<const Network>(parts[1]),
          std::static_pointer_cast<const process::Path>(parts[2]),
          std::static_pointer_cast<const process::Prediction>(parts[3]),
          std::static_pointer_cast<const process::LossWeight>(parts[4]),
          std::static_pointer_cast<const process::TimeDensity>(parts[5]),
          std::static_pointer_cast<const process::Coupling>(parts[6]),
          std::static_pointer_cast<const TextEncoder>(parts[7]),
          std::static_pointer_cast<const Training>(parts[8])};
}

class LatentDiffusionTrainer final : public data::Trainer {
 public:
  using Interface = data::Trainer;
  LatentDiffusionTrainer(const Config& config, std::span<const api::Made> parts)
      : plan_{std::static_pointer_cast<const data::Trainer>(parts[0]),
              diffusion_of(config, parts)} {}

  bool continues() const override { return true; }
  bool takes_device() const override { return true; }
  std::shared_ptr<const data::Model> fit(const data::FitRequest& request,
                                         const api::Settings& settings) const override {
    return neural_function<FitLatentDiffusion>("gradatim_fit_latent_diffusion")(plan_, request,
                                                                                settings);
  }
  std::shared_ptr<const data::Model> load(const SafetensorsFile& file,
                                          const data::ModelCard& card) const override {
    return neural_function<LoadLatentDiffusion>("gradatim_load_latent_diffusion")(file, card);
  }

 private:
  LatentDiffusionPlan plan_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&Config::drop_label>(
        {.doc = "Share of samples that learn without their label or caption, so that "
                "classifier-free guidance has what it leads away from.",
         .range = api::between(0.0, 1.0)}),
    api::setting<&Config::pair_steps>(
        {.doc = "Steps whose batches are drawn and coupled together, as one larger batch.",
         .range = api::between(1, 1024)}),
    api::setting<&Config::learned_variance>(
        {.doc = "Whether the network also says the variance of the steps back."}),
    api::setting<&Config::variance_weight>(
        {.doc = "Weight of the bound that variances are learned by.", .range = api::above(0.0)}),
};

constexpr api::Part kParts[] = {
    {"autoencoder", "model", "neural.kl_autoencoder",
     "What takes samples to latents and back, with a training of its own; it learns first, unless "
     "a fit is given one that has learned."},
    {"network", "neural.network", "auto",
     "What computes the field of latents; auto is a U-Net, or a multilayer perceptron for rows."},
    {"path", "process.path", "process.path.rectified", "How latents turn into noise."},
    {"prediction", "process.prediction", "process.prediction.velocity",
     "What the network learns to put out."},
    {"loss_weight", "process.loss_weight", "process.loss_weight.simple",
     "How much each noise level counts."},
    {"times", "process.time_density", "process.time_density.uniform",
     "Which times training draws."},
    {"coupling", "process.coupling", "process.coupling.independent",
     "Which noise of a batch goes with which latent."},
    {"text", "neural.text_encoder", "auto",
     "How captions are read, where samples have some; auto is a small transformer then."},
    {"training", "neural.training", "neural.training.adamw",
     "How the diffusion's parameters are found."},
};

constexpr api::Text kText = {
    .name = "neural.latent_diffusion",
    .summary = "A diffusion of an autoencoder's latents, asked by labels or by texts.",
    .detail =
        "The autoencoder learns first, then latents of all samples are made once, and the "
        "diffusion learns these: steps alone means the diffusion's, autoencoder.training.steps the "
        "autoencoder's. Solver, steps and guidance are chosen when sampling. One model "
        "file holds both. evaluate gives the diffusion's loss on latents and, as "
        "autoencoder_error, the mean squared error of samples behind encoder and decoder, in the "
        "data's units: no sample can be truer than that.",
    .source = "Rombach et al. (2022), High-resolution image synthesis with latent diffusion models",
    .shape = "samples: [rows, dims] or [rows, channels, height, width]; labels: [rows]",
    .errors =
        "GRD-1160 torch is not installed; GRD-1161 the network does not suit the latents; GRD-1206 "
        "its samples have no density; GRD-1210 the autoencoder has no latents; GRD-4029 the loss "
        "is not finite",
    .tags = "samples captions latents python:LatentDiffusion",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_model_latent_diffusion) =
    gradatim::api::component<gradatim::neural::LatentDiffusionTrainer,
                             gradatim::neural::LatentDiffusionConfig>(gradatim::neural::kText,
                                                                      gradatim::neural::kSettings,
                                                                      gradatim::neural::kParts);
