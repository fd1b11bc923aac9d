// Seconds of a quantiser's step of training: quantizer_time NAME CODES DIMS VECTORS REPEATS
// THREADS. NAME is a neural.quantizer; a step is forward and backward, and moving averages with it.
// Says the time of each as JSON, and the peak of memory.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <cstdlib>
#include <string>

#include "gradatim/api/settings.h"
#include "gradatim/core/parallel.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/quantize/vector_quantizer.h"
#include "peak_memory.h"

using namespace gradatim;
using namespace gradatim::neural;

namespace {

void run(char** words) {
  const std::string name = words[1];
  const std::int64_t dims = std::atoll(words[3]), vectors = std::atoll(words[4]);
  const ThreadScope threads(std::atoi(words[6]));
  const TorchThreads torch_threads(1e12);
  std::vector<api::Option> options;
  if (name != "finite_scalar") options.push_back({"codes", words[2]});
  const auto settings =
      api::build_as<Quantizer>(api::parse_settings("neural.quantizer." + name, options));
  Parameters parameters;
  const auto quantizer = make_quantizer(*settings, Scope(parameters), dims);
  parameters.pack();
  parameters.init(1);
  parameters.require_gradients(true);
  at::manual_seed(1);
  const Tensor z = at::randn({vectors, dims}).requires_grad_(), by = at::randn({vectors, dims});
  {
    const at::NoGradGuard plain;
    quantizer->start(z, 1);
  }
  std::vector<double> times;
  double loss = 0.0;
  const int repeats = 5 + std::atoi(words[5]);
  for (int k = 0; k < repeats; ++k) {
    const QuantizeStep step{.seed = 1, .step = k, .steps = repeats, .all = vectors};
    const auto begun = std::chrono::steady_clock::now();
    z.mutable_grad() = Tensor();
    const Quantized made = quantizer->quantize(z, step);
    std::vector<Tensor> outputs{made.vectors}, gradients{by};
    if (made.loss.defined()) {
      outputs.push_back(made.loss);
      gradients.push_back(at::scalar_tensor(1.0 / static_cast<double>(vectors)));
    }
    {
      const at::AutoGradMode plain(false);
      torch::autograd::backward(outputs, gradients);
      quantizer->update(step);
      parameters.gradients().zero_();
    }
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begun;
    if (k >= 5) times.push_back(spent.count());  // the first warm up
    loss = made.loss.defined() ? made.loss.item<double>() / static_cast<double>(vectors) : 0.0;
  }
  fmt::print("{{\"seconds\": [{:.6f}], \"loss\": {:.6f}, \"peak_mb\": {}}}\n",
             fmt::join(times, ", "), loss, peak_mb());
}

}  // namespace

int main(int count, char** words) {
  if (count != 7) {
    fmt::print(stderr, "usage: quantizer_time NAME CODES DIMS VECTORS REPEATS THREADS\n");
    return 2;
  }
  translated([&] { run(words); });
  return 0;
}
