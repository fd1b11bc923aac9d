#include "gradatim/process/density.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/core/normal.h"

namespace gradatim::process {
namespace {

// States, and behind them the integral of the divergence so far.
class Carrier final : public Drift {
 public:
  Carrier(const DensityDrift& drift, const Probes& probes)
      : drift_(drift),
        probes_(probes),
        dims_(static_cast<std::size_t>(probes.dims())),
        columns_(static_cast<std::size_t>(probes.columns())) {}

  Vec slope(Space& space, const Query& query) const override {
    const std::size_t rows = query.t.size();
    const auto count = static_cast<std::int64_t>(rows);
    std::vector<double> wide(rows * (dims_ + columns_)), narrow(rows * dims_);
    space.copy_out(query.x, wide);
    for (std::size_t i = 0; i < rows; ++i) copy(wide, i, narrow, dims_);
    const Query asked{space.from(narrow, count, probes_.dims()), query.t, query.rows};
    space.copy_out(drift_.slope(space, asked), narrow);
    const std::vector<double> divergence = drift_.divergence(space, asked, probes_);
    for (std::size_t i = 0; i < rows; ++i) {
      double* out = wide.data() + i * (dims_ + columns_);
      std::copy_n(narrow.data() + i * dims_, dims_, out);
      std::copy_n(divergence.data() + i * columns_, columns_, out + dims_);
    }
    return space.from(wide, count, probes_.dims() + probes_.columns());
  }

  // Row i without what is behind it.
  void copy(const std::vector<double>& wide, std::size_t i, std::vector<double>& narrow,
            std::size_t size) const {
    std::copy_n(wide.data() + i * (dims_ + columns_), size, narrow.data() + i * dims_);
  }

 private:
  const DensityDrift& drift_;
  const Probes& probes_;
  std::size_t dims_, columns_;
};

struct Mean {
  double value = 0.0, error = 0.0;  // 0 where there is one number
};

Mean mean_of(std::span<const double> numbers) {
  const auto count = static_cast<double>(numbers.size());
  double mean = 0.0, squares = 0.0;
  for (const double x : numbers) mean += x / count;
  for (const double x : numbers) squares += (x - mean) * (x - mean);
  return {mean, numbers.size() < 2 ? 0.0 : std::sqrt(squares / (count * (count - 1.0)))};
}

}  // namespace

Probes::Probes(const LikelihoodOptions& options, std::int64_t dims)
    : count_(options.probes), dims_(dims), kind_(options.probe), seed_(options.seed) {
  GRADATIM_CHECK(options.probes != 1, UsageError, 1135,
                 "one probe has no standard error; take at least 2, or 0 for the exact trace");
}

Vec Probes::vectors(Space& space, std::int64_t k, std::span<const std::int64_t> rows) const {
  const auto dims = static_cast<std::size_t>(dims_);
  std::vector<double> z(rows.size() * dims, 0.0);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (exact()) {
      z[i * dims + static_cast<std::size_t>(k)] = 1.0;
    } else {
      draw(k, static_cast<std::uint64_t>(rows[i]), std::span(z).subspan(i * dims, dims));
    }
  }
  return space.from(z, static_cast<std::int64_t>(rows.size()), dims_);
}

void Probes::add(std::int64_t k, std::span<const double> product, std::span<double> sums) const {
  const auto columns = static_cast<std::size_t>(this->columns());
  const std::size_t column = exact() ? 0 : static_cast<std::size_t>(k);
  for (std::size_t i = 0; i < product.size(); ++i) sums[i * columns + column] += product[i];
}

void Probes::draw(std::int64_t k, std::uint64_t row, std::span<double> z) const {
  const Philox numbers(seed_, Stream::probe, static_cast<std::uint32_t>(k));
  if (kind_ == Probe::normal) {
    normals(numbers, 4 * ((z.size() + 3) / 4) * row, z);
    return;
  }
  const std::uint64_t blocks = (z.size() + 63) / 64;
  for (std::size_t i = 0; i < z.size(); ++i) {
    z[i] = (numbers.bits(blocks * row + i / 64) >> (i % 64) & 1U) != 0 ? 1.0 : -1.0;
  }
}

Carried integrate_density(Space& space, const DensityDrift& drift, const Vec& x, double from,
                          double to, std::span<const std::int64_t> rows, const Probes& probes,
                          const OdeOptions& options) {
  const std::size_t count = rows.size();
  const auto dims = static_cast<std::size_t>(probes.dims());
  const auto columns = static_cast<std::size_t>(probes.columns());
  const std::size_t width = dims + columns;
  std::vector<double> states(count * dims), wide(count * width, 0.0);
  space.copy_out(x, states);
  for (std::size_t i = 0; i < count; ++i)
    std::copy_n(states.data() + i * dims, dims, wide.data() + i * width);

  const Carrier carrier(drift, probes);
  OdeResult end =
      integrate(space, carrier, space.from(wide, x.rows(), static_cast<std::int64_t>(width)), from,
                to, rows, options);
  space.copy_out(end.x, wide);

  Carried carried{.divergence = std::vector<double>(count),
                  .standard_error = std::vector<double>(count),
                  .evaluations = std::move(end.evaluations)};
  for (std::size_t i = 0; i < count; ++i) {
    carrier.copy(wide, i, states, dims);
    const Mean mean = mean_of(std::span(wide).subspan(i * width + dims, columns));
    carried.divergence[i] = mean.value;
    carried.standard_error[i] = mean.error;
  }
  carried.x = space.from(states, x.rows(), probes.dims());
  return carried;
}

}  // namespace gradatim::process
