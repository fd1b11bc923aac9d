// What Python code may do inside a fit. All of it runs on the thread that called fit, with the
// interpreter's lock; an exception ends the fit and reaches the caller as it was raised.
#include <fmt/format.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>

#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/python/module.h"

namespace nb = nanobind;

namespace gradatim::python {
namespace {

using boost::Loss;
using boost::Task;

// A copy that Python may keep, float64 [rows].
template <class T>
nb::object array_of(std::span<const T> values) {
  return to_numpy({values.begin(), values.end()}, values.size(), 1).attr("ravel")();
}

// Labels as Python knows them: [rows], or [rows, targets] where there are several.
template <class Labels>  // float* or LabelSpan
nb::object labels_of(const Labels& label, std::size_t rows, int targets, std::int64_t stride) {
  const auto columns = static_cast<std::size_t>(targets);
  std::vector<double> values(rows * columns);
  for (std::size_t k = 0; k < columns; ++k) {
    for (std::size_t row = 0; row < rows; ++row) {
      values[row * columns + k] = label[static_cast<std::int64_t>(k) * stride + row];
    }
  }
  if (targets == 1) return array_of(std::span<const double>(values));
  return to_numpy(std::move(values), rows, columns);
}

using Floats = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

// Gradients by Python; everything else (starting score, link, metric) is the task's own loss, so
// that the saved model predicts without the Python code.
class PythonLoss final : public Loss {
 public:
  PythonLoss(nb::object gradients, bool classification, std::shared_ptr<const Loss> like)
      : gradients_(shared(std::move(gradients))), classification_(classification) {
    const auto built = [](const char* name) { return api::build_as<Loss>({.component = name}); };
    one_ = built(classification ? "boost.loss.logistic" : "boost.loss.squared");
    if (classification) many_ = built("boost.loss.softmax");
    if (like) one_ = many_ = std::move(like);
  }

  boost::TaskKind task() const override { return one_->task(); }
  int outputs(const Task& task) const override { return of_task(task).outputs(task); }
  void check(const Task& task, std::span<const float> label) const override {
    of_task(task).check(task, label);
  }
  std::vector<double> base_score(const Task& task, std::span<const float> label,
                                 std::span<const float> weight) const override {
    return of_task(task).base_score(task, label, weight);
  }
  bool whole() const override { return true; }
  double scale(std::span<const float> label) const override { return one_->scale(label); }
  void transform(std::span<const double> scores, int outputs,
                 std::span<double> out) const override {
    of_outputs(outputs).transform(scores, outputs, out);
  }
  int predictions(int outputs) const override { return of_outputs(outputs).predictions(outputs); }
  std::vector<std::string> prediction_names() const override { return one_->prediction_names(); }
  bool predicts_chances() const override { return one_->predicts_chances(); }
  std::string_view default_metric() const override { return one_->default_metric(); }
  std::map<std::string, api::Value> metric_settings() const override {
    return one_->metric_settings();
  }

  void gradients(const boost::GradientBlock& block) const override {
    nb::gil_scoped_acquire lock;
    const auto rows = static_cast<std::size_t>(block.rows);
    const auto outputs = static_cast<std::size_t>(block.outputs);
    std::vector<double> score(rows * outputs);  // [rows, outputs]
    for (std::size_t k = 0; k < outputs; ++k) {
      const double* from = block.score + static_cast<std::int64_t>(k) * block.stride;
      for (std::size_t row = 0; row < rows; ++row) score[row * outputs + k] = from[row];
    }
    nb::object scores = to_numpy(std::move(score), rows, outputs);
    const auto [g, h] = nb::cast<std::pair<Floats, Floats>>(
        (*gradients_)(labels_of(block.label, rows, block.targets, block.stride), scores));
    for (std::size_t k = 0; k < outputs; ++k) {
      const auto to = static_cast<std::int64_t>(k) * block.stride;
      std::copy_n(g.data() + k * rows, rows, block.g + to);
      std::copy_n(h.data() + k * rows, rows, block.h + to);
    }
  }

 private:
  const Loss& of_task(const Task& task) const {
    return classification_ && task.class_count() > 2 ? *many_ : *one_;
  }
  const Loss& of_outputs(int outputs) const {
    return classification_ && outputs > 1 ? *many_ : *one_;
  }

  std::shared_ptr<const nb::object> gradients_;
  bool classification_;
  std::shared_ptr<const Loss> one_;   // of one score a row
  std::shared_ptr<const Loss> many_;  // of one score a class
};

}  // namespace

std::shared_ptr<const nb::object> shared(nb::object object) {
  return {new nb::object(std::move(object)), [](const nb::object* held) {
            nb::gil_scoped_acquire lock;
            delete held;
          }};
}

nb::object to_numpy(std::vector<double> values, std::size_t rows, std::size_t columns) {
  auto* kept = new std::vector<double>(std::move(values));
  nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<double>*>(p); });
  return nb::cast(nb::ndarray<nb::numpy, double>(kept->data(), {rows, columns}, owner));
}

std::shared_ptr<const Loss> python_loss(nb::object gradients, bool classification,
                                        std::shared_ptr<const Loss> like) {
  return std::make_shared<const PythonLoss>(std::move(gradients), classification, std::move(like));
}

std::shared_ptr<const boost::Metric> python_metric(const std::string& name, nb::object metric,
                                                   bool maximise) {
  auto formula = [name, metric = shared(std::move(metric))](const boost::MetricInput& input) {
    nb::gil_scoped_acquire lock;
    nb::object weight = nb::none();
    if (!input.weight.empty()) weight = array_of(input.weight);
    nb::object prediction =
        to_numpy({input.prediction.begin(), input.prediction.end()},
                 static_cast<std::size_t>(input.rows()), static_cast<std::size_t>(input.columns));
    nb::object label =
        labels_of(input.label, static_cast<std::size_t>(input.rows()), input.targets, input.rows());
    const auto value = nb::cast<double>((*metric)(label, prediction, weight));
    GRADATIM_CHECK(
        !std::isnan(value), UsageError, 1227,
        "the metric '{}' gave NaN, which no round is better or worse than; give a number", name);
    return value;
  };
  return std::make_shared<const boost::Metric>(name, formula,
                                               maximise ? "maximise joint" : "joint");
}

void StepObserver::on_step(const StepDone& event) {
  nb::gil_scoped_acquire lock;
  check_signals();
  if (!on_step_.is_none()) on_step_(event.step, event.steps, event.seconds, event.metrics);
}

void StepObserver::on_warning(const std::string& text) {
  nb::gil_scoped_acquire lock;
  on_warning_(text);
}

}  // namespace gradatim::python
