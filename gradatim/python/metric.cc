// The library's metrics as functions.
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include "gradatim/api/registry.h"
#include "gradatim/api/settings.h"
#include "gradatim/python/module.h"

namespace nb = nanobind;

namespace gradatim::python {
namespace {

using Numbers = nb::ndarray<const double, nb::c_contig, nb::device::cpu>;

std::vector<float> floats(const Numbers& numbers) {
  return {numbers.data(), numbers.data() + numbers.size()};
}

// label [targets][rows], prediction [rows, columns], weight [rows] or [0], which _core.py has
// checked; settings as JSON.
double call_metric(const Numbers& label, const Numbers& prediction, const Numbers& weight,
                   const std::string& settings, int targets) {
  const auto metric = api::build_as<boost::Metric>(api::settings_from_json(settings));
  const auto labels = floats(label);
  const auto weights = floats(weight);
  return unlocked(0, [&] {
    return (*metric)({labels,
                      {prediction.data(), prediction.size()},
                      static_cast<int>(prediction.shape(1)),
                      weights,
                      targets});
  });
}

}  // namespace

void bind_metric(nb::module_& module) {
  module.def("call_metric", &call_metric, nb::arg("label"), nb::arg("prediction"),
             nb::arg("weight"), nb::arg("settings"), nb::arg("targets"),
             "One of the library's metrics.");
  module.def(
      "metric_tags",
      [](const std::string& name) {
        return std::string(api::Registry::instance().get(name, boost::Metric::kKind).text.tags);
      },
      nb::arg("name"), "What is declared about a metric: maximise, regression, ...");
}

}  // namespace gradatim::python
