#include "gradatim/process/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "gradatim/core/error.h"

namespace gradatim::process {
namespace {

// Nodes and weights of Gauss and Legendre on [-1, 1], 16 points (positive half).
constexpr std::array<double, 8> kNode = {0.0950125098376374, 0.2816035507792589, 0.4580167776572274,
                                         0.6178762444026438, 0.7554044083550030, 0.8656312023878318,
                                         0.9445750230732326, 0.9894009349916499};
constexpr std::array<double, 8> kWeight = {
    0.1894506104550685, 0.1826034150449236, 0.1691565193950025, 0.1495959888165767,
    0.1246289712555339, 0.0951585116824928, 0.0622535239386479, 0.0271524594117541};

template <class F>
void gauss(double low, double high, const F& f) {
  const double middle = 0.5 * (low + high);
  const double half = 0.5 * (high - low);
  for (std::size_t i = 0; i < kNode.size(); ++i) {
    f(middle - half * kNode[i], half * kWeight[i]);
    f(middle + half * kNode[i], half * kWeight[i]);
  }
}

Coordinate data_place(const Continuation& how) {
  if (how.basis == Basis::log_snr) return [](double ratio) { return -std::log(ratio); };
  return [c = how.data_scale](double ratio) { return 1.0 / std::hypot(1.0, ratio / c); };
}

// Lagrange's polynomials through the nodes' places.
class Lagrange {
 public:
  Lagrange(std::span<const PathPoint> nodes, Coordinate place) : place_(std::move(place)) {
    for (const PathPoint& node : nodes) {
      const double u = place_(node.ratio());
      if (!std::isfinite(u)) break;
      const bool apart = std::all_of(u_.begin(), u_.end(), [&](double v) { return v != u; });
      if (!apart) break;
      u_.push_back(u);
    }
    if (u_.empty()) u_.push_back(0.0);  // the newest alone, wherever it stands
  }
  std::size_t size() const { return u_.size(); }
  void keep_newest() { u_.resize(1); }
  bool reaches(double ratio) const { return std::isfinite(place_(ratio)); }

  double operator()(std::size_t j, double ratio) const {
    double value = 1.0;
    if (size() == 1) return value;
    const double u = place_(ratio);
    for (std::size_t i = 0; i < size(); ++i) {
      if (i != j) value *= (u - u_[i]) / (u_[j] - u_[i]);
    }
    return value;
  }

 private:
  Coordinate place_;
  std::vector<double> u_;
};

constexpr int kSegments = 6;  // of a step's integral; 16 points each

}  // namespace

Sum jump(const PathPoint& a, const PathPoint& b, double fresh) {
  const double kept = std::sqrt(std::max(0.0, b.sigma * b.sigma - fresh * fresh)) / a.sigma;
  return Sum().add(kept, kState).add(b.alpha - a.alpha * kept, kAnswer).add_noise(fresh);
}

double posterior_deviation(const PathPoint& a, const PathPoint& b) {
  if (b.sigma == 0.0) return 0.0;
  // sigma_{a|b}^2 = sigma_a^2 - (alpha_a / alpha_b)^2 sigma_b^2, as sigma_a^2 (1 - SNR_a / SNR_b).
  const double r = b.alpha == 0.0 ? 1.0 : a.alpha * b.sigma / (a.sigma * b.alpha);
  return b.sigma * std::sqrt(std::max(0.0, (1.0 - r) * (1.0 + r)));
}

Sum noise_of(const PathPoint& p, int x, int data) {
  return Sum().add(1.0 / p.sigma, x).add(-p.alpha / p.sigma, data);
}

std::vector<double> data_weights(const PathPoint& a, const PathPoint& b,
                                 std::span<const PathPoint> nodes, const Continuation& how,
                                 double eta) {
  Lagrange line(nodes, data_place(how));
  std::vector<double> weights(nodes.size());
  if (b.sigma == 0.0) {
    if (!line.reaches(0.0)) line.keep_newest();
    for (std::size_t j = 0; j < line.size(); ++j) weights[j] = b.alpha * line(j, 0.0);
    return weights;
  }
  // alpha_b (1 + eta^2) times the integral of D(ratio_b / s) s^(eta^2) over s = ratio_b / ratio
  // from ratio_b / ratio_a to 1.
  const double power = eta * eta;
  const double end = b.ratio();
  const double low = a.alpha == 0.0 ? 0.0 : end / a.ratio();
  const double split = std::max(low, 1e-5);  // below it the integrand is flat
  const auto add = [&](double s, double weight) {
    const double factor = b.alpha * (1.0 + power) * std::pow(s, power) * weight;
    for (std::size_t j = 0; j < line.size(); ++j) weights[j] += factor * line(j, end / s);
  };
  if (low < split) gauss(low, split, add);
  const double length = -std::log(split) / kSegments;
  for (int k = 0; k < kSegments; ++k) {
    gauss(std::log(split) + k * length, std::log(split) + (k + 1) * length,
          [&](double log_s, double weight) { add(std::exp(log_s), weight * std::exp(log_s)); });
  }
  return weights;
}

Sum carried(const PathPoint& a, const PathPoint& b, double eta) {
  Sum sum;
  if (b.sigma == 0.0) return sum;
  const double r = a.alpha == 0.0 ? 0.0 : b.ratio() / a.ratio();
  const double power = eta * eta;
  sum.add(b.sigma / a.sigma * std::pow(r, power), kState);
  if (eta > 0.0) sum.add_noise(b.sigma * std::sqrt(1.0 - std::pow(r, 2.0 * power)));
  return sum;
}

std::vector<double> noise_weights(const PathPoint& a, const PathPoint& b,
                                  std::span<const PathPoint> nodes, const Continuation& how) {
  if (how.basis == Basis::log_snr) return noise_weights(a, b, nodes, data_place(how));
  return noise_weights(a, b, nodes, [c = how.data_scale](double ratio) {
    return std::isfinite(ratio) ? ratio / std::hypot(c, ratio) : 1.0;
  });
}

std::vector<double> noise_weights(const PathPoint& a, const PathPoint& b,
                                  std::span<const PathPoint> nodes, const Coordinate& place) {
  const Lagrange line(nodes, place);
  std::vector<double> weights(nodes.size());
  const double from = a.ratio();
  const double to = b.ratio();
  const auto add = [&](double ratio, double weight) {
    for (std::size_t j = 0; j < line.size(); ++j) weights[j] += b.alpha * weight * line(j, ratio);
  };
  // Even parts of the root, so that a step to 0 is resolved.
  for (int k = 0; k < kSegments; ++k) {
    const auto root = [&](int i) {
      return std::sqrt(from) + (std::sqrt(to) - std::sqrt(from)) * i / kSegments;
    };
    gauss(root(k), root(k + 1), [&](double r, double weight) { add(r * r, 2.0 * r * weight); });
  }
  return weights;
}

PathPoint between(const Path& path, const PathPoint& a, const PathPoint& b,
                  const Continuation& how) {
  if (how.basis == Basis::log_snr && a.alpha > 0.0 && b.sigma > 0.0) {
    return path.at(path.time_of(std::sqrt(a.ratio() * b.ratio())));
  }
  const Coordinate gain = data_place({.data_scale = how.data_scale});
  const double middle = 0.5 * (gain(a.ratio()) + gain(b.ratio()));
  return path.at(
      path.time_of(how.data_scale * std::sqrt((1.0 - middle) * (1.0 + middle)) / middle));
}

PathPoint mean_noise_point(const Path& path, double from, double to, double data_scale) {
  // The noise is proportional to s = r / sqrt(c^2 + r^2), whose integral is sqrt(c^2 + r^2).
  const double s = (from + to) / (std::hypot(data_scale, from) + std::hypot(data_scale, to));
  return path.at(path.time_of(data_scale * s / std::sqrt((1.0 - s) * (1.0 + s))));
}

Sum to_data(const Planner& plan, int i, const Continuation& how, int kept) {
  const auto weights = data_weights(plan.point(i), plan.point(i + 1), plan.behind(i, 2), how);
  Sum data = Sum().add(weights[0], kAnswer);
  return weights.size() > 1 ? data.add(weights[1], kept) : data;
}

Sum by_noise(const PathPoint& a, const PathPoint& b, const Sum& noise) {
  Sum sum = Sum().add(b.alpha / a.alpha, kState);
  return sum.add(b.alpha * (b.ratio() - a.ratio()), noise);
}

std::vector<PathPoint> Planner::behind(int i, int most) const {
  std::vector<PathPoint> nodes;
  for (int j = i; j >= 0 && j > i - most; --j) nodes.push_back(point(j));
  return nodes;
}

Planner& Planner::ask(const PathPoint& point, int at) {
  program_.stages.push_back({.point = point, .at = at});
  return *this;
}

Planner& Planner::set(int slot, Sum sum) {
  program_.stages.push_back({.asks = false});
  return let(slot, std::move(sum));
}

Planner& Planner::let(int slot, Sum sum) {
  program_.stages.back().moves.push_back({slot, std::move(sum)});
  program_.slots = std::max(program_.slots, slot + 1);
  return *this;
}

void Planner::reach(int i) {
  program_.stages.back().ends_step = true;
  program_.stages.back().after = point(i).t;
}

Program plan(const Path& path, std::span<const double> times,
             const std::function<void(Planner&)>& steps, bool rising) {
  GRADATIM_CHECK(times.size() >= 2, UsageError, 1101,
                 "a grid of {} times has no step; give at least 2", times.size());
  std::vector<PathPoint> points;
  for (const double t : times) {
    GRADATIM_CHECK(t >= 0.0 && t <= path.last(), UsageError, 1101,
                   "the grid's time {} is not on the path, which goes from 0 to {}", t,
                   path.last());
    points.push_back(path.at(t));
  }
  Program program;
  if (rising) {
    const bool wrong =
        std::adjacent_find(times.begin(), times.end(), std::greater_equal<>()) != times.end();
    GRADATIM_CHECK(!wrong, UsageError, 1112,
                   "an inversion's grid rises all the way, from data to noise; turn it round");
    Planner planner(path, points, program);
    steps(planner);
    return program;
  }
  GRADATIM_CHECK(times[1] < times[0], UsageError, 1101,
                 "the grid goes the wrong way: it begins at {} and {} follows; times fall towards "
                 "the data",
                 times[0], times[1]);
  std::size_t begin = 0;
  while (begin + 1 < points.size()) {
    std::size_t end = begin + 1;
    while (end + 1 < points.size() && points[end + 1].t < points[end].t) ++end;
    Planner planner(path, std::span(points).subspan(begin, end - begin + 1), program);
    steps(planner);
    begin = end;
    // The next point is not below, nor need the one behind it be.
    while (begin + 1 < points.size() &&
           points[begin + 1].t >= points[begin].t) {  // up: a x + sqrt(sigma'^2 - a^2 sigma^2) z
      const PathPoint& low = points[begin];
      const PathPoint& high = points[begin + 1];
      GRADATIM_CHECK(high.t > low.t, UsageError, 1101, "the grid stands still at the time {}",
                     low.t);
      const double a = high.alpha / low.alpha;
      Stage stage{.point = high, .asks = false};
      stage.moves.push_back(
          {kState, Sum().add(a, kState).add_noise(
                       std::sqrt(high.sigma * high.sigma - a * a * low.sigma * low.sigma),
                       Stream::restart)});
      program.stages.push_back(std::move(stage));
      ++begin;
    }
  }
  return program;
}

}  // namespace gradatim::process
