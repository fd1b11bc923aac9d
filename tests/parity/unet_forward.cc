// A door for test_unet.py: unet_forward FOLDER INPUTS OUTPUTS [COPY]. Reads a folder of diffusers
// and x, t and perhaps labels, context and target from a safetensors file; writes out and, with a
// target, the mean squared error and its gradient by every parameter. COPY: where the network is
// written.
#include <fmt/format.h>

#include "gradatim/core/error.h"
#include "gradatim/neural/checkpoint/diffusers_folder.h"
#include "gradatim/neural/nn/error.h"

using namespace gradatim;
using namespace gradatim::neural;

namespace {

Tensor tensor_of(const SafetensorsFile& file, const std::string& name, at::ScalarType type) {
  if (!file.has(name)) return {};
  const auto& view = file.view(name);
  std::string bytes(view.bytes);
  return at::from_blob(bytes.data(), view.shape, type).clone();
}

void add(SafetensorsWriter& file, const std::string& name, const Tensor& x) {
  const Tensor numbers = x.contiguous();
  file.add(name,
           std::span(numbers.const_data_ptr<float>(), static_cast<std::size_t>(numbers.numel())),
           numbers.sizes().vec());
}

void run(int count, char** words) {
  const UnetFolder folder = read_unet_folder(words[1]);
  const auto net = load_unet(folder);
  const SafetensorsFile in(words[2]);
  const NetInput input{.x = tensor_of(in, "x", at::kFloat),
                       .t = tensor_of(in, "t", at::kFloat),
                       .labels = tensor_of(in, "labels", at::kLong),
                       .context = tensor_of(in, "context", at::kFloat)};
  SafetensorsWriter file;
  const at::NoGradGuard plain;
  const Tensor out = net->forward(input), target = tensor_of(in, "target", at::kFloat);
  add(file, "out", out);
  if (target.defined()) {
    const Tensor error = net->run(input) - target;
    add(file, "loss", error.square().mean().view({1}));
    net->backward(error * (2.0 / static_cast<double>(error.numel())));
    net->parameters().store(file, net->parameters().gradients(), "gradient.");
  }
  file.write(words[3]);
  if (count > 4) {
    write_unet_folder(words[4], *api::build_as<Network>(folder.settings), folder.shape,
                      net->parameters(), folder.config);
  }
}

}  // namespace

int main(int count, char** words) {
  if (count < 4) {
    fmt::print(stderr, "usage: unet_forward FOLDER INPUTS OUTPUTS [COPY]\n");
    return 2;
  }
  try {
    translated([&] { run(count, words); });
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
