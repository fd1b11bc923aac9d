#include "gradatim/process/sample.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "gradatim/core/error.h"
#include "gradatim/process/host_space.h"

namespace gradatim::process {

std::vector<float> sample(const Denoiser& denoiser, const SampleRequest& request) {
  const auto begun = std::chrono::steady_clock::now();
  const double scale = denoiser.path().at(request.times.front()).sigma;
  std::vector<float> result(static_cast<std::size_t>(request.rows * request.dims));
  const auto steps = static_cast<std::int64_t>(request.times.size()) - 1;
  const std::int64_t batches = (request.rows + request.batch - 1) / request.batch;
  for (std::int64_t batch = 0; batch < batches; ++batch) {
    const std::int64_t first = batch * request.batch;
    const std::int64_t rows = std::min(request.batch, request.rows - first);
    HostSpace<float> space(request.noise->source(request.seed), request.first_row + first);
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
