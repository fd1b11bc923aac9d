// Nanoseconds of one solver step, without the field: step_time SOLVER ROWS DIMS SECONDS THREADS.
// SOLVER triad is the plain loop out = a x + b y instead, which says what the memory gives.
// The field's output lies ready, so that only the conversion of the prediction and the update are
// timed, as a scheduler's step() is.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "gradatim/api/settings.h"
#include "gradatim/core/parallel.h"
#include "gradatim/core/simd.h"
#include "gradatim/process/grid.h"
#include "gradatim/process/host_space.h"
#include "gradatim/process/solver.h"

using namespace gradatim;
using namespace gradatim::process;

namespace {

using Clock = std::chrono::steady_clock;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double triad(std::int64_t count, double seconds) {
  std::vector<float> x(static_cast<std::size_t>(count), 1.0F), y = x, out = x;
  std::vector<double> times;
  for (const auto end = Clock::now() + std::chrono::duration<double>(seconds);
       Clock::now() < end;) {
    const auto begun = Clock::now();
    parallel_for(count, 1 << 16, [&](std::int64_t first, std::int64_t last) {
      const float* a = x.data();
      const float* b = y.data();
      float* c = out.data();
      for (std::int64_t i = first; i < last; ++i) c[i] = 1.5F * a[i] + 0.3F * b[i];
    });
    const std::chrono::duration<double, std::nano> spent = Clock::now() - begun;
    times.push_back(spent.count());
  }
  return median(times);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    fmt::print(stderr, "usage: step_time SOLVER ROWS DIMS SECONDS THREADS\n");
    return 2;
  }
  const std::int64_t rows = std::atoll(argv[2]), dims = std::atoll(argv[3]);
  const double seconds = std::atof(argv[4]);
  const ThreadScope threads(std::atoi(argv[5]));
  if (std::string_view(argv[1]) == "triad") {
    fmt::print("{{\"simd\": \"compiler\", \"nanoseconds\": {:.0f}}}\n",
               triad(rows * dims, seconds));
    return 0;
  }
  const auto path = api::build_as<Path>(api::parse_settings("process.path.scaled_linear", {}));
  const auto noise = api::build_as<Prediction>(api::parse_settings("process.prediction.noise", {}));
  const auto grid = api::build_as<Grid>(api::parse_settings("process.grid.trailing", {}));
  const auto solver =
      api::build_as<Solver>(api::parse_settings(fmt::format("process.solver.{}", argv[1]), {}));
  const auto program = solver->program(*path, grid->times(*path, 50));

  HostSpace<float> space;
  std::vector<double> numbers(static_cast<std::size_t>(rows * dims));
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = 0.001 * static_cast<double>(i % 977);
  const Vec start = space.from(numbers, rows, dims);
  const Vec output = space.from(numbers, rows, dims);
  std::vector<std::int64_t> places(static_cast<std::size_t>(rows));

  std::vector<double> steps;  // nanoseconds a step, of whole samplings
  Form data;
  for (const auto end = Clock::now() + std::chrono::duration<double>(seconds);
       Clock::now() < end;) {
    LinearRun run(space, *program, start, places);
    const auto begun = Clock::now();
    while (!run.done()) {
      const FromField from = noise->data(run.stage().point);
      const Query query = run.query();
      data.clear();
      data.add(from.x, query.x);
      data.add(from.f, output);
      run.answer(data);
      run.go_on();
    }
    const std::chrono::duration<double, std::nano> spent = Clock::now() - begun;
    steps.push_back(spent.count() / static_cast<double>(run.finished_steps()));
    data.clear();
  }
  fmt::print("{{\"simd\": \"{}\", \"nanoseconds\": {:.0f}}}\n", simd_name(), median(steps));
}
