#include "gradatim/process/diffusers/scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/process/diffusers/correct.h"
#include "gradatim/process/diffusers/families.h"
#include "gradatim/process/diffusers/schedule.h"

namespace gradatim::process::diffusers {
namespace {

// Callers hold timesteps as float32.
bool same(double a, double b) { return std::abs(a - b) <= 2e-6 * std::max(1.0, std::abs(b)); }

constexpr std::size_t kPass = 4;  // forms that a space takes at a time

}  // namespace

Scheduler::Scheduler(Config config, Mode mode) : config_(std::move(config)), mode_(mode) {}

void Scheduler::lay() {
  if (mode_ == Mode::compat) {
    plan_ = config_.family().lay(config_, request_);
  } else {
    plan_ = lay_correct(config_, request_, differences_);
  }
}

void Scheduler::set_timesteps(Request request) {
  GRADATIM_CHECK(
      request.steps.has_value() + !request.timesteps.empty() + !request.sigmas.empty() <= 1 ||
          config_.has("shift"),
      UsageError, 1123, "give one of steps, timesteps and sigmas");
  request.eta = request_.eta;
  request_ = std::move(request);
  index_.reset();
  begin_.reset();
  slots_.clear();
  lay();
}

void Scheduler::set_keywords(std::optional<double> eta, double churn, double churn_from,
                             double churn_to, double noise_scale) {
  if (eta == request_.eta && churn == request_.churn && churn_from == request_.churn_from &&
      churn_to == request_.churn_to && noise_scale == request_.noise_scale) {
    return;
  }
  request_.eta = eta;
  request_.churn = churn;
  request_.churn_from = churn_from;
  request_.churn_to = churn_to;
  request_.noise_scale = noise_scale;
  if (!plan_.calls.empty()) lay();
}

void Scheduler::set_begin_index(std::size_t begin) {
  begin_ = begin;
  index_.reset();
}

// The second of equal timesteps, where there are several: whoever starts in the middle starts
// behind the pair's first.
std::size_t Scheduler::find(double timestep) const {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < plan_.calls.size(); ++i) {
    if (!same(timestep, plan_.calls[i].timestep)) continue;
    if (found || plan_.by_time || i == 0) return i;
    found = i;
  }
  GRADATIM_CHECK(found.has_value(), UsageError, 1124,
                 "timestep {} is not one of the schedule's; take those of 'timesteps'", timestep);
  return *found;
}

std::size_t Scheduler::next(double timestep) {
  if (plan_.calls.empty()) lay();
  if (plan_.by_time) return find(timestep);
  if (!index_) {
    index_ = begin_ ? *begin_ : find(timestep);
    slots_.clear();
    if (*index_ != request_.begin) {  // histories begin here
      request_.begin = *index_;
      lay();
    }
  }
  GRADATIM_CHECK(*index_ < plan_.calls.size(), UsageError, 1125,
                 "all {} steps of the schedule are done; call set_timesteps to begin anew",
                 plan_.calls.size());
  return *index_;
}

double Scheduler::input_scale(double timestep) { return plan_.calls[next(timestep)].input_scale; }
bool Scheduler::draws(double timestep) { return plan_.calls[next(timestep)].draws; }

Level Scheduler::level(double timestep) {
  if (config_.family().spacing != Spacing::whole || !config_.has("beta_schedule")) {
    return plan_.calls[find(timestep)].level;
  }
  if (table_.empty()) table_ = levels(alpha_bars(config_));
  GRADATIM_CHECK(timestep >= 0.0 && timestep < static_cast<double>(table_.size()), UsageError, 1124,
                 "timestep {} is not one of the {} of training", timestep, table_.size());
  return table_[static_cast<std::size_t>(timestep)];
}

Vec Scheduler::treated(Space& space, const Call& call, const Form& form) const {
  Vec data = space.combine(form);
  if (call.treatment == Treatment::none) return data;
  std::vector<double> bound(static_cast<std::size_t>(data.rows()), call.most);
  if (call.treatment == Treatment::clamp) return space.clamp(data, bound);
  space.reduce(Reduction::abs_quantile, data, {}, call.level_of_quantile, bound);
  for (double& each : bound) each = std::min(std::max(each, 1.0), call.most);
  data = space.clamp(data, bound);
  for (double& each : bound) each = 1.0 / each;
  Form divided;
  divided.add(1.0, data, bound);
  return space.combine(divided);
}

Term Scheduler::noise_of(Space& space, const Sum& sum, double c, const Vec& drawn,
                         const Vec& variance) const {
  if (sum.spread == 0.0) return {.c = c, .x = drawn};
  if (variance.empty()) {
    if (mode_ == Mode::compat) refuse(config_, "outputs without the variances of learned_range");
    return {.c = c * std::exp(-sum.spread), .x = drawn};
  }
  Form exponent;
  exponent.add(sum.spread, variance);
  return {.c = c, .x = drawn, .weight = space.exp(space.combine(exponent))};
}

Stepped Scheduler::step(Space& space, const Vec& output, double timestep, const Vec& sample,
                        const Vec& noise, bool wants_data, const Vec& variance) {
  const std::size_t place = next(timestep);
  const Call& call = plan_.calls[place];
  slots_.resize(static_cast<std::size_t>(plan_.slots));
  slots_[static_cast<std::size_t>(call.in)] = sample;
  Vec drawn = noise;
  if (call.draws && drawn.empty()) {
    drawn = space.normal({Stream::noise, static_cast<std::uint32_t>(place)}, sample.rows(),
                         sample.dims());
  }
  Form data;
  const auto add = [&](Form& form, const Sum& sum) {
    for (const Sum::Part& part : sum.parts) {
      if (part.slot == kAnswer) {
        form.add(part.c, data);
      } else if (part.slot == kOutput) {
        form.add(part.c, output);
      } else if (part.slot == kNoise) {
        form.add(noise_of(space, sum, part.c, drawn, variance));
      } else {
        form.add(part.c, slots_[static_cast<std::size_t>(part.slot)]);
      }
    }
    if (form.terms().empty()) form.add(Term{.c = 0.0, .x = sample});  // it has the shape
  };
  Form raw;
  add(raw, call.data);
  data = call.treatment == Treatment::none ? raw : Form(treated(space, call, raw));

  const std::size_t count = call.moves.size();
  std::vector<Form> forms(count + (wants_data ? 1 : 0));
  for (std::size_t i = 0; i < count; ++i) add(forms[i], call.moves[i].sum);
  if (wants_data) forms.back() = data;
  std::vector<Vec> made(forms.size());
  for (std::size_t i = 0; i < forms.size(); i += kPass) {
    const std::size_t most = std::min(kPass, forms.size() - i);
    space.combine({forms.data() + i, most}, {made.data() + i, most});
  }
  for (std::size_t i = 0; i < count; ++i) {
    slots_[static_cast<std::size_t>(call.moves[i].slot)] = made[i];
  }
  if (!plan_.by_time) index_ = place + 1;
  return {slots_[static_cast<std::size_t>(call.out)], wants_data ? made.back() : Vec{}};
}

}  // namespace gradatim::process::diffusers
