// A door for test_autoencoder.py: kl_forward FOLDER INPUTS OUTPUTS. Reads a folder of diffusers and
// x and noise from a safetensors file; writes mean, logvar, z (drawn by the noise), out (decoded
// from it), and the gradients of mean((out - x)^2) + 0.01 mean(divergence) by every parameter.
#include <fmt/format.h>

#include "gradatim/core/error.h"
#include "gradatim/neural/checkpoint/diffusers_autoencoder.h"
#include "gradatim/neural/nn/error.h"

using namespace gradatim;
using namespace gradatim::neural;

namespace {

Tensor tensor_of(const SafetensorsFile& file, const std::string& name) {
  auto numbers = file.read<float>(name);
  return at::from_blob(numbers.data(), file.view(name).shape, at::kFloat).clone();
}

void add(SafetensorsWriter& file, const std::string& name, const Tensor& x) {
  const Tensor numbers = x.detach().contiguous();
  file.add(name,
           std::span(numbers.const_data_ptr<float>(), static_cast<std::size_t>(numbers.numel())),
           numbers.sizes().vec());
}

void run(char** words) {
  const auto path = autoencoder_folder(words[1]);
  GRADATIM_CHECK(path.has_value(), UsageError, 1010, "{} is no AutoencoderKL", words[1]);
  const KlParts parts = load_autoencoder(read_autoencoder_folder(*path));
  const SafetensorsFile in(words[2]);
  const Tensor x = tensor_of(in, "x"), noise = tensor_of(in, "noise");
  parts.parameters->require_gradients(true);
  const Posterior found = parts.net->encode(x);
  const Tensor z = found.draw(noise), out = parts.net->decode(z);
  const Tensor loss = (out - x).square().mean() + 0.01 * found.divergence().mean();
  SafetensorsWriter file;
  add(file, "mean", found.mean);
  add(file, "logvar", found.log_variance);
  add(file, "z", z);
  add(file, "out", out);
  add(file, "tiled", parts.net->decode_in_stripes(z.detach(), 100));
  const at::NoGradGuard plain;
  torch::autograd::backward({loss});
  parts.parameters->store(file, parts.parameters->gradients(), "gradient.");
  file.write(words[3]);
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) {
    fmt::print(stderr, "usage: kl_forward FOLDER INPUTS OUTPUTS\n");
    return 2;
  }
  try {
    translated([&] { run(words); });
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
