// Networks from folders of diffusers, and to them.
#include "gradatim/neural/convert.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "gradatim/python/module.h"

namespace nb = nanobind;

namespace gradatim::python {

void bind_convert(nb::module_& module) {
  module.def(
      "from_diffusers",
      [](const std::string& folder, const std::string& scaling) {
        auto made = unlocked(0, [&] { return neural::from_diffusers(folder, scaling); });
        return nb::make_tuple(Fitted{std::move(made.model)}, std::move(made.notes));
      },
      nb::arg("folder"), nb::arg("scaling"),
      "The model of a folder, and what was taken for granted.");
  module.def(
      "to_diffusers",
      [](const Fitted& self, const std::string& folder) {
        return unlocked(0, [&] { return neural::to_diffusers(*self.model, folder); });
      },
      nb::arg("model"), nb::arg("folder"), "Writes it, and says what diffusers will not know.");
  module.def(
      "convert_stable_diffusion",
      [](const std::string& path, const std::string& out, const std::string& tokenizer,
         const std::string& prediction) {
        return unlocked(0, [&] {
          return neural::convert_stable_diffusion(
              path, out, {.tokenizer = tokenizer, .prediction = prediction});
        });
      },
      nb::arg("path"), nb::arg("out"), nb::arg("tokenizer"), nb::arg("prediction"),
      "Writes the other layout, and says what was taken for granted.");
}

}  // namespace gradatim::python
