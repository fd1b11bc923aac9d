// StableDiffusion: a checkpoint that draws images by texts: a tokenizer, a text encoder, a U-Net of
// latents and an autoencoder, from a folder of diffusers or a single file.
//
//  1. open_stable_diffusion() reads the configuration and maps the weights.
//  2. draw() takes a prompt to images: from noise, from an image, or within a mask. How is said by
//     settings of neural.stable_diffusion.
//  3. Each stage can be called by itself: tokenize(), encode_prompt(), unet(), encode(), decode().
//
// Needs no torch to be named; what computes is in libgradatim_neural. One call at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradatim/api/settings.h"
#include "gradatim/core/observer.h"
#include "gradatim/process/grid.h"
#include "gradatim/process/noise.h"
#include "gradatim/process/solver.h"

namespace gradatim::neural {

/// How a checkpoint is opened.
struct CheckpointRequest {
  std::string path;        // a folder of diffusers, or a file
  std::string tokenizer;   // a tokenizer's folder or merges instead of its own, or empty
  std::string scheduler;   // a scheduler_config.json instead of its own, or empty
  std::string prediction;  // of a single file: epsilon or v_prediction; empty: as usual
  std::vector<std::pair<std::string, double>> loras;  // files and their weights
  // Files of textual inversion and the words that prompts call them by; empty: the files' own.
  std::vector<std::pair<std::string, std::string>> embeddings;
  bool eight_bit = false;   // whether the U-Net's weights are held in 8 bits
  std::int64_t memory = 0;  // bytes that may be used; 0: all
  // A file of weights as this machine multiplies them: written by the first drawing, and mapped by
  // later openings, which then need not pack them. Empty: none.
  std::string prepared;
};

/// Numbers of a shape, row-major.
struct Array {
  std::vector<std::int64_t> shape;
  std::vector<float> numbers;
};

struct PipelineConfig {
  int steps = 50;
  double guidance_weight = 7.5;
  double guidance_rescale = 0.0;
  double guidance_low = 0.0;
  double guidance_high = 0.0;  // 0: without bound
  double eta = 0.0;
  double strength = 0.8;
  int height = 0;
  int width = 0;
  int clip_skip = 0;
  bool weighted = false;
  bool truncate = false;
};

/// Settings of neural.stable_diffusion.
class Pipeline {
 public:
  using Interface = Pipeline;
  static constexpr std::string_view kKind = "neural.pipeline";
  Pipeline(const PipelineConfig& config, std::span<const api::Made> parts);

  PipelineConfig config;
  // Without a solver the checkpoint's own scheduler steps, as diffusers has it.
  std::shared_ptr<const process::Solver> solver;
  std::shared_ptr<const process::Grid> grid;
  std::shared_ptr<const process::Noise> noise;
};

struct DrawRequest {
  std::string prompt, negative;
  Array states, negative_states;     // [1, tokens, width]: of texts, instead of them; or empty
  std::vector<std::uint64_t> seeds;  // one an image
  std::shared_ptr<const Pipeline> how;
  std::string scheduler;      // a configuration (JSON) of diffusers for this call, or empty
  Array latents;              // [images, channels, height, width], normal noise; or empty
  Array image;                // [3, height, width] in [0, 1]: to start from; or empty
  Array mask;                 // [height, width] in [0, 1]: 1 is drawn anew; or empty
  bool keep_latents = false;  // instead of images
  Observer* observer = nullptr;
  /// Takes each image [1, 3, height, width], or its latents, once it is there; then nothing is kept
  /// of it, and draw() gives nothing back.
  std::function<void(std::size_t place, const Array& image)> on_image;
  /// Called between steps with the latents of the image at hand.
  std::function<void(std::int64_t step, std::int64_t steps, const Array& latents)> on_latents;
};

class StableDiffusion {
 public:
  virtual ~StableDiffusion() = default;

  /// What the checkpoint is, in a line each: its layout, its networks and what was taken for
  /// granted.
  virtual const std::vector<std::string>& notes() const = 0;
  /// Of images without a size of their own.
  virtual std::int64_t height() const = 0;
  virtual std::int64_t width() const = 0;
  /// Bytes of weights that are held in memory by now.
  virtual std::int64_t held_bytes() const = 0;
  /// Bytes of prepared weights that the last draw() wrote, 0 where the file had all.
  virtual std::int64_t prepared_bytes() const = 0;

  /// [images, 3, height, width] in [0, 1], or latents. UsageError GRD-1223 for what the checkpoint
  /// cannot draw, GRD-1224 for an image or a mask that does not suit, GRD-1225 where memory is too
  /// small, with what is needed; GRD-1217 to GRD-1218 of the prompt.
  virtual Array draw(const DrawRequest& request) = 0;

  /// [1, tokens].
  virtual std::vector<std::int64_t> tokenize(const std::string& text) = 0;
  /// [1, tokens, width].
  virtual Array encode_prompt(const std::string& text, const Pipeline& how) = 0;
  /// What the U-Net says of latents [rows, channels, height, width] at timesteps [1 or rows], told
  /// states [texts, tokens, width], each those of rows / texts rows.
  virtual Array unet(const Array& latents, std::span<const double> timesteps,
                     const Array& states) = 0;
  /// Latents [images, channels, ...] of images [images, 3, ...] in [0, 1]: drawn by the seed, or
  /// their mean.
  virtual Array encode(const Array& images, std::optional<std::uint64_t> seed) = 0;
  /// [images, 3, ...] in [0, 1].
  virtual Array decode(const Array& latents) = 0;
};

/// ModelError GRD-3062 to GRD-3082 of the checkpoint, GRD-3001 and GRD-3081 of prepared weights;
/// UsageError GRD-1160 without torch.
std::unique_ptr<StableDiffusion> open_stable_diffusion(const CheckpointRequest& request);
/// gradatim_open_stable_diffusion of libgradatim_neural; the caller owns the result.
using OpenStableDiffusion = StableDiffusion*(const CheckpointRequest& request);

}  // namespace gradatim::neural
