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

// What Python gave is dropped by whoever drops the state last, who may not hold the lock.
std::shared_ptr<const Floats> kept(const Floats& array) {
  return {new Floats(array), [](const Floats* held) {
            const nb::gil_scoped_acquire lock;
            delete held;
          }};
}

// A float32 state as Python sees it, and a Vec of what it returns: in a space of float32 both over
// the same memory, in any other by a copy.
class Exchange {
 public:
  Exchange(process::Space& space, const std::vector<std::int64_t>& shape)
      : space_(space), plain_(dynamic_cast<Space*>(&space) != nullptr), shape_(shape) {}

  nb::object out(const Vec& x) const {
    if (plain_) return view_of(x, shape_);
    std::vector<double> numbers(static_cast<std::size_t>(x.rows() * x.dims()));
    space_.copy_out(x, numbers);
    Space floats;
    return view_of(floats.from(numbers, x.rows(), x.dims()), shape_);
  }
  // Arrays of other types are converted.
  Vec in(nb::handle object, const Vec& like) const {
    const auto array = nb::cast<Floats>(object);
    std::vector<std::int64_t> got;
    for (std::size_t i = 0; i < array.ndim(); ++i) {
      got.push_back(static_cast<std::int64_t>(array.shape(i)));
    }
    std::vector<std::int64_t> wanted{like.rows()};
    wanted.insert(wanted.end(), shape_.begin(), shape_.end());
    const bool column = like.dims() == 1 && got.size() == 1 && got[0] == like.rows();
    GRADATIM_CHECK(got == wanted || column, UsageError, 1140,
                   "the field returned an array of shape [{}] for states of [{}]",
                   fmt::join(got, ", "), fmt::join(wanted, ", "));
    const std::size_t count = array.size();
    if (plain_) {
      const auto owner = kept(array);
      return Space::borrow(owner->data(), like.rows(), like.dims(), owner);
    }
    const std::vector<double> numbers(array.data(), array.data() + count);
    return space_.from(numbers, like.rows(), like.dims());
  }

 private:
  process::Space& space_;
  bool plain_;
  const std::vector<std::int64_t>& shape_;
};

// call(x [rows, *shape], t [rows], places [rows], which [conditions]) -> one array a condition, and
// vjp(x, t, places, which, w) -> w^T dF/dx or None, as _fields.py adapts the user's function.
class PythonField final : public process::Field {
 public:
  PythonField(nb::object call, nb::object vjp, std::vector<std::int64_t> shape,
              std::shared_ptr<const process::Prediction> prediction)
      : differentiable_(!vjp.is_none()),
        call_(shared(std::move(call))),
        vjp_(shared(std::move(vjp))),
        shape_(std::move(shape)),
        prediction_(std::move(prediction)) {}

  const process::Prediction& prediction() const override { return *prediction_; }
  bool differentiable() const override { return differentiable_; }
  void check(const process::Condition*) const override {}

  void eval(process::Space& space, const process::Query& query,
            std::span<const ConditionPtr> conditions, std::span<Vec> out) const override {
    const nb::gil_scoped_acquire lock;
    check_signals();
    nb::list which;
    for (const auto& condition : conditions) which.append(kind_of(condition));
    const Exchange exchange(space, shape_);
    const auto arrays = nb::cast<nb::list>(
        (*call_)(exchange.out(query.x), copy_of(query.t), copy_of(query.rows), which));
    for (std::size_t i = 0; i < conditions.size(); ++i) out[i] = exchange.in(arrays[i], query.x);
  }

  Vec vjp(process::Space& space, const process::Query& query, const ConditionPtr& condition,
          const Vec& w) const override {
    if (!differentiable_) return Field::vjp(space, query, condition, w);
    const nb::gil_scoped_acquire lock;
    check_signals();
    const Exchange exchange(space, shape_);
    return exchange.in((*vjp_)(exchange.out(query.x), copy_of(query.t), copy_of(query.rows),
                               kind_of(condition), exchange.out(w)),
                       query.x);
  }

 private:
  static int kind_of(const ConditionPtr& condition) {
    return condition == nullptr ? 0 : static_cast<const Conditioned&>(*condition).kind;
  }
  bool differentiable_;
  std::shared_ptr<const nb::object> call_, vjp_;
  std::vector<std::int64_t> shape_;
  std::shared_ptr<const process::Prediction> prediction_;
};

// 0 where the product is too large for any memory; sampling refuses it.
std::int64_t numbers_in(const std::vector<std::int64_t>& shape) {
  constexpr std::int64_t kMost = std::int64_t{1} << 48;
  std::int64_t count = 1;
  for (const auto size : shape) {
    if (size < 1 || size > kMost / count) return 0;
    count *= size;
  }
  return count;
}

process::FieldOn field_of(const nb::object& call, const nb::object& vjp,
                          const std::vector<std::int64_t>& shape) {
  if (call.is_none()) return {};  // the sampler's own oracle
  return [=](const auto&, const auto& prediction) {
    const nb::gil_scoped_acquire lock;
    return std::make_shared<PythonField>(call, vjp, shape, prediction);
  };
}

ConditionPtr condition_of(const Labels& labels, int kind, bool oracle) {
  if (!labels) return nullptr;
  if (oracle) return std::make_shared<process::Labels>(*labels);
  return std::make_shared<Conditioned>(kind);
}

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
  request.dims = numbers_in(shape);
  request.condition = condition_of(wanted, 1, call.is_none());
  request.negative = condition_of(shunned, 2, call.is_none());
  StepObserver observer(on_step, nb::none());
  request.observer = &observer;
  const auto field = field_of(call, nb::none(), shape);
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

// -> log_prob, standard_error (nats), evaluations, [rows] each.
nb::tuple log_prob(const std::string& settings, nb::object call, nb::object vjp,
                   const nb::ndarray<const double, nb::c_contig, nb::device::cpu>& x,
                   const std::vector<std::int64_t>& shape, const Labels& labels, int probes,
                   std::uint64_t seed, bool end_field, double atol, double rtol, int threads) {
  const auto sampler = api::build_as<process::Sampler>(api::settings_from_json(settings));
  const std::int64_t dims = numbers_in(shape);
  const auto field = field_of(call, vjp, shape);
  const auto condition = condition_of(labels, 1, call.is_none());
  const process::LikelihoodOptions options{
      .probes = probes,
      .seed = seed,
      .end = end_field ? process::EndDensity::field : process::EndDensity::start,
      .ode = {.atol = atol, .rtol = rtol}};
  const auto found = unlocked(threads, [&] {
    return sampler->log_prob(field, {x.data(), x.size()}, dims, condition, options);
  });
  return nb::make_tuple(copy_of(std::span(found.log_prob)),
                        copy_of(std::span(found.standard_error)),
                        copy_of(std::span(found.evaluations)));
}

}  // namespace

void bind_sample(nb::module_& module) {
  module.def("sample", &sample, nb::arg("settings"), nb::arg("field").none(), nb::arg("rows"),
             nb::arg("shape"), nb::arg("seed"), nb::arg("labels").none(),
             nb::arg("negative").none(), nb::arg("start"), nb::arg("batch"), nb::arg("trajectory"),
             nb::arg("on_step").none(), nb::arg("threads"),
             "Samples [rows, *shape] from a function.");
  module.def("log_prob", &log_prob, nb::arg("settings"), nb::arg("field").none(),
             nb::arg("vjp").none(), nb::arg("x"), nb::arg("shape"), nb::arg("labels").none(),
             nb::arg("probes"), nb::arg("seed"), nb::arg("end_field"), nb::arg("atol"),
             nb::arg("rtol"), nb::arg("threads"), "ln p of data along the probability flow.");
  module.def(
      "sample_times",
      [](const std::string& settings) {
        return copy_of(std::span<const double>(
            api::build_as<process::Sampler>(api::settings_from_json(settings))->times()));
      },
      nb::arg("settings"), "The times of a sampler's grid.");
}

}  // namespace gradatim::python
