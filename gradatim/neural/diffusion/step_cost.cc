#include "gradatim/neural/diffusion/step_cost.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "gradatim/process/path/table_path.h"
#include "gradatim/process/planner.h"

namespace gradatim::neural {
namespace {

constexpr std::int64_t kTableSteps = 1000;
const double kLogRoot = 0.5 * std::log(2.0 * std::numbers::pi);

std::int64_t steps_of(const process::Path& path) {
  const auto* table = dynamic_cast<const process::TablePath*>(&path);
  return table == nullptr ? kTableSteps : static_cast<std::int64_t>(table->size());
}

// -ln of the mass that N(D, exp(2 log_deviation)) gives to the bin of x, with c = x - D, and its
// derivative by the logarithm of the deviation. The bin is mirrored to the falling side, where
// ln(Phi(b) - Phi(a)) = ln Phi(b) + ln(1 - Phi(a) / Phi(b)) keeps its digits.
Cost bin_cost(const Tensor& c, const Tensor& log_deviation, const Tensor& data, const Bins& bins) {
  const Tensor scale = (-log_deviation).exp();
  const Tensor first = data<bins.low + bins.half, last = data> bins.high - bins.half;
  const Tensor open = first.logical_or(last);
  // Where the bin is open, x - D is seen from its open side; else from the nearer tail.
  const Tensor side = at::where(open, at::where(first, c, -c), -c.abs());
  const Tensor b = (side + bins.half) * scale, a = (side - bins.half) * scale;
  const auto log_density = [](const Tensor& z) { return z.square() * -0.5 - kLogRoot; };
  const Tensor below = at::special_log_ndtr(b);
  const Tensor share = (-at::expm1(at::special_log_ndtr(a) - below)).log();
  const Tensor log_mass = at::where(open, below, below + share);
  const Tensor upper = b * (log_density(b) - log_mass).exp();
  const Tensor lower = a * (log_density(a) - log_mass).exp();
  return {-log_mass, at::where(open, upper, upper - lower)};
}

}  // namespace

StepTable::StepTable(std::shared_ptr<const process::Path> path)
    : path_(std::move(path)), steps_(steps_of(*path_)) {}

double StepTable::time(std::int64_t place) const {
  return path_->last() * static_cast<double>(place) / static_cast<double>(steps_);
}

std::int64_t StepTable::place(double t) const {
  // A time of the table is its own place, but for rounding.
  const double place = std::ceil(t / path_->last() * static_cast<double>(steps_) - 1e-9);
  return std::clamp(static_cast<std::int64_t>(place), std::int64_t{1}, steps_);
}

StepTerms StepTable::terms(std::int64_t place, const process::Prediction& prediction) const {
  const process::PathPoint from = at(place), to = at(place - 1);
  if (from.sigma == 0.0) return {};  // nothing to take away
  StepTerms terms{.gain = prediction.data(from).f};
  if (to.sigma > 0.0) {
    const double root =
        terms.gain * to.alpha * process::posterior_deviation(from, to) / (to.sigma * to.sigma);
    terms.log_range = 2.0 * std::log(from.sigma / to.sigma);
    terms.error = root * root;
    return terms;
  }
  const double least =
      place < steps_ ? process::posterior_deviation(at(place + 1), from) : from.sigma;
  terms.to_data = true;
  terms.log_range = 2.0 * std::log(from.sigma / least);
  terms.error = std::pow(terms.gain / least, 2.0);
  terms.log_least = 2.0 * std::log(least);
  terms.offset = 2.0 * kLogRoot + terms.log_least;
  return terms;
}

StepCosts step_costs(std::span<const StepTerms> terms, const Tensor& data, const Bins& bins) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(data.dim()), 1);
  sizes[0] = data.size(0);
  const auto column = [&](const auto& of) {
    std::vector<float> numbers;
    for (const StepTerms& each : terms) numbers.push_back(static_cast<float>(of(each)));
    return at::tensor(numbers).view(sizes).to(data.device());
  };
  std::vector<std::int64_t> binned;
  for (std::size_t row = 0; row < terms.size(); ++row) {
    if (terms[row].to_data && bins.half > 0.0) binned.push_back(static_cast<std::int64_t>(row));
  }
  return {.log_range = column([](const StepTerms& s) { return s.log_range; }),
          .error = column([](const StepTerms& s) { return s.error; }),
          .offset = column([](const StepTerms& s) { return s.offset; }),
          .to_data = column([](const StepTerms& s) { return s.to_data ? 1.0 : 0.0; }),
          .binned = at::tensor(binned, at::kLong).to(data.device()),
          .gain = column([](const StepTerms& s) { return s.gain; }),
          .log_least = column([](const StepTerms& s) { return s.log_least; }),
          .data = data,
          .bins = bins};
}

Cost step_cost(const Tensor& error, const Tensor& v, const StepCosts& steps) {
  const Tensor grown = (v + 1.0) * steps.log_range * 0.5;  // f L
  const Tensor shrunk = at::expm1(-grown);
  const Tensor of_error = error.square() * steps.error * (shrunk + 1.0);
  const Tensor both = (1.0 - steps.to_data) * shrunk;
  Cost made{0.5 * (steps.offset + grown + both + of_error),
            0.25 * steps.log_range * (steps.to_data - both - of_error)};
  if (steps.binned.numel() == 0) return made;
  const auto rows = [&](const Tensor& x) {
    return x.index_select(0, steps.binned).to(at::kDouble);
  };
  const Cost bins =
      bin_cost(-rows(steps.gain) * rows(error), 0.5 * (rows(steps.log_least) + rows(grown)),
               rows(steps.data), steps.bins);
  made.cost.index_copy_(0, steps.binned, bins.cost.to(v.scalar_type()));
  made.gradient.index_copy_(0, steps.binned,
                            (0.25 * rows(steps.log_range) * bins.gradient).to(v.scalar_type()));
  return made;
}

}  // namespace gradatim::neural
