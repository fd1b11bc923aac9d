// Autoencoders whose latents a diffusion learns.
#include "gradatim/process/latent.h"

#include <fmt/format.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include "gradatim/core/error.h"
#include "gradatim/process/generate.h"
#include "gradatim/python/arrays.h"
#include "gradatim/python/module.h"

namespace nb = nanobind;

namespace gradatim::python {
namespace {

using process::LatentCoder;
using process::LatentRequest;

const LatentCoder& coder_of(const Fitted& fitted) {
  const auto* coder = dynamic_cast<const LatentCoder*>(fitted.model.get());
  GRADATIM_CHECK(coder != nullptr, UsageError, 1162, "a model of {} has no latents",
                 fitted.model->card().settings.component);
  return *coder;
}

std::vector<std::int64_t> shape(const Fitted& self) {
  const auto sizes = coder_of(self).latent_shape();
  return {sizes.begin(), sizes.end()};
}

nb::object encode(const Fitted& self, const Doubles& x, std::optional<std::uint64_t> seed,
                  int threads) {
  const LatentCoder& coder = coder_of(self);
  const auto rows = static_cast<std::int64_t>(x.size()) / process::dims_of(coder);
  auto latents = unlocked(threads, [&] {
    return coder.encode({x.data(), x.size()}, {.rows = rows, .seed = seed});
  });
  return array_of(std::move(latents), sizes_of(rows, coder.latent_shape()));
}

nb::object decode(const Fitted& self, const Doubles& z, std::int64_t tile, int threads) {
  const LatentCoder& coder = coder_of(self);
  const auto rows = static_cast<std::int64_t>(z.size()) / process::latent_dims_of(coder);
  auto numbers = unlocked(threads, [&] {
    return coder.decode({z.data(), z.size()}, {.rows = rows, .tile = tile});
  });
  const auto sizes = sizes_of(rows, coder.shape());
  if (coder.holds_bytes()) return array_of(process::to_bytes(numbers), sizes);
  return array_of(std::move(numbers), sizes);
}

}  // namespace

void bind_latent(nb::module_& module) {
  module.def("latent_shape", &shape, nb::arg("model"), "The shape of one latent.");
  module.def("latent_encode", &encode, nb::arg("model"), nb::arg("x"), nb::arg("seed").none(),
             nb::arg("threads"), "Latents [rows, *latent_shape] of data: means, or drawn.");
  module.def("latent_decode", &decode, nb::arg("model"), nb::arg("z"), nb::arg("tile"),
             nb::arg("threads"), "Data [rows, *shape] of latents.");
}

}  // namespace gradatim::python
