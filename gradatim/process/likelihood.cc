#include "gradatim/process/likelihood.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "gradatim/core/error.h"
#include "gradatim/core/normal.h"

namespace gradatim::process {
namespace {

// Where the ratio is infinite, predictions of noise say nothing: the flow ends here instead, where
// states are normal to one part in as many.
constexpr double kMostRatio = 1e4;

// The vectors that derivatives are multiplied by: basis vectors or random probes, one set a row.
class Probes {
 public:
  Probes(const LikelihoodOptions& options, std::int64_t dims)
      : options_(options), dims_(dims), exact_(options.probes == 0) {}

  std::int64_t products() const { return exact_ ? dims_ : options_.probes; }
  /// Columns that sums are kept in: one for the exact trace, one a probe.
  std::int64_t columns() const { return exact_ ? 1 : options_.probes; }

  Vec vectors(Space& space, std::int64_t k, std::span<const std::int64_t> rows) const {
    const auto dims = static_cast<std::size_t>(dims_);
    std::vector<double> z(rows.size() * dims, 0.0);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (exact_) {
        z[i * dims + static_cast<std::size_t>(k)] = 1.0;
      } else {
        draw(k, static_cast<std::uint64_t>(rows[i]), std::span(z).subspan(i * dims, dims));
      }
    }
    return space.from(z, static_cast<std::int64_t>(rows.size()), dims_);
  }

 private:
  void draw(std::int64_t k, std::uint64_t row, std::span<double> z) const {
    const Philox numbers(options_.seed, Stream::probe, static_cast<std::uint32_t>(k));
    if (options_.probe == Probe::normal) {
      normals(numbers, 4 * ((z.size() + 3) / 4) * row, z);
      return;
    }
    const std::uint64_t blocks = (z.size() + 63) / 64;
    for (std::size_t i = 0; i < z.size(); ++i) {
      z[i] = (numbers.bits(blocks * row + i / 64) >> (i % 64) & 1U) != 0 ? 1.0 : -1.0;
    }
  }

  const LikelihoodOptions& options_;
  std::int64_t dims_;
  bool exact_;
};

// z^T (dD/dx) z of each row and probe, or their sum over the basis: [rows, columns].
std::vector<double> traces(Space& space, const Denoiser& denoiser, const ConditionPtr& condition,
                           const Query& query, const Probes& probes) {
  const std::size_t rows = query.t.size();
  const auto columns = static_cast<std::size_t>(probes.columns());
  std::vector<double> result(rows * columns, 0.0), product(rows);
  for (std::int64_t k = 0; k < probes.products(); ++k) {
    const Vec z = probes.vectors(space, k, query.rows);
    space.reduce(Reduction::dot, z, denoiser.vjp(space, query, condition, z), 0.0, product);
    const std::size_t column = columns == 1 ? 0 : static_cast<std::size_t>(k);
    for (std::size_t i = 0; i < rows; ++i) result[i * columns + column] += product[i];
  }
  return result;
}

// u and, in further columns, the integral of div so far.
class DensityFlow final : public Drift {
 public:
  DensityFlow(const Denoiser& denoiser, const ConditionPtr& condition, const Probes& probes,
              std::int64_t dims)
      : denoiser_(denoiser),
        condition_(condition),
        flow_(denoiser, condition),
        probes_(probes),
        dims_(dims) {}

  Vec slope(Space& space, const Query& query) const override {
    const std::size_t rows = query.t.size();
    const auto dims = static_cast<std::size_t>(dims_);
    const auto columns = static_cast<std::size_t>(probes_.columns());
    std::vector<double> states((dims + columns) * rows), u(dims * rows), x(dims * rows), t(rows);
    space.copy_out(query.x, states);
    std::vector<Angle> angles(rows);
    for (std::size_t i = 0; i < rows; ++i) {
      const double theta = std::max(query.t[i], kLeast);
      angles[i] =
          i > 0 && query.t[i] == query.t[i - 1] ? angles[i - 1] : angle_of(denoiser_.path(), theta);
      t[i] = angles[i].t;
      for (std::size_t j = 0; j < dims; ++j) {
        u[i * dims + j] = states[i * (dims + columns) + j];
        x[i * dims + j] = angles[i].norm * u[i * dims + j];
      }
    }
    const auto count = static_cast<std::int64_t>(rows);
    std::vector<double> slopes(u.size());
    space.copy_out(flow_.slope(space, {space.from(u, count, dims_), query.t, query.rows}), slopes);
    const auto trace =
        traces(space, denoiser_, condition_, {space.from(x, count, dims_), t, query.rows}, probes_);
    for (std::size_t i = 0; i < rows; ++i) {
      double* out = states.data() + i * (dims + columns);
      std::copy_n(slopes.begin() + static_cast<std::ptrdiff_t>(i * dims), dims, out);
      const PathPoint p = denoiser_.path().at(t[i]);
      for (std::size_t k = 0; k < columns; ++k) {
        const double div = (static_cast<double>(dims_) * p.alpha -
                            angles[i].norm * angles[i].norm * trace[i * columns + k]) /
                           p.sigma;
        out[dims + k] = query.t[i] > 0.0 ? div : 0.0;  // as the flow, it is 0 at exact data
      }
    }
    return space.from(states, count, dims_ + probes_.columns());
  }

 private:
  static constexpr double kLeast = 1e-4;  // the field is asked there at 0, and the answer not used

  const Denoiser& denoiser_;
  const ConditionPtr& condition_;
  AngleFlow flow_;
  const Probes& probes_;
  std::int64_t dims_;
};

struct Ending {
  Space& space;
  const Denoiser& denoiser;
  const ConditionPtr& condition;
  std::span<const std::int64_t> rows;
  PathPoint point;
  std::int64_t dims;

  std::vector<double> data(const std::vector<double>& x) const {
    std::vector<double> t(rows.size(), point.t), result(x.size());
    Form form;
    const auto count = static_cast<std::int64_t>(rows.size());
    denoiser.data(space, {space.from(x, count, dims), t, rows}, {&condition, 1}, {&form, 1});
    space.copy_out(space.combine(form), result);
    return result;
  }

  // ln N(x; 0, sigma^2) of each row.
  std::vector<double> start(const std::vector<double>& x) const {
    const double variance = point.sigma * point.sigma;
    const auto width = static_cast<std::size_t>(dims);
    std::vector<double> result(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      double sum = 0.0;
      for (std::size_t j = i * width; j < (i + 1) * width; ++j) sum += x[j] * x[j];
      result[i] = -0.5 * (sum / variance +
                          static_cast<double>(dims) * std::log(2.0 * std::numbers::pi * variance));
    }
    return result;
  }

  // p(x) / N(x; 0, sigma^2) is the mean of exp(alpha x y / sigma^2 - |alpha y|^2 / 2 sigma^2) over
  // data y. Its log has the gradient alpha D / sigma^2, added up along the line from 0 to x (three
  // points of Gauss: D is nearly straight there), and at 0 the value -alpha^2 E|y|^2 / 2 sigma^2
  // but for the square of that; E|y|^2 = |D|^2 + sigma^2 / alpha tr dD/dx.
  std::vector<double> field(const std::vector<double>& x, const Probes& probes) const {
    constexpr std::array<std::array<double, 2>, 3> kGauss = {
        {{0.1127016653792583, 5.0 / 18.0}, {0.5, 8.0 / 18.0}, {0.8872983346207417, 5.0 / 18.0}}};
    std::vector<double> result = start(x);
    if (point.alpha == 0.0) return result;
    const auto width = static_cast<std::size_t>(dims);
    const double per_alpha = point.alpha / (point.sigma * point.sigma);
    for (const auto& [place, weight] : kGauss) {
      std::vector<double> y = x;
      for (double& v : y) v *= place;
      const auto d = data(y);
      for (std::size_t j = 0; j < x.size(); ++j)
        result[j / width] += weight * per_alpha * d[j] * x[j];
    }
    const std::vector<double> zero(x.size(), 0.0), t(rows.size(), point.t);
    const auto middle = data(zero);
    const Query query{space.from(zero, static_cast<std::int64_t>(rows.size()), dims), t, rows};
    const auto trace = traces(space, denoiser, condition, query, probes);
    const auto columns = static_cast<std::size_t>(probes.columns());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      double square = 0.0;
      for (std::size_t j = i * width; j < (i + 1) * width; ++j) square += middle[j] * middle[j];
      for (std::size_t k = 0; k < columns; ++k) {
        square += trace[i * columns + k] / per_alpha / static_cast<double>(columns);
      }
      result[i] -= 0.5 * point.alpha * per_alpha * square;
    }
    return result;
  }
};

}  // namespace

Likelihood log_prob(Space& space, const Denoiser& denoiser, const ConditionPtr& condition,
                    const Vec& x, std::span<const std::int64_t> rows,
                    const LikelihoodOptions& options) {
  const Path& path = denoiser.path();
  GRADATIM_CHECK(path.gaussian_source(), UsageError, 1135,
                 "a likelihood needs a path from normal noise, and this one has another source");
  GRADATIM_CHECK(options.probes != 1, UsageError, 1135,
                 "one probe has no standard error; take at least 2, or 0 for the exact trace");
  const std::size_t count = rows.size();
  const auto dims = static_cast<std::size_t>(x.dims());
  const Probes probes(options, x.dims());
  const auto columns = static_cast<std::size_t>(probes.columns());
  const std::size_t width = dims + columns;

  std::vector<double> data(count * dims), states(count * width, 0.0);
  space.copy_out(x, data);
  for (std::size_t i = 0; i < count; ++i) {
    std::copy_n(data.begin() + static_cast<std::ptrdiff_t>(i * dims), dims,
                states.begin() + static_cast<std::ptrdiff_t>(i * width));
  }
  const double end = std::min(angle_at(path, path.last()).theta, std::atan(kMostRatio));
  const DensityFlow flow(denoiser, condition, probes, x.dims());
  OdeResult result =
      integrate(space, flow, space.from(states, x.rows(), static_cast<std::int64_t>(width)), 0.0,
                end, rows, options.ode);
  space.copy_out(result.x, states);

  const Angle angle = angle_of(path, end);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < dims; ++j) data[i * dims + j] = angle.norm * states[i * width + j];
  }
  const Ending ending{space, denoiser, condition, rows, path.at(angle.t), x.dims()};
  Likelihood likelihood{.log_prob = options.end == EndDensity::start ? ending.start(data)
                                                                     : ending.field(data, probes),
                        .standard_error = std::vector<double>(count, 0.0),
                        .evaluations = std::move(result.evaluations)};
  for (std::size_t i = 0; i < count; ++i) {
    const auto sums = std::span(states).subspan(i * width + dims, columns);
    double mean = 0.0, squares = 0.0;
    for (const double sum : sums) mean += sum / static_cast<double>(columns);
    for (const double sum : sums) squares += (sum - mean) * (sum - mean);
    // ln p(u) = ln p(x) + dims ln norm.
    likelihood.log_prob[i] += mean + static_cast<double>(x.dims()) * std::log(angle.norm);
    if (columns < 2) continue;
    likelihood.standard_error[i] =
        std::sqrt(squares / static_cast<double>(columns * (columns - 1)));
  }
  return likelihood;
}

double bits_per_dim(double log_prob, std::int64_t dims, double bin) {
  return -(log_prob / static_cast<double>(dims) + std::log(bin)) / std::numbers::ln2;
}

}  // namespace gradatim::process
