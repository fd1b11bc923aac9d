// Seconds of a perceptron's whole fits and samplings: mlp_time train|sample STEPS REPEATS THREADS
// [COUPLING].
// 3 -> 128 x 3 -> 2 as bench/mlp_peer.py has it, by the same calls that a program in C++ makes.
// Says the time of each run of STEPS, behind one that warms up, as JSON, and the peak of memory.
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
#include "gradatim/process/generate.h"
#include "gradatim/process/sampler.h"
#include "peak_memory.h"

using namespace gradatim;

namespace {

std::shared_ptr<const data::Samples> points() {
  auto samples = std::make_shared<data::Samples>();
  samples->shape = {2};
  samples->count = 100'000;
  std::vector<double> drawn(200'000);
  normals(Philox(1, Stream::order, 0), 0, drawn);
  samples->numbers.assign(drawn.begin(), drawn.end());
  return samples;
}

std::shared_ptr<const data::Model> fit(const std::shared_ptr<const data::Samples>& samples,
                                       const std::string& steps, const std::string& coupling) {
  data::FitRequest request;
  request.samples = samples;
  return data::fit_model(api::parse_settings("neural.diffusion", {{{"network", "mlp"},
                                                                   {"network.width", "128"},
                                                                   {"network.layers", "3"},
                                                                   {"network.time_input", "plain"},
                                                                   {"scaling", "none"},
                                                                   {"batch_size", "256"},
                                                                   {"gradient_clip", "0"},
                                                                   {"ema_decay", "0"},
                                                                   {"coupling", coupling},
                                                                   {"steps", steps}}}),
                         request);
}

void sample(const data::Model& model, const std::string& steps) {
  const auto& generator = dynamic_cast<const process::Generator&>(model);
  const std::vector<api::Option> options = {{"solver", "euler"}, {"steps", steps}};
  const auto sampler =
      process::sampler_for(generator, api::parse_settings("process.sampler", options));
  process::generate(generator, sampler, {.rows = 256});
}

void run(char** words, const std::string& coupling) {
  const bool trains = std::string_view(words[1]) == "train";
  const ThreadScope threads(std::atoi(words[4]));
  const auto samples = points();
  const auto model = fit(samples, "100", coupling);
  std::vector<double> times;
  for (int k = 0; k < 1 + std::atoi(words[3]); ++k) {
    const auto begun = std::chrono::steady_clock::now();
    if (trains) {
      fit(samples, words[2], coupling);
    } else {
      sample(*model, words[2]);
    }
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begun;
    if (k >= 1) times.push_back(spent.count());
  }
  fmt::print("{{\"seconds\": [{:.5f}], \"peak_mb\": {}}}\n", fmt::join(times, ", "), peak_mb());
}

}  // namespace

int main(int count, char** words) {
  if (count != 5 && count != 6) {
    fmt::print(stderr, "usage: mlp_time train|sample STEPS REPEATS THREADS [COUPLING]\n");
    return 2;
  }
  run(words, count == 6 ? words[5] : "independent");
  return 0;
}
