// Seconds of a U-Net's step: unet_time train|sample FOLDER ROWS REPEATS THREADS [bfloat16]. A step
// of training is forward, mean squared error, backward and AdamW over all parameters; of sampling,
// forward and DDIM's update. Says the time of each as JSON, and the peak of memory.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <cstdlib>
#include <string_view>

#include "gradatim/core/parallel.h"
#include "gradatim/neural/checkpoint/diffusers_folder.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "peak_memory.h"

using namespace gradatim;
using namespace gradatim::neural;

namespace {

// What AdamW keeps besides the parameters.
struct Adam {
  Tensor first, second, steps = at::zeros({}, at::kFloat);

  explicit Adam(const Parameters& parameters)
      : first(at::zeros_like(parameters.values())), second(at::zeros_like(parameters.values())) {}

  void step(Parameters& parameters) {
    steps.add_(1.0);
    at::_fused_adamw_({parameters.values()}, {parameters.gradients()}, {first}, {second}, {},
                      {steps}, 1e-4, 0.9, 0.999, 1e-2, 1e-8, false, false);
    parameters.gradients().zero_();
  }
};

double train_step(Net& net, Adam& adam, const NetInput& input, const Tensor& target) {
  const Tensor error = net.run(input) - target;
  const double loss = error.square().mean().item<double>();
  net.backward(error * (2.0 / static_cast<double>(error.numel())));
  adam.step(net.parameters());
  return loss;
}

void sample_step(Net& net, NetInput& input) {
  // Some step's coefficients; the time does not depend on them.
  const Tensor noise = net.forward(input);
  input.x = (input.x - 0.6 * noise) * (0.81 / 0.8) + 0.58 * noise;
}

void run(char** words, Precision precision) {
  const bool trains = std::string_view(words[1]) == "train";
  const std::int64_t rows = std::atoll(words[3]);
  const ThreadScope threads(std::atoi(words[5]));
  const TorchThreads torch_threads(1e12);
  const at::NoGradGuard plain;
  const UnetFolder folder = read_unet_folder(words[2]);
  const auto net = load_unet(folder);
  net->set_precision(precision);
  std::vector<std::int64_t> sizes{rows};
  sizes.insert(sizes.end(), folder.shape.sample.begin(), folder.shape.sample.end());
  at::manual_seed(1);
  NetInput input{at::randn(sizes), at::randint(1000, {rows}).to(at::kFloat), {}};
  const Tensor target = at::randn(sizes);
  std::vector<double> times;
  double loss = 0.0;
  Adam adam(net->parameters());
  for (int k = 0; k < 2 + std::atoi(words[4]); ++k) {
    const auto begun = std::chrono::steady_clock::now();
    if (trains) {
      loss = train_step(*net, adam, input, target);
    } else {
      sample_step(*net, input);
    }
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begun;
    if (k >= 2) times.push_back(spent.count());  // the first two warm up
  }
  fmt::print("{{\"seconds\": [{:.4f}], \"loss\": {:.6f}, \"peak_mb\": {}}}\n",
             fmt::join(times, ", "), loss, peak_mb());
}

}  // namespace

int main(int count, char** words) {
  const bool low = count == 7 && std::string_view(words[6]) == "bfloat16";
  if (count != 6 && !low) {
    fmt::print(stderr, "usage: unet_time train|sample FOLDER ROWS REPEATS THREADS [bfloat16]\n");
    return 2;
  }
  translated([&] { run(words, low ? Precision::bfloat16 : Precision::float32); });
  return 0;
}
