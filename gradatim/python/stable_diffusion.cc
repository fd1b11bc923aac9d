// Checkpoints of Stable Diffusion.
#include "gradatim/neural/stable_diffusion.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "gradatim/core/byte_size.h"
#include "gradatim/python/arrays.h"
#include "gradatim/python/module.h"

namespace nb = nanobind;

namespace gradatim::python {
namespace {

using neural::Array;
using neural::StableDiffusion;
using Floats = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;
using Given = std::optional<Floats>;

Array array_from(const Floats& numbers) {
  Array made;
  for (std::size_t k = 0; k < numbers.ndim(); ++k) {
    made.shape.push_back(static_cast<std::int64_t>(numbers.shape(k)));
  }
  made.numbers.assign(numbers.data(), numbers.data() + numbers.size());
  return made;
}

Array array_from(const Given& numbers) { return numbers ? array_from(*numbers) : Array{}; }

nb::object to_python(Array array) {
  return array_of(std::move(array.numbers), {array.shape.begin(), array.shape.end()});
}

std::shared_ptr<const neural::Pipeline> pipeline_of(const std::string& settings) {
  return api::build_as<neural::Pipeline>(api::complete(api::settings_from_json(settings)));
}

struct Opened {
  std::shared_ptr<StableDiffusion> checkpoint;
};

Opened open(const std::string& path, const std::string& tokenizer, const std::string& scheduler,
            const std::string& prediction, std::vector<std::pair<std::string, double>> loras,
            std::vector<std::pair<std::string, std::string>> embeddings, bool eight_bit,
            std::int64_t memory, const std::string& prepared) {
  return unlocked(0, [&] {
    return Opened{neural::open_stable_diffusion({.path = path,
                                                 .tokenizer = tokenizer,
                                                 .scheduler = scheduler,
                                                 .prediction = prediction,
                                                 .loras = std::move(loras),
                                                 .embeddings = std::move(embeddings),
                                                 .eight_bit = eight_bit,
                                                 .memory = memory,
                                                 .prepared = prepared})};
  });
}

nb::object draw(const Opened& self, const std::string& settings, const std::string& prompt,
                const std::string& negative, const Given& states, const Given& negative_states,
                std::vector<std::uint64_t> seeds, const std::string& scheduler,
                const Given& latents, const Given& image, const Given& mask, bool keep_latents,
                nb::handle on_step, nb::handle on_latents, nb::handle on_warning, int threads) {
  StepObserver observer(on_step, on_warning);
  neural::DrawRequest request{.prompt = prompt,
                              .negative = negative,
                              .states = array_from(states),
                              .negative_states = array_from(negative_states),
                              .seeds = std::move(seeds),
                              .how = pipeline_of(settings),
                              .scheduler = scheduler,
                              .latents = array_from(latents),
                              .image = array_from(image),
                              .mask = array_from(mask),
                              .keep_latents = keep_latents,
                              .observer = &observer};
  if (!on_latents.is_none()) {
    request.on_latents = [&](std::int64_t step, std::int64_t steps, const Array& now) {
      const nb::gil_scoped_acquire inner;
      on_latents(step, steps, to_python(now));
    };
  }
  return to_python(unlocked(threads, [&] { return self.checkpoint->draw(request); }));
}

}  // namespace

void bind_stable_diffusion(nb::module_& module) {
  nb::class_<Opened>(module, "StableDiffusion", "A checkpoint that was opened.")
      .def_prop_ro("notes", [](const Opened& self) { return self.checkpoint->notes(); })
      .def_prop_ro("height", [](const Opened& self) { return self.checkpoint->height(); })
      .def_prop_ro("width", [](const Opened& self) { return self.checkpoint->width(); })
      .def_prop_ro("held_bytes", [](const Opened& self) { return self.checkpoint->held_bytes(); })
      .def("draw", &draw, nb::arg("settings"), nb::arg("prompt"), nb::arg("negative"),
           nb::arg("states").none(), nb::arg("negative_states").none(), nb::arg("seeds"),
           nb::arg("scheduler"), nb::arg("latents").none(), nb::arg("image").none(),
           nb::arg("mask").none(), nb::arg("keep_latents"), nb::arg("on_step").none(),
           nb::arg("on_latents").none(), nb::arg("on_warning").none(), nb::arg("threads"),
           "Images [images, 3, height, width], or latents.")
      .def(
          "tokenize",
          [](const Opened& self, const std::string& text) {
            auto ids = self.checkpoint->tokenize(text);
            const std::size_t count = ids.size();
            return array_of(std::move(ids), {1, count});
          },
          nb::arg("text"), "[1, tokens].")
      .def(
          "encode_prompt",
          [](const Opened& self, const std::string& text, const std::string& settings,
             int threads) {
            const auto how = pipeline_of(settings);
            return to_python(
                unlocked(threads, [&] { return self.checkpoint->encode_prompt(text, *how); }));
          },
          nb::arg("text"), nb::arg("settings"), nb::arg("threads"), "[1, tokens, width].")
      .def(
          "unet",
          [](const Opened& self, const Floats& latents, const std::vector<double>& timesteps,
             const Floats& states, int threads) {
            const Array x = array_from(latents), told = array_from(states);
            return to_python(
                unlocked(threads, [&] { return self.checkpoint->unet(x, timesteps, told); }));
          },
          nb::arg("latents"), nb::arg("timesteps"), nb::arg("states"), nb::arg("threads"),
          "Like the latents.")
      .def(
          "encode",
          [](const Opened& self, const Floats& images, std::optional<std::uint64_t> seed,
             int threads) {
            const Array x = array_from(images);
            return to_python(unlocked(threads, [&] { return self.checkpoint->encode(x, seed); }));
          },
          nb::arg("images"), nb::arg("seed").none(), nb::arg("threads"), "Latents, scaled.")
      .def(
          "decode",
          [](const Opened& self, const Floats& latents, int threads) {
            const Array z = array_from(latents);
            return to_python(unlocked(threads, [&] { return self.checkpoint->decode(z); }));
          },
          nb::arg("latents"), nb::arg("threads"), "[images, 3, height, width] in [0, 1].");
  module.def("open_stable_diffusion", &open, nb::arg("path"), nb::arg("tokenizer"),
             nb::arg("scheduler"), nb::arg("prediction"), nb::arg("loras"), nb::arg("embeddings"),
             nb::arg("eight_bit"), nb::arg("memory"), nb::arg("prepared"), "Opens a checkpoint.");
  module.def("parse_byte_size", &parse_byte_size, nb::arg("text"), "Bytes of a text such as 4GB.");
}

}  // namespace gradatim::python
