// python/gradatim/PACKAGE/_estimators.py: scikit-learn's way to say the settings of a model, those
// of its default parts included.
#include <fmt/format.h>

#include <algorithm>
#include <map>
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

// Level by level, so that a name means the nearest setting that has it, as on the command line.
void add_inner(const Entry& root, const Registry& registry, std::set<std::string>& taken,
               Parameters& out) {
  std::vector<std::pair<std::string, const Entry*>> level{{"", &root}};
  while (!level.empty()) {
    std::vector<std::pair<std::string, const Entry*>> below;
    for (const auto& [route, entry] : level) {
      for (const auto& part : entry->parts) {
        if (part.initial == "auto") continue;
        const Entry& inner = registry.get(part.initial);
        const auto path = route + std::string(part.name) + ".";
        for (const auto& setting : inner.settings) {
          if (!taken.insert(std::string(setting.name)).second) continue;
          auto argument = python_argument(setting);
          argument.doc +=
              fmt::format(" Of {}={}.", path.substr(0, path.size() - 1), short_name(inner));
          out.routes.emplace_back(argument.name, path + argument.name);
          out.arguments.push_back(std::move(argument));
        }
        below.emplace_back(path, &inner);
      }
    }
    level = std::move(below);
  }
}

void add_boosting(const Entry& entry, Parameters& out) {
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
}

// How to run.
void add_running(bool network, Parameters& out) {
  if (network) {
    out.arguments.push_back(
        {"device", "str", "\"cpu\"", "Where the network computes: cpu, cuda or cuda:N."});
  }
  out.arguments.push_back({"n_jobs", "int | None", "None",
                           "Threads; None means all that the container may use. The model is the "
                           "same for any number."});
  out.arguments.push_back({"random_state", "int | np.random.RandomState | None", "None",
                           "Seed of every draw; None means 0, so that a fit can be repeated."});
  out.arguments.push_back({"verbose", "int", "0",
                           fmt::format("1 prints a line a {} to stderr.",
                                       network ? "hundredth of the steps" : "round")});
}

Parameters parameters(const Entry& entry, const Registry& registry) {
  // "seed" and "threads" are scikit-learn's random_state and n_jobs.
  std::set<std::string> taken{"seed",        "threads",
                              "n_jobs",      "random_state",
                              "verbose",     "validation_fraction",
                              "eval_metric", "categorical_features",
                              "device",      "sparse_absent"};
  const bool network = learns_samples(entry);
  Parameters out;
  const auto add = [&](PythonArgument argument) {
    if (!taken.insert(argument.name).second) return;
    out.routes.emplace_back(argument.name, argument.name);
    out.arguments.push_back(std::move(argument));
  };
  for (const auto& setting : entry.settings) add(python_argument(setting));
  for (const auto& part : entry.parts) {
    auto argument = python_argument(part, registry);
    static constexpr std::string_view kOwn = ", or your own.";
    if (network) argument.doc.replace(argument.doc.size() - kOwn.size(), kOwn.size(), ".");
    add(std::move(argument));
  }
  add_inner(entry, registry, taken, out);
  if (!network) add_boosting(entry, out);
  add_running(network, out);
  return out;
}

// What an estimator derives from, and where that is.
struct Base {
  std::string name, module;
};

// One class a task; of what learns samples, one.
std::vector<std::string> kinds_of(const Entry& entry) {
  auto kinds = tasks(entry);
  if (kinds.empty() && learns_samples(entry)) kinds.emplace_back();
  return kinds;
}

Base base_of(const Entry& entry, const std::string& task) {
  if (tells_labels(entry)) return {"NetworkClassifier", "gradatim._network_classifier"};
  if (is_flow(entry)) return {"FlowModel", "gradatim._flow"};
  if (is_latent(entry)) return {"LatentModel", "gradatim._latent"};
  if (has_codes(entry)) return {"CodeModel", "gradatim._coder"};
  if (task.empty()) return {"GenerativeModel", "gradatim._generative"};
  return {"Boosting" + camel_case(task), "gradatim._estimator"};
}

void describe_network(Docstring& doc, const std::string& package, const std::string& name,
                      const Entry& entry) {
  const bool classifier = tells_labels(entry), latent = is_latent(entry);
  const bool codes = has_codes(entry);
  doc.section("Attributes");
  doc.item("classes_ : ndarray", classifier
                                     ? "The labels, sorted."
                                     : "The labels, sorted; empty where it was fitted without.");
  doc.item("shape_ : tuple of int", "Of one sample.");
  doc.item("n_features_in_ : int", "Numbers of one sample.");
  doc.item("feature_names_in_ : ndarray", "Names of the columns, where they were all strings.");
  doc.item("history_ : dict of ndarray", "Means of the loss over equal parts of the training.");
  doc.item("n_iter_ : int", "Steps that were made.");
  doc.section("Examples");
  doc.verbatim(">>> from sklearn.datasets import make_moons");
  doc.verbatim(fmt::format(">>> from gradatim.{} import {}", package, name));
  doc.verbatim(">>> X, y = make_moons(1000, noise=0.05, random_state=0)");
  if (codes) {
    doc.verbatim(">>> from gradatim.neural.code_prior import Transformer");
    doc.verbatim(">>> from gradatim.neural.training import Adamw");
    doc.verbatim(">>> prior = Transformer(width=64, layers=1, training=Adamw(steps=200))");
  }
  doc.verbatim(
      fmt::format(">>> model = {}(steps=200{}).fit(X, y)", name, codes ? ", prior=prior" : ""));
  doc.verbatim(classifier ? ">>> model.predict(X[:3]).shape"
               : latent   ? ">>> model.reconstruct(X[:3]).shape"
                          : ">>> model.sample(5, label=1).shape");
  doc.verbatim(classifier ? "(3,)" : latent ? "(3, 2)" : "(5, 2)");
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

// All by keyword, but for what a flow is most often told.
std::string signature_of(const Entry& entry, const std::vector<PythonArgument>& arguments) {
  if (!is_flow(entry)) return python_signature({"self", "*"}, arguments, "    ");
  const auto first = std::ranges::find(arguments, "architecture", &PythonArgument::name);
  std::vector<PythonArgument> others(arguments);
  std::erase_if(others, [&](const auto& argument) { return argument.name == first->name; });
  const auto leading = fmt::format("{}: {} = {}", first->name, first->type, first->initial);
  return python_signature({"self", leading, "*"}, others, "    ");
}

std::string class_of(const Entry& entry, const std::string& task, const Registry& registry) {
  const auto name = python_tag(entry) + camel_case(task);
  const auto package = std::string(first_segment(entry.text.name));
  const auto [arguments, routes] = parameters(entry, registry);
  Docstring doc("    ");
  doc.paragraph(entry.text.summary);
  doc.paragraph(entry.text.detail);
  doc.parameters(arguments);
  if (task.empty()) {
    describe_network(doc, package, name, entry);
  } else {
    describe_fitted(doc, task);
    const bool rounds = std::ranges::any_of(
        arguments, [](const auto& argument) { return argument.name == "n_estimators"; });
    describe_example(doc, package, name, task, rounds);
  }
  describe_source(doc, entry);
  std::string text = fmt::format("\n\nclass {}({}):\n{}\n    _component = \"{}\"\n", name,
                                 base_of(entry, task).name, doc.quoted(), entry.text.name);
  text += "    _routes: ClassVar[dict[str, str]] = {\n";
  for (const auto& [python, path] : routes)
    text += fmt::format("        \"{}\": \"{}\",\n", python, path);
  text += "    }\n\n    def __init__" + signature_of(entry, arguments);
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
    for (const auto& task : kinds_of(*entry))
      names.push_back(python_tag(*entry) + camel_case(task));
  }
  sort_names(names);
  return names;
}

std::string estimators_module(std::string_view package, const Registry& registry) {
  std::string body;
  std::map<std::string, std::set<std::string>> bases;  // by module
  for (const Entry* entry : estimators(package, registry)) {
    for (const auto& task : kinds_of(*entry)) {
      body += class_of(*entry, task, registry);
      const Base base = base_of(*entry, task);
      bases[base.module].insert(base.name);
    }
  }
  auto& component = bases["gradatim._component"];
  component.insert("PartLike");
  if (body.find("MetricLike") != std::string::npos) component.insert("MetricLike");
  std::vector<std::string> imports{"import numpy as np\n\n"};
  for (const auto& [module, names] : bases) {
    imports.push_back(python_import(module, {names.begin(), names.end()}));
  }
  return python_module("Estimators in scikit-learn's conventions.", body,
                       estimator_names(package, registry), imports);
}

}  // namespace gradatim::api::write
