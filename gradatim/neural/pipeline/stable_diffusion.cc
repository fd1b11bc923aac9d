// Stable Diffusion: a U-Net draws latents, step by step, as a text asks, and an autoencoder makes
// images of them. Rombach, Blattmann, Lorenz, Esser and Ommer (2022).
//
//   latents ~ N(0, 1);  F = F(x, t, negative) + w (F(x, t, prompt) - F(x, t, negative)), a step
#include "gradatim/neural/stable_diffusion.h"

#include "gradatim/api/export.h"
#include "gradatim/neural/library.h"

namespace gradatim::neural {

Pipeline::Pipeline(const PipelineConfig& given, std::span<const api::Made> parts)
    : config(given),
      solver(std::static_pointer_cast<const process::Solver>(parts[0])),
      grid(std::static_pointer_cast<const process::Grid>(parts[1])),
      noise(std::static_pointer_cast<const process::Noise>(parts[2])) {}

std::unique_ptr<StableDiffusion> open_stable_diffusion(const CheckpointRequest& request) {
  return std::unique_ptr<StableDiffusion>(
      neural_function<OpenStableDiffusion>("gradatim_open_stable_diffusion")(request));
}

namespace {

constexpr api::Setting kSettings[] = {
    api::setting<&PipelineConfig::steps>({.doc = "Steps from noise to an image.",
                                          .range = api::between(1, 100000),
                                          .alias = "num_inference_steps"}),
    api::setting<&PipelineConfig::guidance_weight>(
        {.doc = "How far the prompt is stressed against the negative one; 1 asks for the prompt "
                "alone, at half the cost.",
         .range = api::at_least(0.0),
         .alias = "guidance_scale"}),
    api::setting<&PipelineConfig::guidance_rescale>(
        {.doc = "How far what guidance says is scaled back to the deviation that it has without.",
         .range = api::between(0.0, 1.0)}),
    api::setting<&PipelineConfig::guidance_low>(
        {.doc = "The least noise-to-signal ratio that is guided; below, the prompt is asked for "
                "alone.",
         .range = api::at_least(0.0)}),
    api::setting<&PipelineConfig::guidance_high>(
        {.doc = "The largest noise-to-signal ratio that is guided; 0 is all of them.",
         .range = api::at_least(0.0)}),
    api::setting<&PipelineConfig::eta>(
        {.doc = "Of schedulers such as DDIM: 0 is deterministic, 1 draws as much noise as DDPM.",
         .range = api::between(0.0, 1.0)}),
    api::setting<&PipelineConfig::strength>(
        {.doc = "Of an image to start from: the share of the steps that are made, 1 for all of "
                "them.",
         .range = api::between(0.0, 1.0)}),
    api::setting<&PipelineConfig::height>(
        {.doc = "Of images; 0 is the checkpoint's, or that of an image to start from.",
         .range = api::between(0, 65536),
         .unit = "pixels"}),
    api::setting<&PipelineConfig::width>(
        {.doc = "As the height.", .range = api::between(0, 65536), .unit = "pixels"}),
    api::setting<&PipelineConfig::clip_skip>(
        {.doc = "Layers of the text encoder that are left out at its end.",
         .range = api::between(0, 96)}),
    api::setting<&PipelineConfig::weighted>(
        {.doc = "Whether brackets of a prompt are weights: (word) 1.1, [word] 1 / 1.1, (word:1.3); "
                "else they are words."}),
    api::setting<&PipelineConfig::truncate>(
        {.doc = "Whether a prompt is cut behind what the text encoder reads at once; else it is "
                "read in chunks."}),
};

constexpr api::Part kParts[] = {
    {"solver", "process.solver", "auto",
     "How a step is made; auto is the checkpoint's own scheduler, as diffusers has it."},
    {"grid", "process.grid", "process.grid.trailing", "Of a solver: the times that it stops at."},
    {"noise", "process.noise", "process.noise.philox",
     "Where random numbers come from; torch_cpu draws what diffusers does."},
};

constexpr api::Text kText = {
    .name = "neural.stable_diffusion",
    .summary = "Images by texts, of a checkpoint of Stable Diffusion 1 or 2.",
    .detail =
        "But for rounding, image k is a function of the checkpoint, the settings and its own seed: "
        "it does not "
        "depend on how many are drawn.",
    .source =
        "Rombach, Blattmann, Lorenz, Esser and Ommer (2022), High-resolution image synthesis "
        "with latent diffusion models",
    .shape = "a text -> [images, 3, height, width] in [0, 1]",
    .errors =
        "GRD-1217 to GRD-1218 the prompt; GRD-1223 what the checkpoint cannot draw; GRD-1224 "
        "an image or a mask; GRD-1225 memory",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_pipeline_stable_diffusion) =
    gradatim::api::component<gradatim::neural::Pipeline, gradatim::neural::PipelineConfig>(
        gradatim::neural::kText, gradatim::neural::kSettings, gradatim::neural::kParts);
