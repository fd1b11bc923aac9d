#include "gradatim/process/ode.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"

namespace gradatim::process {
namespace {

constexpr int kStages = 7;
constexpr std::array<double, kStages> kPlace = {0.0, 0.2, 0.3, 0.8, 8.0 / 9.0, 1.0, 1.0};
// Row i gives the state of slope i; the last row is the solution of order 5.
constexpr std::array<std::array<double, 6>, kStages> kInner = {
    {{},
     {1.0 / 5.0},
     {3.0 / 40.0, 9.0 / 40.0},
     {44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0},
     {19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0},
     {9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0},
     {35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0}}};
// Order 5 less order 4.
constexpr std::array<double, kStages> kError = {
    71.0 / 57600.0,      0.0,          -71.0 / 16695.0, 71.0 / 1920.0,
    -17253.0 / 339200.0, 22.0 / 525.0, -1.0 / 40.0};

// Where flows whose slope at exact data is not 0 are asked for it.
constexpr double kLeast = 1e-6;

// The rows that are still on their way.
class Rows {
 public:
  Rows(Space& space, const Drift& drift, const Vec& x, double from, double to,
       std::span<const std::int64_t> places, const OdeOptions& options)
      : space_(space), drift_(drift), options_(options), to_(to), x_(x) {
    const auto count = static_cast<std::size_t>(x.rows());
    result_.evaluations.assign(count, 1);
    result_.x = x;
    places_.assign(places.begin(), places.end());
    index_.resize(count);
    std::iota(index_.begin(), index_.end(), 0);
    t_.assign(count, from);
    tries_.assign(count, 0);
    grown_.assign(count, true);
    slopes_[0] = drift.slope(space, {x_, t_, places_});
    begin(to - from);
  }

  OdeResult run() {
    while (!index_.empty()) {
      check_interrupt();
      step();
    }
    return std::move(result_);
  }

 private:
  // The first step: a twentieth of the way in which a state would change by its own size.
  void begin(double span) {
    const std::size_t count = index_.size();
    std::vector<double> size(count), speed(count);
    space_.error_rms(x_, x_, x_, options_.atol, options_.rtol, size);
    space_.error_rms(slopes_[0], x_, x_, options_.atol, options_.rtol, speed);
    h_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      GRADATIM_CHECK(std::isfinite(speed[i]) && std::isfinite(size[i]), NumericError, 4021,
                     "the sample is not finite: the field gave NaN or infinity at the start, "
                     "in row {}",
                     places_[i]);
      const double way = std::abs(span);
      double first = speed[i] > 0.0 ? 0.05 * size[i] / speed[i] : way;
      first = std::clamp(first, 1e-3 * way, 0.2 * way);
      if (options_.steps > 0) first = way / options_.steps;
      h_[i] = std::copysign(first, span);
    }
  }

  void step() {
    const std::size_t count = index_.size();
    std::vector<double> at(count);
    for (std::size_t i = 0; i < count; ++i) {
      // The last step ends at the end, and no crumb is left for another.
      const double left = to_ - t_[i];
      if (std::abs(h_[i]) * (1.0 + 1e-9) >= std::abs(left)) h_[i] = left;
    }
    Vec y;
    for (int stage = 1; stage < kStages; ++stage) {
      Form form(x_);
      for (int j = 0; j < stage; ++j) form.add(kInner[stage][j], slopes_[j], h_);
      y = space_.combine(form);
      for (std::size_t i = 0; i < count; ++i) {
        at[i] = kPlace[stage] == 1.0 && h_[i] == to_ - t_[i] ? to_ : t_[i] + kPlace[stage] * h_[i];
      }
      slopes_[stage] = drift_.slope(space_, {y, at, places_});
    }
    for (const std::int64_t row : index_) {
      result_.evaluations[static_cast<std::size_t>(row)] += kStages - 1;
    }
    judge(y, at);
  }

  // Which rows take the step, and how long the next one is.
  void judge(const Vec& y, const std::vector<double>& at) {
    const std::size_t count = index_.size();
    std::vector<double> error(count);
    Form form;
    for (int j = 0; j < kStages; ++j) form.add(kError[j], slopes_[j], h_);
    space_.error_rms(space_.combine(form), x_, y, options_.atol, options_.rtol, error);
    std::vector<std::int64_t> taken;
    std::vector<bool> arrived(count, false);
    for (std::size_t i = 0; i < count; ++i) {
      const bool finite = std::isfinite(error[i]);
      const bool good = finite && (options_.steps > 0 || error[i] <= 1.0);
      if (good) {
        taken.push_back(static_cast<std::int64_t>(i));
        arrived[i] = at[i] == to_;
        t_[i] = at[i];
      }
      control(i, good, finite ? error[i] : INFINITY);
    }
    x_ = space_.put(x_, taken, space_.take(y, taken));
    slopes_[0] = space_.put(slopes_[0], taken, space_.take(slopes_[kStages - 1], taken));
    leave(arrived);
  }

  void control(std::size_t i, bool good, double error) {
    ++tries_[i];
    if (options_.steps > 0) {
      GRADATIM_CHECK(good, NumericError, 4021,
                     "the sample is not finite: the field gave NaN or infinity between {} and {}",
                     t_[i], t_[i] + h_[i]);
      return;
    }
    const double most = good && grown_[i] ? 5.0 : 1.0;  // no growth right after a refusal
    h_[i] *= std::clamp(0.9 * std::pow(std::max(error, 1e-10), -0.2), 0.2, most);
    grown_[i] = good;
    GRADATIM_CHECK(tries_[i] < options_.most_steps && (good || t_[i] + 0.01 * h_[i] != t_[i]),
                   NumericError, 4022,
                   "the tolerances atol = {}, rtol = {} cannot be kept near {} ({} steps tried); "
                   "raise them, or look at the field there",
                   options_.atol, options_.rtol, t_[i], tries_[i]);
  }

  // Rows at the end go into the result; the others close ranks.
  void leave(const std::vector<bool>& arrived) {
    std::vector<std::int64_t> done, back, stay;
    for (std::size_t i = 0; i < arrived.size(); ++i) {
      (arrived[i] ? done : stay).push_back(static_cast<std::int64_t>(i));
      if (arrived[i]) back.push_back(index_[i]);
    }
    if (done.empty()) return;
    result_.x = space_.put(result_.x, back, space_.take(x_, done));
    for (std::size_t k = 0; k < stay.size(); ++k) {
      const auto i = static_cast<std::size_t>(stay[k]);
      index_[k] = index_[i];
      places_[k] = places_[i];
      t_[k] = t_[i];
      h_[k] = h_[i];
      tries_[k] = tries_[i];
      grown_[k] = grown_[i];
    }
    for (auto* list : {&index_, &places_, &tries_}) list->resize(stay.size());
    t_.resize(stay.size());
    h_.resize(stay.size());
    grown_.resize(stay.size());
    if (stay.empty()) return;
    x_ = space_.take(x_, stay);
    slopes_[0] = space_.take(slopes_[0], stay);
  }

  Space& space_;
  const Drift& drift_;
  OdeOptions options_;
  double to_;
  OdeResult result_;
  Vec x_;  // of the rows still on their way, as what follows
  std::array<Vec, kStages> slopes_;
  std::vector<std::int64_t> index_, places_, tries_;
  std::vector<double> t_, h_;
  std::vector<bool> grown_;
};

}  // namespace

OdeResult integrate(Space& space, const Drift& drift, const Vec& x, double from, double to,
                    std::span<const std::int64_t> rows, const OdeOptions& options) {
  if (from == to || x.rows() == 0) {
    return {x, std::vector<std::int64_t>(static_cast<std::size_t>(x.rows()), 0)};
  }
  return Rows(space, drift, x, from, to, rows, options).run();
}

Angle angle_at(const Path& path, double t) {
  const PathPoint p = path.at(t);
  return {t, std::atan2(p.sigma, p.alpha), std::hypot(p.alpha, p.sigma)};
}

Angle angle_of(const Path& path, double theta) {
  const double cosine = std::cos(theta);
  const double t = path.time_of(cosine < 1e-15 ? INFINITY : std::tan(theta));
  const PathPoint p = path.at(t);
  return {t, theta, std::hypot(p.alpha, p.sigma)};
}

Vec AngleFlow::slope(Space& space, const Query& query) const {
  const std::size_t rows = query.t.size();
  const bool independent = denoiser_.independent_noise();
  std::vector<double> t(rows), norm(rows), own(rows), inverse(rows);
  bool unit = true;
  for (std::size_t i = 0; i < rows; ++i) {
    if (i > 0 && query.t[i] == query.t[i - 1]) {
      t[i] = t[i - 1];
      norm[i] = norm[i - 1];
      own[i] = own[i - 1];
      inverse[i] = inverse[i - 1];
      continue;
    }
    // At 0 the field is asked a little above; its answer is not used where the slope is 0.
    const double theta = query.t[i];
    const bool zero = !(theta > 0.0) && independent;
    const Angle angle =
        angle_of(denoiser_.path(), zero ? 1e-4 : std::max(theta, independent ? 0.0 : kLeast));
    const PathPoint p = denoiser_.path().at(angle.t);
    t[i] = angle.t;
    norm[i] = angle.norm;
    // (cos u - D) / sin, which is cos E - sin D; of x = norm u.
    inverse[i] = zero ? 0.0 : angle.norm / p.sigma;
    own[i] = zero ? 0.0 : p.alpha / (p.sigma * angle.norm);
    unit &= std::abs(norm[i] - 1.0) < 1e-12;
  }
  Vec x = query.x;
  if (!unit) {
    Form scaled;
    scaled.add(1.0, query.x, norm);
    x = space.combine(scaled);
  }
  Form data;
  denoiser_.data(space, {x, t, query.rows}, {&condition_, 1}, {&data, 1});
  // The factor of D is 1 / sin a row, on top of what the form of D has a row. Near exact data what
  // D has of x all but cancels what u adds, so both meet before any number is rounded.
  std::vector<std::vector<double>> factors;
  Form slope;
  for (const Term& term : data.terms()) {
    auto& factor = factors.emplace_back(inverse);
    for (std::size_t i = 0; i < rows && !term.rows.empty(); ++i) factor[i] *= term.rows[i];
    if (term.x.storage() == x.storage() && term.weight.empty()) {
      for (std::size_t i = 0; i < rows; ++i) own[i] -= term.c * factor[i];
    } else {
      slope.add(Term{.c = -term.c, .x = term.x, .rows = factor, .weight = term.weight});
    }
  }
  slope.add(1.0, x, own);
  return space.combine(slope);
}

OdeResult flow(Space& space, const Denoiser& denoiser, const ConditionPtr& condition, const Vec& x,
               double from, double to, std::span<const std::int64_t> rows,
               const OdeOptions& options) {
  const Angle begin = angle_at(denoiser.path(), from);
  const Angle end = angle_at(denoiser.path(), to);
  Form scaled, back;
  scaled.add(1.0 / begin.norm, x);
  OdeResult result = integrate(space, AngleFlow(denoiser, condition), space.combine(scaled),
                               begin.theta, end.theta, rows, options);
  back.add(end.norm, result.x);
  result.x = space.combine(back);
  return result;
}

}  // namespace gradatim::process
