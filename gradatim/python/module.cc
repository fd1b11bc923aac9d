#include "gradatim/python/module.h"

#include <nanobind/stl/string.h>

#include "gradatim/core/simd.h"
#include "gradatim/core/text.h"

namespace nb = nanobind;

NB_MODULE(_native, module) {
  gradatim::check_simd_variable();
  module.doc() = "The library behind gradatim; use the package, not this module.";
  module.attr("version") = GRADATIM_VERSION;
  gradatim::python::bind_errors(module);
  gradatim::python::bind_table(module);
  gradatim::python::bind_model(module);
  gradatim::python::bind_fit(module);
  gradatim::python::bind_convert(module);
  gradatim::python::bind_coder(module);
  gradatim::python::bind_flow(module);
  gradatim::python::bind_generate(module);
  gradatim::python::bind_group(module);
  gradatim::python::bind_judge(module);
  gradatim::python::bind_latent(module);
  gradatim::python::bind_metric(module);
  gradatim::python::bind_sample(module);
  gradatim::python::bind_scheduler(module);
  gradatim::python::bind_stable_diffusion(module);
  module.def("available_threads", &gradatim::available_threads,
             "Processors that this process may really use.");
  module.def("number_text", &gradatim::number_text, nb::arg("x"),
             "The shortest text that reads back to the same number.");
}
