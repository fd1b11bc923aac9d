// Seconds of sampling codes: prior_time ROWS REPEATS THREADS. A transformer of width 256 with 4
// layers and 8 heads draws 49 places of 512 codes, as bench/prior_peer.py does. Says the time of
// each sampling, behind one that warms up, as JSON, and the peak of memory.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <cstdlib>

#include "gradatim/api/settings.h"
#include "gradatim/core/parallel.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/quantize/prior_net.h"
#include "peak_memory.h"

using namespace gradatim;
using namespace gradatim::neural;

namespace {

void run(char** words) {
  const std::int64_t rows = std::atoll(words[1]);
  const ThreadScope threads(std::atoi(words[3]));
  const TorchThreads torch_threads(1e12);
  const std::vector<api::Option> options = {{"width", "256"}, {"layers", "4"}, {"heads", "8"}};
  const auto prior =
      api::build_as<CodePrior>(api::parse_settings("neural.code_prior.transformer", options));
  const auto net = make_prior(*prior, {.levels = {{7, 7}}, .sizes = {512}, .seed = 1});
  std::vector<double> times;
  std::int64_t sum = 0;
  for (int k = 0; k < 1 + std::atoi(words[2]); ++k) {
    const auto begun = std::chrono::steady_clock::now();
    sum +=
        net->sample(rows, {}, {.seed = static_cast<std::uint64_t>(k)}).sum().item<std::int64_t>();
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begun;
    if (k >= 1) times.push_back(spent.count());
  }
  fmt::print("{{\"seconds\": [{:.5f}], \"sum\": {}, \"peak_mb\": {}}}\n", fmt::join(times, ", "),
             sum, peak_mb());
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) {
    fmt::print(stderr, "usage: prior_time ROWS REPEATS THREADS\n");
    return 2;
  }
  translated([&] { run(words); });
  return 0;
}
