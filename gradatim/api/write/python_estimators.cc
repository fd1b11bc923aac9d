// python/gradatim/PACKAGE/_estimators.py: scikit-learn's way to say the settings of a model, those
// of its default parts included.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "gradatim/api/write/python.h"
#include "gradatim/api/write/writers.h"

namespace gradatim::api::write {
namespace {

// What an estimator takes: its own settings, its parts, those of its default parts, and how to run.
struct Parameters {
  std::vector<PythonArgument> arguments;
  std::vector<std::pair<std::string, std::string>> routes;  // name in Python, path in settings
};

void add_inner(const Entry& entry, const std::string& route, const Registry& registry,
               std::set<std::string>& taken, Parameters& out) {
  for (const auto& part : entry.parts) {
    if (part.initial == "auto") continue;
    const Entry& inner = registry.get(part.initial);
    const auto path = route + std::string(part.name) + ".";
    for (const auto& setting : inner.settings) {
      if (!taken.insert(std::string(setting.name)).second) continue;
      auto argument = python_argument(setting);
      argument.doc += fmt::format(" Of {}={}.", path.substr(0, path.size() - 1), short_name(inner));
      out.routes.emplace_back(argument.name, path + argument.name);
      out.arguments.push_back(std::move(argument));
    }
    add_inner(inner, path, registry, taken, out);
  }
}

Parameters parameters(const Entry& entry, const Registry& registry) {
  // "seed" and "threads" are scikit-learn's random_state and n_jobs.
  std::set<std::string> taken{"seed",         "threads",
                              "n_jobs",       "random_state",
                              "verbose",      "validation_fraction",
                              "eval_metric",  "categorical_features",
                              "sparse_absent"};
  Parameters out;
  const auto add = [&](PythonArgument argument) {
    if (!taken.insert(argument.name).second) return;
    out.routes.emplace_back(argument.name, argument.name);
    out.arguments.push_back(std::move(argument));
  };
  for (const auto& setting : entry.settings) add(python_argument(setting));
  for (const auto& part : entry.parts) add(python_argument(part, registry));
  add_inner(entry, {}, registry, taken, out);
  if (std::ranges::any_of(entry.settings,
                          [](const auto& s) { return s.name == "early_stopping_rounds"; })) {
    out.arguments.push_back({"validation_fraction", "float", "0.1",
                             "Share of the rows that is split off to watch where "
                             "early_stopping_rounds > 0 and fit is given no eval_set."});
    out.arguments.push_back({"eval_metric", "MetricLike", "None",
                             "What to watch: the name of a metric, a function (y_true, y_pred, "
                             "sample_weight) -> float, or several; the first decides early "
                             "stopping. None means the loss's own."});
  }
  out.arguments.push_back({"categorical_features", "Sequence[int | str] | None", "None",
                           "Columns of numbers to treat as categories, by index or name; those of "
                           "a categorical or string type always are."});
  out.arguments.push_back({"sparse_absent", "Literal[\"zero\", \"missing\"]", "\"zero\"",
                           "What the cells that a SciPy matrix does not store hold; the model "
                           "remembers it for prediction."});
  out.arguments.push_back({"n_jobs", "int | None", "None",
                           "Threads; None means all that the container may use. The model is the "
                           "same for any number."});
  out.arguments.push_back({"random_state", "int | np.random.RandomState | None", "None",
                           "Seed of every draw; None means 0, so that a fit can be repeated."});
  out.arguments.push_back({"verbose", "int", "0", "1 prints a line a round to stderr."});
  return out;
}

void describe_fitted(Docstring& doc, std::string_view task) {
  doc.section("Attributes");
  if (task == "classifier") doc.item("classes_ : ndarray", "The labels, sorted.");
  doc.item("n_features_in_ : int", "Number of columns seen by fit.");
  doc.item("feature_names_in_ : ndarray", "Names of the columns, where they were all strings.");
  doc.item("feature_importances_ : ndarray", "Gain of each column, summing to 1.");
}

void describe_example(Docstring& doc, const std::string& package, const std::string& name,
                      std::string_view task, bool rounds) {
  const bool classifier = task == "classifier";
  if (!classifier && task != "regressor") return;
  const auto* data = classifier ? "load_breast_cancer" : "load_diabetes";
  doc.section("Examples");
  doc.verbatim(fmt::format(">>> from sklearn.datasets import {}", data));
  doc.verbatim(fmt::format(">>> from gradatim.{} import {}", package, name));
  doc.verbatim(fmt::format(">>> X, y = {}(return_X_y=True)", data));
  doc.verbatim(fmt::format(">>> model = {}({}).fit(X, y)", name, rounds ? "n_estimators=20" : ""));
  doc.verbatim(">>> model.predict(X[:3]).shape");
  doc.verbatim("(3,)");
}

std::string class_of(const Entry& entry, const std::string& task, const Registry& registry) {
  const auto name = python_tag(entry) + camel_case(task);
  const auto [arguments, routes] = parameters(entry, registry);
  Docstring doc("    ");
  doc.paragraph(entry.text.summary);
  doc.paragraph(entry.text.detail);
  doc.parameters(arguments);
  describe_fitted(doc, task);
  const bool rounds = std::ranges::any_of(
      arguments, [](const auto& argument) { return argument.name == "n_estimators"; });
  describe_example(doc, std::string(first_segment(entry.text.name)), name, task, rounds);
  describe_source(doc, entry);
  std::string text = fmt::format("\n\nclass {}(Boosting{}):\n{}\n    _component = \"{}\"\n", name,
                                 camel_case(task), doc.quoted(), entry.text.name);
  text += "    _routes: ClassVar[dict[str, str]] = {\n";
  for (const auto& [python, path] : routes)
    text += fmt::format("        \"{}\": \"{}\",\n", python, path);
  text += "    }\n\n    def __init__" + python_signature({"self", "*"}, arguments, "    ");
  text += " -> None:\n";
  for (const auto& argument : arguments)
    text += fmt::format("        self.{0} = {0}\n", argument.name);
  return text;
}

std::vector<const Entry*> estimators(std::string_view package, const Registry& registry) {
  std::vector<const Entry*> found;
  for (const Entry* entry : registry.list()) {
    if (first_segment(entry->text.name) == package && !python_tag(*entry).empty())
      found.push_back(entry);
  }
  return found;
}

}  // namespace

std::vector<std::string> estimator_names(std::string_view package, const Registry& registry) {
  std::vector<std::string> names;
  for (const Entry* entry : estimators(package, registry)) {
    for (const auto& task : tasks(*entry)) names.push_back(python_tag(*entry) + camel_case(task));
  }
  std::ranges::sort(names);
  return names;
}

std::string estimators_module(std::string_view package, const Registry& registry) {
  std::string body;
  std::set<std::string> bases;
  for (const Entry* entry : estimators(package, registry)) {
    for (const auto& task : tasks(*entry)) {
      body += class_of(*entry, task, registry);
      bases.insert("Boosting" + camel_case(task));
    }
  }
  std::vector<std::string> imports{
      "import numpy as np\n\n", "from gradatim._component import MetricLike, PartLike\n",
      python_import("gradatim._estimator", {bases.begin(), bases.end()})};
  return python_module("Estimators in scikit-learn's conventions.", body,
                       estimator_names(package, registry), imports);
}

}  // namespace gradatim::api::write
