// Milliseconds of one coupling or of one distance: coupling_time NAME ROWS DIMS SECONDS THREADS.
// NAME is a process.coupling, or wasserstein: the metric, in float64. In two dimensions noise and
// data are eight Gaussians and two moons, in more they are normal and uniform.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <numeric>
#include <string_view>
#include <vector>

#include "gradatim/api/settings.h"
#include "gradatim/core/parallel.h"
#include "gradatim/core/philox.h"
#include "gradatim/core/simd.h"
#include "gradatim/process/coupling.h"
#include "gradatim/process/metric/metric.h"

using namespace gradatim;
using namespace gradatim::process;

namespace {

using Clock = std::chrono::steady_clock;

struct Points {
  std::vector<float> noise, data;
};

double normal(const Philox& draws, std::uint64_t index) {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - draws.uniform(2 * index)));
  return radius * std::cos(2.0 * std::numbers::pi * draws.uniform(2 * index + 1));
}

Points planar(std::int64_t rows, std::uint64_t seed) {
  const Philox draws(seed, Stream::data), normals(seed, Stream::prior);
  const double deviation = std::pow(0.1, 0.25);
  Points made;
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto k = static_cast<std::uint64_t>(i);
    const double turn = draws.below(8, 2 * k) * std::numbers::pi / 4.0;
    const std::int64_t half = rows / 2, of = i < half ? half : rows - half;
    const double angle = std::numbers::pi * static_cast<double>(i < half ? i : i - half) /
                         std::max(1.0, static_cast<double>(of - 1));
    const double shift = 0.2 * draws.uniform(2 * k + 1);
    const double x = i < half ? std::cos(angle) : 1.0 - std::cos(angle);
    const double y = i < half ? std::sin(angle) : 0.5 - std::sin(angle);
    for (const double a : {5.0 * std::cos(turn) + deviation * normal(normals, 2 * k),
                           5.0 * std::sin(turn) + deviation * normal(normals, 2 * k + 1)}) {
      made.noise.push_back(static_cast<float>(a));
    }
    for (const double b : {x, y}) made.data.push_back(static_cast<float>(3.0 * (b + shift) - 1.0));
  }
  return made;
}

Points points(std::int64_t rows, std::int64_t dims, std::uint64_t seed) {
  if (dims == 2) return planar(rows, seed);
  const Philox draws(seed, Stream::data), normals(seed, Stream::prior);
  Points made;
  for (std::int64_t i = 0; i < rows * dims; ++i) {
    const auto k = static_cast<std::uint64_t>(i);
    made.noise.push_back(static_cast<float>(normal(normals, k)));
    made.data.push_back(static_cast<float>(2.0 * draws.uniform(k) - 1.0));
  }
  return made;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    fmt::print(stderr, "usage: coupling_time NAME ROWS DIMS SECONDS THREADS\n");
    return 2;
  }
  const std::string name = argv[1];
  const std::int64_t rows = std::atoll(argv[2]), dims = std::atoll(argv[3]);
  const double seconds = std::atof(argv[4]);
  const ThreadScope threads(std::atoi(argv[5]));
  std::shared_ptr<const Coupling> coupling;
  std::shared_ptr<const SampleMetric> metric;
  if (name == "wasserstein") {
    metric = api::build_as<SampleMetric>(api::parse_settings("process.metric.wasserstein", {}));
  } else {
    coupling = api::build_as<Coupling>(api::parse_settings("process.coupling." + name, {}));
  }
  std::vector<std::int64_t> labels(static_cast<std::size_t>(rows));
  for (std::size_t i = labels.size() / 2; i < labels.size(); ++i) labels[i] = 1;
  std::vector<std::int32_t> partner(labels.size());
  std::vector<double> times;
  double result = 0.0;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  for (std::uint64_t round = 0; round == 0 || Clock::now() < end; ++round) {
    const Points made = points(rows, dims, round);
    const std::vector<double> a(made.noise.begin(), made.noise.end());
    const std::vector<double> b(made.data.begin(), made.data.end());
    const auto begun = Clock::now();
    if (metric != nullptr) {
      result = (*metric)({a, b, dims});
    } else {
      coupling->pair({made.noise, made.data, rows, dims, labels}, partner);
    }
    const std::chrono::duration<double, std::milli> spent = Clock::now() - begun;
    times.push_back(spent.count());
  }
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  fmt::print("{{\"simd\": \"{}\", \"milliseconds\": {:.4f}, \"rounds\": {}, \"result\": {}}}\n",
             simd_name(), *middle, times.size(), result);
}
