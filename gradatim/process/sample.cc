#include "gradatim/process/sample.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "gradatim/core/error.h"
#include "gradatim/process/host_space.h"

namespace gradatim::process {

namespace {

void check(const SampleRequest& request) {
  constexpr std::int64_t kMost = std::int64_t{1} << 48;  // numbers; memory ends long before
  GRADATIM_CHECK(request.times.size() >= 2, UsageError, 1101,
                 "a grid of {} times has no step; give at least 2", request.times.size());
  GRADATIM_CHECK(request.rows >= 1 && request.dims >= 1 && request.rows <= kMost / request.dims &&
                     request.batch >= 1,
                 UsageError, 1143, "cannot sample {} rows of {} numbers, {} rows at a time",
                 request.rows, request.dims, request.batch);
}

}  // namespace

std::vector<float> sample(const Denoiser& denoiser, const SampleRequest& request) {
  check(request);
  const auto begun = std::chrono::steady_clock::now();
  const double scale = denoiser.path().at(request.times.front()).sigma;
  GRADATIM_CHECK(scale > 0.0 || !request.start.empty(), UsageError, 1144,
                 "sampling begins at t = {}, where there is no noise to draw; an inversion starts "
                 "from data of yours",
                 request.times.front());
  std::vector<float> result(static_cast<std::size_t>(request.rows * request.dims));
  const auto steps = static_cast<std::int64_t>(request.times.size()) - 1;
  const std::int64_t batches = (request.rows - 1) / request.batch + 1;
  // One for all batches: a source of noise in order must not begin anew.
  const std::shared_ptr<NoiseSource> source =
      request.source ? request.source : request.noise->source(request.seed);
  for (std::int64_t batch = 0; batch < batches; ++batch) {
    const std::int64_t first = batch * request.batch;
    const std::int64_t rows = std::min(request.batch, request.rows - first);
    HostSpace<float> space(source, request.first_row + first);
    std::vector<std::int64_t> places(static_cast<std::size_t>(rows));
    std::iota(places.begin(), places.end(), request.first_row + first);
    Vec x;
    if (request.start.empty()) {
      Form start;
      start.add(scale, space.normal({Stream::prior, 0}, rows, request.dims));
      x = space.combine(start);
    } else {
      x = space.from(std::span(request.start)
                         .subspan(static_cast<std::size_t>(first * request.dims),
                                  static_cast<std::size_t>(rows * request.dims)),
                     rows, request.dims);
    }
    if (request.between) request.between(0, request.times.front(), x);
    const BetweenSteps between = [&](std::int64_t step, double t, Vec& state) {
      if (request.between) request.between(step, t, state);
      if (request.observer == nullptr) return;
      const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begun;
      request.observer->on_step(
          {.step = batch * steps + step, .steps = batches * steps, .seconds = spent.count()});
    };
    const Vec end = request.solver->solve(
        {space, denoiser, request.condition, request.times, places, between}, std::move(x));
    std::copy_n(HostSpace<float>::data(end), rows * request.dims,
                result.begin() + first * request.dims);
  }
  return result;
}

}  // namespace gradatim::process
