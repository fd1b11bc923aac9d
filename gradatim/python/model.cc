// Fitted models: prediction, what they say about themselves, and their bytes.
#include <nanobind/stl/map.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "gradatim/python/module.h"

namespace nb = nanobind;

namespace gradatim::python {
namespace {

using data::PredictKind;
using data::PredictOptions;

PredictOptions options_of(bool margin, std::vector<std::string> base_margin) {
  return {.kind = margin ? PredictKind::margin : PredictKind::response,
          .base_margin = std::move(base_margin)};
}

nb::object array_of(std::vector<double> values, std::int64_t columns) {
  const auto width = static_cast<std::size_t>(std::max<std::int64_t>(1, columns));
  const std::size_t rows = values.size() / width;
  return to_numpy(std::move(values), rows, width);
}

nb::object predict(const Fitted& self, const data::Table& table, bool margin,
                   std::vector<std::string> base_margin, int threads) {
  const auto options = options_of(margin, std::move(base_margin));
  auto made = unlocked(threads, [&] { return self.model->predict(table, options); });
  return array_of(std::move(made.values), made.columns);
}

// One row that lies in a buffer of doubles; a list, since a small array costs more than its
// numbers.
nb::list predict_row(const Fitted& self, nb::handle row, bool margin) {
  Py_buffer view;
  if (PyObject_GetBuffer(row.ptr(), &view, PyBUF_CONTIG_RO | PyBUF_FORMAT) != 0) {
    throw nb::python_error();
  }
  const bool doubles = view.format != nullptr && std::string_view(view.format) == "d";
  const std::span features(static_cast<const double*>(view.buf),
                           doubles ? static_cast<std::size_t>(view.len) / sizeof(double) : 0);
  std::array<double, 16> few;
  std::vector<double> many;
  std::span<double> out = few;
  const auto& card = self.model->card();
  const std::size_t columns = std::max(card.classes.size(), card.predictions.size());
  if (columns > few.size()) {
    many.resize(columns);
    out = many;
  }
  std::int64_t count = 0;
  try {
    if (!doubles) throw nb::type_error("a row must be an array of float64");
    count = self.model->predict_row(features, out,
                                    margin ? PredictKind::margin : PredictKind::response);
  } catch (...) {
    PyBuffer_Release(&view);
    throw;
  }
  PyBuffer_Release(&view);
  nb::list made;
  for (std::int64_t k = 0; k < count; ++k) made.append(out[k]);
  return made;
}

nb::list predict_staged(const Fitted& self, const data::Table& table, bool margin,
                        std::vector<std::string> base_margin, int threads) {
  const auto options = options_of(margin, std::move(base_margin));
  nb::list stages;
  unlocked(threads, [&] {
    self.model->predict_staged(table, options,
                               [&](std::int64_t /*round*/, const data::Predictions& made) {
                                 nb::gil_scoped_acquire lock;
                                 check_signals();
                                 stages.append(array_of(made.values, made.columns));
                               });
  });
  return stages;
}

// [rows, scores * places], places of pairs being squares.
nb::object contributions(const Fitted& self, const data::Table& table,
                         std::vector<std::string> base_margin, bool pairs, int threads) {
  const auto options = options_of(true, std::move(base_margin));
  auto made = unlocked(threads, [&] {
    return pairs ? self.model->interactions(table, options)
                 : self.model->contributions(table, options);
  });
  const std::int64_t places = made.features + 1;
  return array_of(std::move(made.values), made.outputs * places * (pairs ? places : 1));
}

nb::bytes to_bytes(const Fitted& self) {
  const std::string bytes = self.model->bytes();
  return nb::bytes(bytes.data(), bytes.size());
}

Fitted from_bytes(const nb::bytes& bytes) {
  return {data::load_model_bytes({bytes.c_str(), bytes.size()}, "the pickled model")};
}

// [(feature, gain)] by falling gain.
std::vector<std::pair<std::string, double>> gains(const Fitted& self) {
  std::vector<std::pair<std::string, double>> rows;
  for (const auto& row : self.model->importances()) rows.emplace_back(row.feature, row.gain);
  return rows;
}

std::vector<std::string> feature_names(const Fitted& self) {
  std::vector<std::string> names;
  for (const auto& column : self.model->card().features.columns) names.push_back(column.name);
  return names;
}

// "valid.log_loss" -> values.
std::vector<std::pair<std::string, std::vector<double>>> history(const Fitted& self) {
  std::vector<std::pair<std::string, std::vector<double>>> lines;
  for (const auto& line : self.model->card().history) lines.emplace_back(line.name, line.values);
  return lines;
}

}  // namespace

void bind_model(nb::module_& module) {
  nb::class_<Fitted>(module, "Model", "A fitted model, which never changes.")
      .def("predict", &predict, nb::arg("table"), nb::arg("margin"), nb::arg("base_margin"),
           nb::arg("threads"), "Predictions [rows, columns].")
      .def("predict_row", &predict_row, nb::arg("row"), nb::arg("margin"),
           "Predictions of one row of float64, as a list.")
      .def("predict_staged", &predict_staged, nb::arg("table"), nb::arg("margin"),
           nb::arg("base_margin"), nb::arg("threads"), "The same after 1, 2, ... rounds.")
      .def("contributions", &contributions, nb::arg("table"), nb::arg("base_margin"),
           nb::arg("pairs"), nb::arg("threads"),
           "Shapley values and base values [rows, scores * (features + 1)].")
      .def("gains", &gains, "(feature, gain), by falling gain.")
      .def("bytes", &to_bytes, "The model file.")
      .def("save",
           [](const Fitted& self, const std::string& path) { data::save_model(*self.model, path); })
      .def(
          "on",
          [](const nb::object& self, const std::string& device) {
            const auto& before = nb::cast<const Fitted&>(self).model;
            auto placed = before->on(device);
            return placed == before ? self : nb::cast(Fitted{std::move(placed)});
          },
          nb::arg("device"), "The same model, which computes there.")
      .def_prop_ro("features", &feature_names)
      .def_prop_ro("history", &history)
      .def_prop_ro("classification",
                   [](const Fitted& self) { return self.model->card().classification; })
      .def_prop_ro("classes", [](const Fitted& self) { return self.model->card().classes; })
      .def_prop_ro("targets", [](const Fitted& self) { return self.model->card().targets; })
      .def_prop_ro("rounds", [](const Fitted& self) { return self.model->card().rounds; })
      .def_prop_ro("notes", [](const Fitted& self) { return self.model->card().notes; })
      .def_prop_ro("settings",
                   [](const Fitted& self) { return api::to_json(self.model->card().settings); })
      // Pickling and copying go through the file's bytes.
      .def("__getstate__", &to_bytes)
      .def("__setstate__",
           [](Fitted& self, const nb::bytes& bytes) { new (&self) Fitted(from_bytes(bytes)); });
  module.def(
      "load", [](const std::string& path) { return Fitted{data::load_model(path)}; },
      nb::arg("path"), "The model of a file.");
}

}  // namespace gradatim::python
