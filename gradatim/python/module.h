// The parts of gradatim._native. Python's classes and functions stay thin: they take what
// python/gradatim has checked, release the interpreter's lock, and call the library.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gradatim/boost/learner/learner.h"
#include "gradatim/boost/loss/loss.h"
#include "gradatim/boost/metric/metric.h"
#include "gradatim/core/observer.h"
#include "gradatim/core/parallel.h"
#include "gradatim/data/model.h"
#include "gradatim/dist/group.h"

namespace gradatim::python {

void bind_errors(nanobind::module_& module);
void bind_table(nanobind::module_& module);
void bind_model(nanobind::module_& module);
void bind_fit(nanobind::module_& module);
void bind_coder(nanobind::module_& module);
void bind_convert(nanobind::module_& module);
void bind_flow(nanobind::module_& module);
void bind_latent(nanobind::module_& module);
void bind_generate(nanobind::module_& module);
void bind_group(nanobind::module_& module);
void bind_judge(nanobind::module_& module);
void bind_metric(nanobind::module_& module);
void bind_sample(nanobind::module_& module);
void bind_scheduler(nanobind::module_& module);
void bind_stable_diffusion(nanobind::module_& module);

/// A model as Python holds it.
struct Fitted {
  std::shared_ptr<const data::Model> model;
};

/// Samples as Python holds them, to be filled in and then left alone.
struct SharedSamples {
  std::shared_ptr<data::Samples> samples;
};

/// A group as Python holds it; it is not there any more once the process has left it.
struct SharedGroup {
  std::shared_ptr<dist::Group> group;
  int rank = 0, size = 1;
};

/// Runs `f` without the interpreter's lock, on so many threads (0: all that the container allows).
template <class F>
auto unlocked(int threads, F f) {
  nanobind::gil_scoped_release release;
  const ThreadScope scope(threads);
  return f();
}

/// Throws what a signal's handler raised (KeyboardInterrupt); needs the lock.
void check_signals();

/// Numbers as a NumPy array [rows, columns] that owns them.
nanobind::object to_numpy(std::vector<double> values, std::size_t rows, std::size_t columns);

/// An object that may be dropped by a thread without the lock.
std::shared_ptr<const nanobind::object> shared(nanobind::object object);

/// Adapters of _callbacks.py: gradients(label, scores) -> (g, h), float32 [outputs, rows]; and
/// metric(label, prediction, weight) -> float. A model starts and predicts by `like`, or where that
/// is null by the usual loss of its task.
std::shared_ptr<const boost::Loss> python_loss(nanobind::object gradients, bool classification,
                                               std::shared_ptr<const boost::Loss> like);
std::shared_ptr<const boost::Metric> python_metric(const std::string& name, nanobind::object metric,
                                                   bool maximise);
/// Adapter of _learner.py: fit(features, rows, target, weight, classes) -> predict, and
/// predict(X) -> float64 [rows].
std::shared_ptr<const boost::Learner> python_learner(nanobind::object fit);

/// The parts of a model that are Python objects, by name; `settings` are those of the others.
api::OwnParts own_parts(const nanobind::dict& own, const api::Settings& settings,
                        bool classification);

/// Lets Ctrl-C through after every round, and calls Python where it wants to know.
class StepObserver final : public Observer {
 public:
  /// `on_step(step, steps, seconds, metrics)` may be None.
  StepObserver(nanobind::handle on_step, nanobind::handle on_warning)
      : on_step_(on_step), on_warning_(on_warning) {}
  void on_step(const StepDone& event) override;
  void on_warning(const std::string& text) override;

 private:
  nanobind::handle on_step_;  // borrowed from the call to fit
  nanobind::handle on_warning_;
};

}  // namespace gradatim::python
