// Sampling from a Python function: it sees the states without a copy, and its result is read where
// it lies.
#include <fmt/format.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/process/host_space.h"
#include "gradatim/process/sampler.h"
#include "gradatim/python/module.h"

namespace nb = nanobind;

namespace gradatim::python {
namespace {

using process::ConditionPtr;
using process::Vec;
using Space = process::HostSpace<float>;
using Labels = std::optional<std::vector<std::int64_t>>;
using Floats = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;

// That rows are asked for under labels of their own, which Python looks up by the row's place:
// 1 those to sample, 2 those to lead away from.
struct Conditioned final : process::Condition {
  explicit Conditioned(int of_kind) : kind(of_kind) {}
  int kind;
};

// An array over a state's memory, [rows, *shape]; the state lives as long as the array.
nb::object view_of(const Vec& x, const std::vector<std::int64_t>& shape) {
  std::vector<std::size_t> sizes{static_cast<std::size_t>(x.rows())};
  for (const auto size : shape) sizes.push_back(static_cast<std::size_t>(size));
  auto* kept = new Vec(x);
  nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<Vec*>(p); });
  return nb::cast(
      nb::ndarray<nb::numpy, float>(Space::writable(x), sizes.size(), sizes.data(), owner));
}

template <class T>
nb::object copy_of(std::span<const T> values) {
  auto* kept = new std::vector<T>(values.begin(), values.end());
  nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  return nb::cast(nb::ndarray<nb::numpy, T>(kept->data(), {kept->size()}, owner));
}

// call(x [rows, *shape], t [rows], places [rows], which [conditions]) -> one array a
// condition, as _sample.py adapts the user's function.
class PythonField final : public process::Field {
 public:
  PythonField(nb::object call, std::vector<std::int64_t> shape,
              std::shared_ptr<const process::Prediction> prediction)
      : call_(shared(std::move(call))),
        shape_(std::move(shape)),
        prediction_(std::move(prediction)) {}

  const process::Prediction& prediction() const override { return *prediction_; }
  void check(const process::Condition*) const override {}

  void eval(process::Space&, const process::Query& query, std::span<const ConditionPtr> conditions,
            std::span<Vec> out) const override {
    const nb::gil_scoped_acquire lock;
    check_signals();
    nb::list which;
    for (const auto& condition : conditions) {
      which.append(condition == nullptr ? 0 : static_cast<const Conditioned&>(*condition).kind);
    }
    const nb::object result =
        (*call_)(view_of(query.x, shape_), copy_of(query.t), copy_of(query.rows), which);
    const auto arrays = nb::cast<nb::list>(result);
    for (std::size_t i = 0; i < conditions.size(); ++i) {
      // Arrays of other types are converted, which is the only copy.
      const auto array = nb::cast<Floats>(arrays[i]);
      const auto count = static_cast<std::size_t>(query.x.rows() * query.x.dims());
      GRADATIM_CHECK(array.size() == count, UsageError, 1140,
                     "the field returned {} numbers for states of {} (shape [rows, ...]); it must "
                     "return one for each",
                     array.size(), count);
      // Dropped by whoever drops the state last, who may not hold the lock.
      auto owner = std::shared_ptr<const Floats>(new Floats(array), [](const Floats* held) {
        const nb::gil_scoped_acquire inner;
        delete held;
      });
      out[i] = Space::borrow(owner->data(), query.x.rows(), query.x.dims(), owner);
    }
  }

 private:
  std::shared_ptr<const nb::object> call_;
  std::vector<std::int64_t> shape_;
  std::shared_ptr<const process::Prediction> prediction_;
};

// All states of a sampling, step by step.
class Trajectory {
 public:
  process::BetweenSteps recorder() {
    return [this](std::int64_t step, double, Vec& state) {
      const auto k = static_cast<std::size_t>(step);
      if (states_.size() <= k) states_.resize(k + 1);
      const float* data = Space::data(state);
      states_[k].insert(states_[k].end(), data, data + state.rows() * state.dims());
    };
  }
  std::size_t steps() const { return states_.size(); }
  std::vector<float> joined() const {
    std::vector<float> all;
    for (const auto& state : states_) all.insert(all.end(), state.begin(), state.end());
    return all;
  }

 private:
  std::vector<std::vector<float>> states_;
};

nb::object sample(const std::string& settings, nb::object call, std::int64_t rows,
                  const std::vector<std::int64_t>& shape, std::uint64_t seed, const Labels& wanted,
                  const Labels& shunned, const std::vector<double>& start, std::int64_t batch,
                  bool whole_way, nb::handle on_step, int threads) {
  const auto sampler = api::build_as<process::Sampler>(api::settings_from_json(settings));
  process::SampleRequest request{.rows = rows, .seed = seed, .batch = batch, .start = start};
  for (const auto size : shape) request.dims *= size;
  const auto condition = [&](const Labels& labels, int kind) -> ConditionPtr {
    if (!labels) return nullptr;
    if (call.is_none()) return std::make_shared<process::Labels>(*labels);
    return std::make_shared<Conditioned>(kind);
  };
  request.condition = condition(wanted, 1);
  request.negative = condition(shunned, 2);
  StepObserver observer(on_step, nb::none());
  request.observer = &observer;
  process::FieldOn field;  // empty: the sampler's own oracle
  if (!call.is_none()) {
    field = [&](const auto&, const auto& prediction) {
      const nb::gil_scoped_acquire lock;
      return std::make_shared<PythonField>(call, shape, prediction);
    };
  }
  Trajectory trajectory;
  if (whole_way) request.between = trajectory.recorder();
  auto samples = unlocked(threads, [&] { return sampler->sample(field, std::move(request)); });
  std::vector<std::size_t> sizes{static_cast<std::size_t>(rows)};
  for (const auto size : shape) sizes.push_back(static_cast<std::size_t>(size));
  if (whole_way) {
    sizes.insert(sizes.begin(), trajectory.steps());
    samples = trajectory.joined();
  }
  auto* kept = new std::vector<float>(std::move(samples));
  nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<float>*>(p); });
  return nb::cast(nb::ndarray<nb::numpy, float>(kept->data(), sizes.size(), sizes.data(), owner));
}

}  // namespace

void bind_sample(nb::module_& module) {
  module.def("sample", &sample, nb::arg("settings"), nb::arg("field").none(), nb::arg("rows"),
             nb::arg("shape"), nb::arg("seed"), nb::arg("labels").none(),
             nb::arg("negative").none(), nb::arg("start"), nb::arg("batch"), nb::arg("trajectory"),
             nb::arg("on_step").none(), nb::arg("threads"),
             "Samples [rows, *shape] from a function.");
  module.def(
      "sample_times",
      [](const std::string& settings) {
        return copy_of(std::span<const double>(
            api::build_as<process::Sampler>(api::settings_from_json(settings))->times()));
      },
      nb::arg("settings"), "The times of a sampler's grid.");
}

}  // namespace gradatim::python
