// Schedulers in the place of diffusers' own. Arrays are [rows, dims] over the caller's memory.
#include "gradatim/process/diffusers/scheduler.h"

#include <fmt/format.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>

#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/process/host_space.h"
#include "gradatim/python/module.h"

namespace nb = nanobind;

namespace gradatim::python {
namespace {

using process::Vec;
using process::diffusers::Config;
using process::diffusers::Mode;
using process::diffusers::Request;
using process::diffusers::Scheduler;
using Space = process::HostSpace<float>;
using Floats = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

Vec borrowed(const Floats& array) {
  auto owner = std::shared_ptr<const Floats>(new Floats(array), [](const Floats* held) {
    const nb::gil_scoped_acquire inner;
    delete held;
  });
  return Space::borrow(owner->data(), static_cast<std::int64_t>(array.shape(0)),
                       static_cast<std::int64_t>(array.shape(1)), owner);
}

// [rows, dims]; the state lives as long as the array.
nb::object lent(const Vec& x) {
  if (x.empty()) return nb::none();
  auto* kept = new Vec(x);
  nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<Vec*>(p); });
  const std::size_t shape[] = {static_cast<std::size_t>(x.rows()),
                               static_cast<std::size_t>(x.dims())};
  return nb::cast(nb::ndarray<nb::numpy, float>(Space::writable(x), 2, shape, owner));
}

// A scheduler with the noise that it draws where the caller gives none.
class Stepper {
 public:
  Stepper(const std::string& config, bool compat, const std::string& noise)
      : scheduler_(Config::parse(config), compat ? Mode::compat : Mode::correct), noise_(noise) {
    seed(0);
  }

  void seed(std::uint64_t seed) {
    const auto kind = api::build_as<process::Noise>(
        api::settings_from_json("{\"component\": \"process.noise." + noise_ + "\"}"));
    space_ = std::make_unique<Space>(kind->source(seed));
  }

  void set_timesteps(std::optional<int> steps, std::vector<double> timesteps,
                     std::vector<double> sigmas, std::optional<double> mu) {
    Request request;
    request.steps = steps;
    request.timesteps = std::move(timesteps);
    request.sigmas = std::move(sigmas);
    request.mu = mu;
    scheduler_.set_timesteps(std::move(request));
  }

  nb::tuple step(const Floats& output, double timestep, const Floats& sample,
                 const std::optional<Floats>& noise, bool wants_data,
                 const std::optional<Floats>& variance) {
    const Vec z = noise ? borrowed(*noise) : Vec{};
    const auto done = scheduler_.step(*space_, borrowed(output), timestep, borrowed(sample), z,
                                      wants_data, variance ? borrowed(*variance) : Vec{});
    return nb::make_tuple(lent(done.sample), lent(done.data));
  }

  nb::object add_noise(const Floats& sample, const Floats& noise,
                       const std::vector<double>& timesteps) {
    GRADATIM_CHECK(timesteps.size() == 1 || timesteps.size() == sample.shape(0), UsageError, 1127,
                   "{} timesteps for {} rows; give one, or one a row", timesteps.size(),
                   sample.shape(0));
    std::vector<double> alpha, sigma;
    for (std::size_t row = 0; row < sample.shape(0); ++row) {
      const auto level = scheduler_.level(timesteps[timesteps.size() == 1 ? 0 : row]);
      alpha.push_back(level.alpha);
      sigma.push_back(level.sigma);
    }
    process::Form form;
    form.add(1.0, borrowed(sample), alpha);
    form.add(1.0, borrowed(noise), sigma);
    return lent(space_->process::Space::combine(form));
  }

  Scheduler& scheduler() { return scheduler_; }

 private:
  Scheduler scheduler_;
  std::string noise_;
  std::unique_ptr<Space> space_;
};

}  // namespace

void bind_scheduler(nb::module_& module) {
  nb::class_<Stepper>(module, "Scheduler")
      .def(nb::init<const std::string&, bool, const std::string&>())
      .def("seed", &Stepper::seed)
      .def("set_timesteps", &Stepper::set_timesteps, nb::arg("steps").none(), nb::arg("timesteps"),
           nb::arg("sigmas"), nb::arg("mu").none())
      .def(
          "set_keywords",
          [](Stepper& self, std::optional<double> eta, double churn, double from, double to,
             double noise) { self.scheduler().set_keywords(eta, churn, from, to, noise); },
          nb::arg("eta").none(), nb::arg("churn"), nb::arg("churn_from"), nb::arg("churn_to"),
          nb::arg("noise"))
      .def("set_begin_index",
           [](Stepper& self, std::size_t begin) { self.scheduler().set_begin_index(begin); })
      .def("input_scale", [](Stepper& self, double t) { return self.scheduler().input_scale(t); })
      .def("draws", [](Stepper& self, double t) { return self.scheduler().draws(t); })
      .def("step", &Stepper::step, nb::arg("output"), nb::arg("timestep"), nb::arg("sample"),
           nb::arg("noise").none(), nb::arg("wants_data"), nb::arg("variance").none())
      .def("add_noise", &Stepper::add_noise)
      .def("timesteps", [](Stepper& self) { return self.scheduler().plan().timesteps; })
      .def("sigmas", [](Stepper& self) { return self.scheduler().plan().sigmas; })
      .def("init_noise_sigma",
           [](Stepper& self) { return self.scheduler().plan().init_noise_sigma; })
      .def("order", [](Stepper& self) { return self.scheduler().plan().order; })
      .def("differences", [](Stepper& self) { return self.scheduler().differences(); });
}

}  // namespace gradatim::python
