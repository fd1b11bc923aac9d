// A network as the field of a diffusion or a flow, trained by regression on its prediction:
//
//   min E_{data, noise, t} weight(t) |F(alpha x + sigma z, t, label) - target(x, z, t)|^2
//
// and, with learned variances, variance_weight times the bound on the likelihood, by the variances
// alone (diffusion/step_cost.h).
//
// The path decides between diffusion (linear, cosine, vp, ve, edm, ...) and flow matching
// (rectified); the prediction between noise, data, v, score and velocity. Neither restricts the
// solvers that sample from it later.
#include "gradatim/neural/model/diffusion.h"

#include "gradatim/api/export.h"
#include "gradatim/neural/library.h"

namespace gradatim::neural {
namespace {

class DiffusionTrainer final : public data::Trainer {
 public:
  using Interface = data::Trainer;
  DiffusionTrainer(const DiffusionConfig& config, std::span<const api::Made> parts)
      : plan_{config,
              std::static_pointer_cast<const Network>(parts[0]),
              std::static_pointer_cast<const process::Path>(parts[1]),
              std::static_pointer_cast<const process::Prediction>(parts[2]),
              std::static_pointer_cast<const process::LossWeight>(parts[3]),
              std::static_pointer_cast<const process::TimeDensity>(parts[4]),
              std::static_pointer_cast<const process::Coupling>(parts[5]),
              std::static_pointer_cast<const TextEncoder>(parts[6]),
              std::static_pointer_cast<const Training>(parts[7])} {}

  bool continues() const override { return true; }
  bool takes_device() const override { return true; }
  std::shared_ptr<const data::Model> fit(const data::FitRequest& request,
                                         const api::Settings& settings) const override {
    return neural_function<FitDiffusion>("gradatim_fit_diffusion")(plan_, request, settings);
  }
  std::shared_ptr<const data::Model> load(const SafetensorsFile& file,
                                          const data::ModelCard& card) const override {
    return neural_function<LoadDiffusion>("gradatim_load_diffusion")(plan_, file, card);
  }

 private:
  DiffusionPlan plan_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&DiffusionConfig::drop_label>(
        {.doc = "Share of samples that learn without their label, so that classifier-free guidance "
                "has what it leads away from.",
         .range = api::between(0.0, 1.0)}),
    api::setting<&DiffusionConfig::scaling>(
        {.doc = "How data become states: range maps the smallest and largest number to -1 and 1, "
                "standard gives every column mean 0 and deviation 1; automatic is range for images "
                "and standard for rows."}),
    api::setting<&DiffusionConfig::flip>(
        {.doc = "Whether half of the images are learned from mirrored, left to right."}),
    api::setting<&DiffusionConfig::pair_steps>(
        {.doc = "Steps whose batches are drawn and coupled together, as one larger batch.",
         .range = api::between(1, 1024)}),
    api::setting<&DiffusionConfig::learned_variance>(
        {.doc = "Whether the network also says the variance of the steps back, number by number, "
                "for the solver ddpm with variance = learned and for the bound vlb. Times are then "
                "those of the path's table, or of a thousand even steps."}),
    api::setting<&DiffusionConfig::variance_weight>(
        {.doc = "Weight of the bound on the likelihood, in bits a number and over all steps, that "
                "variances are learned by.",
         .range = api::above(0.0)}),
};

constexpr api::Part kParts[] = {
    {"network", "neural.network", "auto",
     "What computes the field; auto is a multilayer perceptron for rows, a U-Net for images."},
    {"path", "process.path", "process.path.rectified", "How data turn into noise."},
    {"prediction", "process.prediction", "process.prediction.velocity",
     "What the network learns to put out."},
    {"loss_weight", "process.loss_weight", "process.loss_weight.simple",
     "How much each noise level counts."},
    {"times", "process.time_density", "process.time_density.uniform",
     "Which times training draws."},
    {"coupling", "process.coupling", "process.coupling.independent",
     "Which noise of a batch goes with which sample."},
    {"text", "neural.text_encoder", "auto",
     "How captions are read, where samples have some; auto is a small transformer then."},
    {"training", "neural.training", "neural.training.adamw", "How parameters are found."},
};

constexpr api::Text kText = {
    .name = "neural.diffusion",
    .summary = "A diffusion or flow whose field is a network.",
    .detail =
        "Learns from images or rows of numbers, with labels, with captions, or without. Solver, "
        "steps and guidance "
        "are chosen when sampling. Saved is the moving average of the parameters. evaluate gives "
        "the "
        "loss of training on noise drawn anew and, with learned variances, vlb: an upper bound of "
        "-log2 p in bits a number, with its standard error vlb_error.",
    .source =
        "Ho, Jain and Abbeel (2020), Denoising diffusion probabilistic models; Song et al. (2021), "
        "Score-based generative modeling through stochastic differential equations; Lipman et al. "
        "(2023), Flow matching for generative modeling; Ho and Salimans (2022), Classifier-free "
        "diffusion guidance; Nichol and Dhariwal (2021), Improved denoising diffusion "
        "probabilistic "
        "models",
    .shape = "samples: [rows, dims] or [rows, channels, height, width]; labels: [rows]",
    .errors =
        "GRD-1146 variances of steps that are not a diffusion's; GRD-1160 torch is not installed; "
        "GRD-1161 the network does not suit the samples; "
        "GRD-4029 the loss is not finite",
    .tags = "samples captions field python:DiffusionModel",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_model_diffusion) =
    gradatim::api::component<gradatim::neural::DiffusionTrainer, gradatim::neural::DiffusionConfig>(
        gradatim::neural::kText, gradatim::neural::kSettings, gradatim::neural::kParts);
