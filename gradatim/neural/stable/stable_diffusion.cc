// The StableDiffusion that computes (neural/stable_diffusion.h).
#include "gradatim/neural/stable_diffusion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "gradatim/core/error.h"
#include "gradatim/core/normal.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/nn/memory.h"
#include "gradatim/neural/size.h"
#include "gradatim/neural/stable/drawing.h"
#include "gradatim/neural/stable/images.h"
#include "gradatim/neural/stable/parts.h"
#include "gradatim/neural/stable/prepared.h"
#include "gradatim/neural/text/prompt.h"
#include "gradatim/neural/text/weighted_states.h"

namespace gradatim::neural {
namespace {

// What torch's threads are worth: everything here is large.
constexpr double kManyOperations = 1e12;

// Without gradients, with all threads, and torch's errors in a line.
template <class F>
auto computed(const F& f) {
  return translated([&] {
    const at::NoGradGuard plain;
    const TorchThreads threads(kManyOperations);
    return f();
  });
}

class OpenedCheckpoint final : public StableDiffusion {
 public:
  explicit OpenedCheckpoint(const CheckpointRequest& request)
      : parts_(load_stable_parts(request)), memory_(request.memory) {}

  const std::vector<std::string>& notes() const override { return parts_.notes; }
  std::int64_t height() const override { return parts_.shape.sample[1] * parts_.unit; }
  std::int64_t width() const override { return parts_.shape.sample[2] * parts_.unit; }
  std::int64_t held_bytes() const override {
    return parts_.unet->parameters().held_bytes() + parts_.autoencoder_parameters->held_bytes() +
           parts_.text_parameters->held_bytes();
  }

  std::int64_t prepared_bytes() const override { return prepared_bytes_; }

  Array draw(const DrawRequest& request) override {
    return computed([&] {
      Canvas canvas = canvas_of(parts_, request);
      canvas.memory =
          plan_memory(parts_, canvas.height, canvas.width, !request.image.shape.empty(), memory_);
      tell(request, canvas);
      Drawing drawing(canvas);
      std::vector<Tensor> made;
      for (std::size_t place = 0; place < request.seeds.size(); ++place) {
        const Tensor latents = drawing.latents(place);
        // The U-Net's temporaries are of no use to the decoder, nor its own to the U-Net.
        release_pooled_memory();
        Tensor image =
            request.keep_latents ? latents : decoded(parts_, latents, canvas.memory.tile);
        release_pooled_memory();
        if (request.on_image) {
          request.on_image(place, array_of(image));
        } else {
          made.push_back(std::move(image));
        }
      }
      keep_prepared(request.observer);
      return made.empty() ? Array{} : array_of(at::cat(made));
    });
  }

  std::vector<std::int64_t> tokenize(const std::string& text) override {
    check_tokenizer();
    return parts_.tokenizer->encode(text,
                                    {.length = parts_.text->config().tokens, .allow_empty = true});
  }

  Array encode_prompt(const std::string& text, const Pipeline& how) override {
    return computed(
        [&] { return array_of(states_of(tokens_of(text, how), how.config.clip_skip)); });
  }

  Array unet(const Array& latents, std::span<const double> timesteps,
             const Array& told_states) override {
    return computed([&] {
      check_latents(latents, parts_.shape.sample[0] + parts_.shape.beside);
      check_array(told_states, 3, "states");
      const Tensor x = tensor_of(latents);
      Tensor t =
          at::tensor(at::ArrayRef<double>(timesteps.data(), timesteps.size())).to(at::kFloat);
      if (t.size(0) == 1) t = t.expand({x.size(0)}).contiguous();
      GRADATIM_CHECK(t.size(0) == x.size(0), UsageError, 1223,
                     "{} timesteps do not suit {} latents; give one, or one each", timesteps.size(),
                     x.size(0));
      NetInput input{x, t, {}};
      input.context = tensor_of(told_states);
      return array_of(parts_.unet->forward(input));
    });
  }

  Array encode(const Array& images, std::optional<std::uint64_t> seed) override {
    return computed([&] {
      check_array(images, 4, "images");
      GRADATIM_CHECK(std::min(images.shape[2], images.shape[3]) >= parts_.unit, UsageError, 1224,
                     "an image of {} x {} pixels is smaller than a latent, {} pixels a side",
                     images.shape[3], images.shape[2], parts_.unit);
      const std::int64_t height = images.shape[2] / parts_.unit * parts_.unit;
      const std::int64_t width = images.shape[3] / parts_.unit * parts_.unit;
      const auto size = to_size(c10::multiply_integers(images.shape) / images.shape[0]);
      std::vector<Tensor> made;
      for (std::int64_t row = 0; row < images.shape[0]; ++row) {
        const auto first = images.numbers.begin() + row * static_cast<std::ptrdiff_t>(size);
        const Array one{{images.shape.begin() + 1, images.shape.end()},
                        {first, first + static_cast<std::ptrdiff_t>(size)}};
        const Posterior found = encoded(parts_, pixels_of(one, height, width));
        const Tensor z = seed ? found.draw(noise_like(found.mean, *seed, row)) : found.mean;
        made.push_back(z * parts_.factor);
      }
      return array_of(at::cat(made));
    });
  }

  Array decode(const Array& latents) override {
    return computed([&] {
      check_latents(latents, parts_.shape.sample[0]);
      const Tensor z = tensor_of(latents);
      const MemoryPlan plan =
          plan_memory(parts_, z.size(2) * parts_.unit, z.size(3) * parts_.unit, false, memory_);
      std::vector<Tensor> made;
      for (std::int64_t row = 0; row < z.size(0); ++row) {
        made.push_back(decoded(parts_, z.narrow(0, row, 1), plan.tile));
      }
      return array_of(at::cat(made));
    });
  }

 private:
  // What is drawn is there by now, and shall not be lost because a disk is full.
  void keep_prepared(Observer* observer) {
    prepared_bytes_ = 0;
    try {
      prepared_bytes_ = write_what_was_prepared(parts_);
    } catch (const std::exception& error) {
      if (observer != nullptr) {
        observer->on_warning(fmt::format("prepared weights were not kept: {}", error.what()));
      }
    }
  }

  void check_latents(const Array& x, std::int64_t channels) const {
    check_array(x, 4, "latents");
    GRADATIM_CHECK(x.shape[1] == channels, UsageError, 1223,
                   "latents have {} channels; these have {}", channels, x.shape[1]);
  }

  static void check_array(const Array& x, std::int64_t dims, const char* what) {
    const bool whole = std::ssize(x.shape) == dims && !x.numbers.empty() &&
                       c10::multiply_integers(x.shape) == std::ssize(x.numbers);
    GRADATIM_CHECK(whole, UsageError, 1223, "{} have {} dimensions; these have the shape [{}]",
                   what, dims, fmt::join(x.shape, ", "));
    GRADATIM_CHECK(at::isfinite(tensor_of(x)).all().item<bool>(), UsageError, 1223,
                   "{} hold NaN or infinity", what);
  }

  static Tensor noise_like(const Tensor& x, std::uint64_t seed, std::int64_t row) {
    std::vector<double> numbers(to_size(x.numel()));
    normals(Philox(seed, Stream::posterior, static_cast<std::uint32_t>(row)), 0, numbers);
    return at::tensor(at::ArrayRef<double>(numbers)).to(at::kFloat).view_as(x);
  }

  PromptTokens tokens_of(const std::string& text, const Pipeline& how) const {
    check_tokenizer();
    return prompt_tokens(*parts_.tokenizer, text,
                         {.length = parts_.text->config().tokens,
                          .weighted = how.config.weighted,
                          .truncate = how.config.truncate});
  }

  Tensor states_of(const PromptTokens& prompt, std::int64_t skip) const {
    return prompt_states((*parts_.text)(prompt_ids(prompt), skip), prompt);
  }

  // A prompt, or what leads away from it: a text, or states that stand for one.
  struct Side {
    const char* name;
    const std::string& text;
    const Array& given;
    std::int64_t skip;  // layers of the text network
    PromptTokens tokens = {};
  };

  // How many chunks a side has; a text is cut into them.
  std::int64_t chunks_of(Side& side, const DrawRequest& request) const {
    const std::int64_t length = parts_.text->config().tokens;
    if (!side.given.shape.empty()) {
      check_array(side.given, 3, "states of a text");
      return side.given.shape[1] / length;
    }
    side.tokens = tokens_of(side.text, *request.how);
    if (request.observer != nullptr && !side.tokens.cut.empty()) {
      request.observer->on_warning(fmt::format("the {} is cut behind {} tokens, and lost '{}'",
                                               side.name, length, side.tokens.cut));
    }
    return side.tokens.chunks;
  }

  std::shared_ptr<const TextStates> states_of(Side& side, std::int64_t chunks) const {
    if (!side.given.shape.empty()) return std::make_shared<TextStates>(tensor_of(side.given));
    pad_chunks(side.tokens, chunks, *parts_.tokenizer);
    return std::make_shared<TextStates>(states_of(side.tokens, side.skip));
  }

  // Both sides, of as many chunks; without guidance the prompt alone.
  void tell(const DrawRequest& request, Canvas& canvas) const {
    const PipelineConfig& how = request.how->config;
    Side prompt{"prompt", request.prompt, request.states, how.clip_skip};
    // Read by all layers, as diffusers has it.
    Side negative{"negative prompt", request.negative, request.negative_states, 0};
    std::int64_t chunks = chunks_of(prompt, request);
    const bool guided = how.guidance_weight != 1.0;
    if (guided) chunks = std::max(chunks, chunks_of(negative, request));
    canvas.text = states_of(prompt, chunks);
    canvas.negative = guided ? states_of(negative, chunks) : canvas.text;
    const auto shape = canvas.text->states().sizes(), other = canvas.negative->states().sizes();
    GRADATIM_CHECK(shape == other && shape[0] == 1, UsageError, 1223,
                   "the states of a prompt have shape [{}] and those of the negative one [{}]; "
                   "they must be alike, of one text",
                   fmt::join(shape, ", "), fmt::join(other, ", "));
  }

  void check_tokenizer() const {
    GRADATIM_CHECK(parts_.tokenizer != nullptr, ModelError, 3072,
                   "{}; name the folder of one, or the file bpe_simple_vocab_16e6.txt.gz, by "
                   "tokenizer",
                   parts_.no_tokenizer);
  }

  StableParts parts_;
  std::int64_t memory_;  // that may be used; 0: all
  std::int64_t prepared_bytes_ = 0;
};

}  // namespace
}  // namespace gradatim::neural

extern "C" {

gradatim::neural::OpenStableDiffusion gradatim_open_stable_diffusion;

gradatim::neural::StableDiffusion* gradatim_open_stable_diffusion(
    const gradatim::neural::CheckpointRequest& request) {
  using namespace gradatim::neural;
  return translated([&] { return new OpenedCheckpoint(request); });
}
}
