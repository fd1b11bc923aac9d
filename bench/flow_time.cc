// Seconds of flows' whole fits and samplings: flow_time train|sample TASK SIZE REPEATS THREADS.
// Tasks and sizes are those of bench/flow_peer.py, by the same calls that a program in C++ makes.
// Says the time of each run of SIZE updates, or of SIZE samples, behind one that warms up, as JSON,
// and the peak of memory.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <cstdlib>
#include <string_view>

#include "gradatim/api/settings.h"
#include "gradatim/core/normal.h"
#include "gradatim/core/parallel.h"
#include "gradatim/data/model.h"
#include "gradatim/data/samples.h"
#include "gradatim/process/flow.h"
#include "peak_memory.h"

using namespace gradatim;

namespace {

struct Task {
  std::int64_t dims, rows;
  std::vector<api::Option> settings;
};

Task task_of(std::string_view name) {
  const api::Option width{"architecture.width", "64"}, layers{"architecture.layers", "2"};
  const api::Option bins{"architecture.bins", "8"};
  if (name == "nice") {
    return {784, 4000, {{"architecture", "nice"}, {"batch_size", "200"}}};
  }
  if (name == "realnvp") {
    const api::Option couplings{"architecture.couplings", "8"};
    return {
        2, 100'000, {{"architecture", "realnvp"}, couplings, width, layers, {"batch_size", "256"}}};
  }
  const bool wide = name == "table";
  const api::Option couplings{"architecture.couplings", wide ? "5" : "4"};
  const api::Option batch{"batch_size", wide ? "512" : "256"};
  return {wide ? 9 : 2,
          wide ? 16'000 : 100'000,
          {{"architecture", "spline"}, couplings, width, layers, bins, batch}};
}

std::shared_ptr<const data::Samples> data_of(const Task& task) {
  auto samples = std::make_shared<data::Samples>();
  samples->shape = {task.dims};
  samples->count = task.rows;
  std::vector<double> drawn(static_cast<std::size_t>(task.rows * task.dims));
  normals(Philox(1, Stream::order, 0), 0, drawn);
  samples->numbers.assign(drawn.begin(), drawn.end());
  return samples;
}

std::shared_ptr<const data::Model> fit(const Task& task,
                                       const std::shared_ptr<const data::Samples>& samples,
                                       const std::string& steps) {
  std::vector<api::Option> options = task.settings;
  options.insert(
      options.end(),
      {{"scaling", "none"}, {"gradient_clip", "0"}, {"ema_decay", "0"}, {"steps", steps}});
  data::FitRequest request;
  request.samples = samples;
  return data::fit_model(api::parse_settings("neural.flow", options), request);
}

void run(char** words) {
  const bool trains = std::string_view(words[1]) == "train";
  const ThreadScope threads(std::atoi(words[5]));
  const Task task = task_of(words[2]);
  const auto samples = data_of(task);
  const auto model = fit(task, samples, "20");
  const auto& flow = dynamic_cast<const process::Flow&>(*model);
  std::vector<double> times;
  for (int k = 0; k < 1 + std::atoi(words[4]); ++k) {
    const auto begun = std::chrono::steady_clock::now();
    if (trains) {
      fit(task, samples, k == 0 ? "20" : words[3]);
    } else {
      flow.sample({.rows = std::atoll(words[3]), .seed = static_cast<std::uint64_t>(k)});
    }
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begun;
    if (k >= 1) times.push_back(spent.count());
  }
  fmt::print("{{\"seconds\": [{:.6f}], \"peak_mb\": {}}}\n", fmt::join(times, ", "), peak_mb());
}

}  // namespace

int main(int count, char** words) {
  if (count != 6) {
    fmt::print(stderr, "usage: flow_time train|sample TASK SIZE REPEATS THREADS\n");
    return 2;
  }
  run(words);
  return 0;
}
