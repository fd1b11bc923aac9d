// The library's metrics as functions.
#include "gradatim/process/metric/metric.h"

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
  const auto weights = floats(weight);
  return unlocked(0, [&] {
    return (*metric)({std::span(label.data(), label.size()),
                      {prediction.data(), prediction.size()},
                      static_cast<int>(prediction.shape(1)),
                      weights,
                      targets});
  });
}

// Two samples [rows, dims] of equal width.
double compare_samples(const Numbers& a, const Numbers& b, const std::string& settings) {
  const auto metric = api::build_as<process::SampleMetric>(api::settings_from_json(settings));
  return unlocked(0, [&] {
    return (*metric)(
        {{a.data(), a.size()}, {b.data(), b.size()}, static_cast<std::int64_t>(a.shape(1))});
  });
}

}  // namespace

void bind_metric(nb::module_& module) {
  module.def("call_metric", &call_metric, nb::arg("label"), nb::arg("prediction"),
             nb::arg("weight"), nb::arg("settings"), nb::arg("targets"),
             "One of the library's metrics.");
  module.def("compare_samples", &compare_samples, nb::arg("a"), nb::arg("b"), nb::arg("settings"),
             "A metric of two samples.");
  module.def(
      "metric_tags",
      [](const std::string& name) {
        return std::string(api::Registry::instance().get(name, boost::Metric::kKind).text.tags);
      },
      nb::arg("name"), "What is declared about a metric: maximise, regression, ...");
}

}  // namespace gradatim::python
