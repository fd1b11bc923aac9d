// Images by texts in C++, of a checkpoint of Stable Diffusion: a folder of diffusers or a file.
//
//   make neural          libgradatim_neural, which is opened when a network is asked for
//   c++ -std=c++20 -O2 -I. examples/draw.cc -o build/draw -Lbuild -lgradatim -lfmt
//   LD_LIBRARY_PATH=build build/draw stable-diffusion "a red cat" 30 cat.png
#include <fmt/format.h>

#include <cmath>
#include <string>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/data/png.h"
#include "gradatim/neural/stable_diffusion.h"

using namespace gradatim;

int main(int count, char** words) try {
  if (count != 5) return fmt::print("usage: draw CHECKPOINT PROMPT STEPS OUT.png\n"), 2;
  const std::vector<api::Option> options = {{"steps", words[3]}};
  neural::DrawRequest request{.prompt = words[2], .seeds = {0}};
  request.how =
      api::build_as<neural::Pipeline>(api::parse_settings("neural.stable_diffusion", options));
  const auto checkpoint = neural::open_stable_diffusion({.path = words[1]});
  const neural::Array images = checkpoint->draw(request);  // [1, 3, height, width] in [0, 1]
  data::Image image{.height = images.shape[2], .width = images.shape[3], .channels = 3};
  const std::size_t pixels = images.numbers.size() / 3;
  for (std::size_t k = 0; k < 3 * pixels; ++k) {
    const float x = images.numbers[k % 3 * pixels + k / 3];
    image.bytes.push_back(static_cast<std::uint8_t>(std::lround(255.0F * x)));
  }
  write_atomically(words[4], data::encode_png(image));
} catch (const Error& error) {
  fmt::print(stderr, "draw: {}\n", error.what());
  return 1;
}
