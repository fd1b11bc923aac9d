// Fitting: a FitRequest that Python fills in, and the call.
#include <fmt/format.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/python/module.h"

namespace nb = nanobind;

namespace gradatim::python {
namespace {

using data::FitRequest;

Fitted fit(const std::string& settings_json, FitRequest request, const nb::dict& own,
           nb::handle on_step, nb::handle on_warning, int threads) {
  const api::Settings settings = api::settings_from_json(settings_json);
  const auto parts = own_parts(own, settings, request.task == data::TaskHint::classification);
  for (const auto& notice : api::notices(settings)) on_warning(notice);
  StepObserver observer(on_step, on_warning);
  request.observer = &observer;
  return {unlocked(threads, [&] { return data::fit_model(settings, request, parts); })};
}

}  // namespace

api::OwnParts own_parts(const nb::dict& own, const api::Settings& settings, bool classification) {
  api::OwnParts parts;
  for (const auto& [key, object] : own) {
    const auto path = nb::cast<std::string>(key);
    if (path == "loss") {
      const auto like = settings.parts.find(path);
      parts[path] = python_loss(
          nb::borrow(object), classification,
          like == settings.parts.end() ? nullptr : api::build_as<boost::Loss>(like->second));
    } else if (path == "learner") {
      parts[path] = python_learner(nb::borrow(object));
    } else {
      throw UsageError(
          1004, fmt::format("{} cannot be a Python object; give the name of a component", path));
    }
  }
  return parts;
}

void bind_fit(nb::module_& module) {
  nb::class_<FitRequest>(module, "FitRequest", "What to learn from.")
      .def(nb::init<>())
      .def_rw("table", &FitRequest::table)
      .def_rw("target", &FitRequest::target)
      .def_rw("targets", &FitRequest::targets)
      .def_rw("valid", &FitRequest::valid, nb::arg().none())
      .def_rw("valid_fraction", &FitRequest::valid_fraction)
      .def_rw("weight", &FitRequest::weight)
      .def_rw("base_margin", &FitRequest::base_margin)
      .def_rw("classes", &FitRequest::classes)
      .def_rw("metrics", &FitRequest::metrics)
      .def_rw("notes", &FitRequest::notes)
      .def_rw("own_names", &FitRequest::own_names)
      .def_rw("class_weights", &FitRequest::class_weights)
      .def_rw("seed", &FitRequest::seed)
      .def_rw("resume", &FitRequest::resume)
      .def_rw("checkpoint_seconds", &FitRequest::checkpoint_seconds)
      .def_rw("device", &FitRequest::device)
      .def_rw("log_folder", &FitRequest::log_folder)
      .def(
          "take_autoencoder",
          [](FitRequest& request, const Fitted& model) { request.autoencoder = model.model; },
          nb::arg("model"), "Whose latents are learned.")
      .def(
          "learn_from",
          [](FitRequest& request, const SharedSamples& samples, const SharedSamples* source,
             const SharedSamples* valid) {
            data::check_samples(*samples.samples);
            request.samples = samples.samples;
            if (source != nullptr) request.source = source->samples;
            if (valid == nullptr) return;
            data::check_samples(*valid->samples);
            request.valid_samples = valid->samples;
          },
          nb::arg("samples"), nb::arg("source").none(), nb::arg("valid").none(),
          "Samples instead of a table.")
      .def("join",
           [](FitRequest& request, const SharedGroup& group) { request.group = group.group; })
      .def("go_on_from",
           [](FitRequest& request, const Fitted& before) { request.init_model = before.model; })
      .def_prop_rw(
          "classification",
          [](const FitRequest& request) { return request.task == data::TaskHint::classification; },
          [](FitRequest& request, bool classification) {
            request.task =
                classification ? data::TaskHint::classification : data::TaskHint::regression;
          })
      .def(
          "add_metric",
          [](FitRequest& request, const std::string& name, nb::object metric, bool maximise) {
            request.own_metrics[request.metrics.size()] =
                python_metric(name, std::move(metric), maximise);
            request.metrics.push_back(name);
          },
          nb::arg("name"), nb::arg("metric"), nb::arg("maximise"),
          "Watches metric(label, prediction, weight) -> float too.");
  module.def("fit", &fit, nb::arg("settings"), nb::arg("request"), nb::arg("own"),
             nb::arg("on_step").none(), nb::arg("on_warning"), nb::arg("threads"),
             "Fits the model that the settings (JSON) describe, without the interpreter's lock.");
}

}  // namespace gradatim::python
