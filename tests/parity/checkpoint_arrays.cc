// What tests/parity/test_stable_diffusion_checkpoints.py runs: all arrays of a checkpoint as its
// networks see them, with a LoRA on top.
//
//   checkpoint_arrays FOLDER OUT.safetensors [LORA.safetensors WEIGHT]
#include <cstdlib>
#include <iostream>

#include "gradatim/core/error.h"
#include "gradatim/neural/checkpoint/lora.h"

namespace {

using namespace gradatim;
using namespace gradatim::neural;

void store(const Weights& weights, const std::string& prefix, SafetensorsWriter& out) {
  for (const std::string& name : weights.names()) {
    const at::Tensor array = weights.read(name).to(at::kFloat).contiguous();
    out.add(prefix + name,
            std::span(array.const_data_ptr<float>(), static_cast<std::size_t>(array.numel())),
            array.sizes().vec());
    weights.forget(name);
  }
}

}  // namespace

int main(int count, char** words) {
  try {
    auto files = read_stable_diffusion(words[1]);
    if (count > 4) {
      const Lora lora{words[3], std::atof(words[4])};
      add_loras(files, {&lora, 1});
    }
    check_stable_diffusion(files);
    SafetensorsWriter out;
    store(*files.unet, "unet.", out);
    store(*files.autoencoder, "vae.", out);
    store(*files.text, "text_encoder.", out);
    out.write(words[2]);
  } catch (const Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
