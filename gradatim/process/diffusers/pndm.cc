// PNDM (Liu et al. 2022): three pseudo Runge-Kutta steps of four calls each, then linear multistep
// on the raw outputs; each move is a deterministic DDIM step.
#include <algorithm>
#include <cmath>

#include "gradatim/process/diffusers/families.h"
#include "gradatim/process/diffusers/schedule.h"

namespace gradatim::process::diffusers {
namespace {

constexpr int kStart = 1, kSum = 2, kHistory = 3;  // and two more: three past outputs

class Layer {
 public:
  Layer(const Config& config, const Request& request)
      : config_(config), table_(alpha_bars(config)) {
    plan_.slots = kHistory + 3;
    const int count = steps(request, static_cast<int>(table_.size()));
    ratio_ = static_cast<int>(table_.size()) / count;
    clean_ = config.flag("set_alpha_to_one") ? 1.0 : table_.front();
    choose(whole_timesteps(config, request));
  }

  Plan plan(std::size_t begin) {
    for (std::size_t i = 0; i < std::min(begin, plan_.timesteps.size()); ++i) {
      plan_.calls.push_back({.timestep = plan_.timesteps[i]});
    }
    for (std::size_t i = begin; i < plan_.timesteps.size(); ++i) {
      const auto counter = static_cast<int>(i - begin);
      counter < kutta_ ? kutta(plan_.timesteps[i], counter) : multi(plan_.timesteps[i], counter);
    }
    return std::move(plan_);
  }

 private:
  void choose(std::vector<double> falling) {
    const std::size_t n = falling.size();
    auto& all = plan_.timesteps;
    if (config_.flag("skip_prk_steps")) {
      all = falling;
      if (n > 1) all.insert(all.begin() + 1, falling[1]);  // asked twice
      return;
    }
    if (n < 4) refuse(config_, "fewer than 4 steps with skip_prk_steps false");
    // The first four timesteps, each with its middle, as Runge-Kutta asks for them.
    for (std::size_t k = 0; k < 3; ++k) {
      const double middle = falling[k + 1] + ratio_ / 2;
      all.insert(all.end(), {falling[k], middle, middle, falling[k + 1]});
    }
    kutta_ = static_cast<int>(all.size());
    all.insert(all.end(), falling.begin() + 3, falling.end());
  }

  double entry(double t) const { return t < 0.0 ? clean_ : entry_of(table_, t); }

  // From `x` at t to `to`, where the output is `f`.
  Sum moved(int x, const Sum& f, double t, double to) const {
    const double a = entry(t);
    const double b = entry(to);
    const double root = std::sqrt(b / a);
    const double weight = (b - a) / (a * std::sqrt(1.0 - b) + std::sqrt(a * (1.0 - a) * b));
    const bool v = config_.is("prediction_type", "v_prediction");
    if (!v && !config_.is("prediction_type", "epsilon")) {
      refuse(config_, "this prediction_type");
    }
    return Sum()
        .add(root - (v ? weight * std::sqrt(1.0 - a) : 0.0), x)
        .add(-weight * (v ? std::sqrt(a) : 1.0), f);
  }

  Call begun(double t) const {
    Call call{.timestep = t};
    const double a = entry(std::max(t, 0.0));
    call.level = {std::sqrt(a), std::sqrt(1.0 - a)};
    call.data = data_of(config_, call.level);
    return call;
  }

  // Outputs of the past: how many, and where.
  int past(int back) const { return kHistory + (written_ - back + 300) % 3; }

  void kutta(double t, int counter) {
    constexpr double kWeights[] = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6};
    const int part = counter % 4;
    const double to = t - (counter % 2 == 1 ? 0 : ratio_ / 2);
    const double from = plan_.timesteps[static_cast<std::size_t>(counter / 4 * 4)];
    Call call = begun(t);
    const Sum fresh = Sum().add(1.0, kOutput);
    if (part == 0) {
      call.let(kState, moved(kState, fresh, from, to));
      call.let(kStart, Sum().add(1.0, kState)).let(kSum, Sum().add(kWeights[0], kOutput));
      ++written_;
      call.let(past(0), fresh);
    } else {
      const Sum sum = Sum().add(1.0, kSum).add(kWeights[part], kOutput);
      call.let(kState, moved(kStart, part == 3 ? sum : fresh, from, to));
      if (part < 3) call.let(kSum, sum);
    }
    known_ = std::min(written_, 3);
    plan_.calls.push_back(std::move(call));
  }

  void multi(double t, int counter) {
    Call call = begun(t);
    Sum f = Sum().add(1.0, kOutput);
    double from = t, to = t - ratio_;
    int x = kState;
    if (counter == 1) {  // the first step again, with the slope at its end
      to = t;
      from = t + ratio_;
      x = kStart;
      f = Sum().add(0.5, kOutput).add(0.5, past(0));
    } else if (known_ == 1) {
      f = Sum().add(1.5, kOutput).add(-0.5, past(0));
    } else if (known_ == 2) {
      f = Sum().add(23.0 / 12, kOutput).add(-16.0 / 12, past(0)).add(5.0 / 12, past(1));
    } else if (known_ >= 3) {
      f = Sum()
              .add(55.0 / 24, kOutput)
              .add(-59.0 / 24, past(0))
              .add(37.0 / 24, past(1))
              .add(-9.0 / 24, past(2));
    }
    call.let(kState, moved(x, f, from, to));
    if (counter == 0) call.let(kStart, Sum().add(1.0, kState));
    if (counter != 1) {
      ++written_;
      known_ = std::min(known_ + 1, 3);
      call.let(past(0), Sum().add(1.0, kOutput));
    }
    plan_.calls.push_back(std::move(call));
  }

  const Config& config_;
  std::vector<double> table_;
  Plan plan_;
  int ratio_ = 1, kutta_ = 0, written_ = 0, known_ = 0;
  double clean_ = 1.0;
};

Plan lay(const Config& config, const Request& request) {
  return Layer(config, request).plan(request.begin);
}

}  // namespace

const Family kPndm{"PNDMScheduler", R"({
  "num_train_timesteps": 1000, "beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear",
  "trained_betas": null, "skip_prk_steps": false, "set_alpha_to_one": false,
  "prediction_type": "epsilon", "timestep_spacing": "leading", "steps_offset": 0})",
                   lay, Spacing::whole, [](const Config&, const Request&) -> std::string {
                     return R"({"component": "process.solver.plms"})";
                   }};

}  // namespace gradatim::process::diffusers
