// The StableDiffusion that computes (neural/stable_diffusion.h).
#include "gradatim/neural/stable_diffusion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "gradatim/core/error.h"
#include "gradatim/core/normal.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/size.h"
#include "gradatim/neural/stable/drawing.h"
#include "gradatim/neural/stable/images.h"
#include "gradatim/neural/stable/parts.h"

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
      : parts_(load_stable_parts(request)) {}

  const std::vector<std::string>& notes() const override { return parts_.notes; }
  std::int64_t height() const override { return parts_.shape.sample[1] * parts_.unit; }
  std::int64_t width() const override { return parts_.shape.sample[2] * parts_.unit; }
  std::int64_t held_bytes() const override { return 0; }

  Array draw(const DrawRequest& request) override {
    return computed([&] {
      Canvas canvas = canvas_of(parts_, request);
      canvas.text = told(request.prompt, request.states, *request.how);
      canvas.negative = told(request.negative, request.negative_states, *request.how);
      Drawing drawing(canvas);
      std::vector<Tensor> made;
      for (std::size_t place = 0; place < request.seeds.size(); ++place) {
        const Tensor latents = drawing.latents(place);
        made.push_back(request.keep_latents ? latents : decoded(parts_, latents, 0));
      }
      return array_of(at::cat(made));
    });
  }

  std::vector<std::int64_t> tokenize(const std::string& text) override {
    GRADATIM_CHECK(parts_.tokenizer != nullptr, ModelError, 3070, "{}", parts_.no_tokenizer);
    return parts_.tokenizer->encode(text,
                                    {.length = parts_.text->config().tokens, .allow_empty = true});
  }

  Array encode_prompt(const std::string& text, const Pipeline& how) override {
    return computed([&] { return array_of(states(text, how)); });
  }

  Array unet(const Array& latents, std::span<const double> timesteps,
             const Array& told_states) override {
    return computed([&] {
      check_dims(latents, 4, "latents");
      check_dims(told_states, 3, "states");
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
      check_dims(images, 4, "images");
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
      check_dims(latents, 4, "latents");
      const Tensor z = tensor_of(latents);
      std::vector<Tensor> made;
      for (std::int64_t row = 0; row < z.size(0); ++row) {
        made.push_back(decoded(parts_, z.narrow(0, row, 1), 0));
      }
      return array_of(at::cat(made));
    });
  }

 private:
  static void check_dims(const Array& x, std::int64_t dims, const char* what) {
    const bool whole = std::ssize(x.shape) == dims && !x.numbers.empty() &&
                       c10::multiply_integers(x.shape) == std::ssize(x.numbers);
    GRADATIM_CHECK(whole, UsageError, 1223, "{} have {} dimensions; these have the shape [{}]",
                   what, dims, fmt::join(x.shape, ", "));
  }

  static Tensor noise_like(const Tensor& x, std::uint64_t seed, std::int64_t row) {
    std::vector<double> numbers(to_size(x.numel()));
    normals(Philox(seed, Stream::posterior, static_cast<std::uint32_t>(row)), 0, numbers);
    return at::tensor(at::ArrayRef<double>(numbers)).to(at::kFloat).view_as(x);
  }

  Tensor states(const std::string& text, const Pipeline& how) {
    const auto ids = tokenize(text);
    const Tensor rows = at::tensor(at::ArrayRef<std::int64_t>(ids), at::kLong).view({1, -1});
    return (*parts_.text)(rows, how.config.clip_skip);
  }

  std::shared_ptr<const TextStates> told(const std::string& text, const Array& given,
                                         const Pipeline& how) {
    if (given.shape.empty()) return std::make_shared<TextStates>(states(text, how));
    check_dims(given, 3, "states of a text");
    return std::make_shared<TextStates>(tensor_of(given));
  }

  StableParts parts_;
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
