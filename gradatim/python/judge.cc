// Cross-validation and search.
#include <nanobind/stl/map.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <tuple>

#include "gradatim/data/cross_validate.h"
#include "gradatim/data/search.h"
#include "gradatim/python/module.h"

namespace nb = nanobind;

namespace gradatim::python {
namespace {

using Lines = std::vector<std::tuple<std::string, std::vector<double>, std::vector<double>>>;
using Trials = std::vector<std::tuple<std::int64_t, std::vector<api::Option>, std::int64_t, double,
                                      std::int64_t, std::string>>;

std::pair<std::int64_t, Lines> cross_validate(const std::string& settings_json,
                                              data::FitRequest request, const nb::dict& own,
                                              const data::FoldOptions& folds, nb::handle on_step,
                                              nb::handle on_warning, int threads) {
  const api::Settings settings = api::settings_from_json(settings_json);
  const auto parts = own_parts(own, settings, request.task == data::TaskHint::classification);
  StepObserver observer(on_step, on_warning);
  request.observer = &observer;
  const auto result =
      unlocked(threads, [&] { return data::cross_validate(settings, request, folds, parts); });
  Lines lines;
  for (const auto& line : result.lines) {
    lines.emplace_back(line.metric, line.mean, line.deviation);
  }
  return {result.best_round, std::move(lines)};
}

std::pair<std::string, Trials> search(const std::string& settings_json, data::FitRequest request,
                                      std::int64_t trials, double held_out, nb::handle on_step,
                                      nb::handle on_warning, int threads) {
  const api::Settings settings = api::settings_from_json(settings_json);
  StepObserver observer(on_step, on_warning);
  request.observer = &observer;
  const auto result = unlocked(threads, [&] {
    return data::search(settings, request, {.trials = trials, .held_out = held_out});
  });
  Trials rows;
  for (const auto& trial : result.trials) {
    rows.emplace_back(trial.number, trial.drawn, trial.rounds, trial.score, trial.best_round,
                      api::to_json(trial.settings));
  }
  return {result.metric, std::move(rows)};
}

}  // namespace

void bind_judge(nb::module_& module) {
  nb::class_<data::FoldOptions>(module, "FoldOptions", "How rows are dealt into folds.")
      .def(nb::init<>())
      .def_rw("folds", &data::FoldOptions::folds)
      .def_rw("stratified", &data::FoldOptions::stratified)
      .def_rw("group", &data::FoldOptions::group);
  module.def("cross_validate", &cross_validate, nb::arg("settings"), nb::arg("request"),
             nb::arg("own"), nb::arg("folds"), nb::arg("on_step").none(), nb::arg("on_warning"),
             nb::arg("threads"), "(best round, [(metric, means, deviations)]).");
  module.def("search", &search, nb::arg("settings"), nb::arg("request"), nb::arg("trials"),
             nb::arg("held_out"), nb::arg("on_step").none(), nb::arg("on_warning"),
             nb::arg("threads"),
             "(metric, [(number, drawn, rounds, score, best round, settings)]), the best first.");
}

}  // namespace gradatim::python
