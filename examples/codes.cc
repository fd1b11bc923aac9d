// Discrete codes in C++: VQ-VAE learns images with labels, turns them into whole numbers and back,
// and draws a label's codes from its prior.
//
//   make neural          libgradatim_neural, which is opened when a network is asked for
//   c++ -std=c++20 -O2 -I. examples/codes.cc -o build/codes -Lbuild -lgradatim -lfmt
//   LD_LIBRARY_PATH=build build/codes digits.npz out 3
//
// The table is an .npz with images x and labels y; the model and a picture go to the folder `out`.
// A fourth argument is another number of steps, of both trainings, than 1000.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/data/model.h"
#include "gradatim/data/samples.h"
#include "gradatim/data/samples/values.h"
#include "gradatim/process/coder.h"
#include "gradatim/process/generate.h"

using namespace gradatim;

namespace {

void run(const std::string& table, const std::string& folder, const std::string& label,
         const std::string& steps) {
  const auto images = std::make_shared<data::Samples>(data::read_samples(table));
  const std::vector<api::Option> options = {{"autoencoder", "conv"},        {"downsamplings", "1"},
                                            {"quantizer.codes", "64"},      {"steps", steps},
                                            {"prior.width", "64"},          {"prior.layers", "2"},
                                            {"prior.training.steps", steps}};
  const auto model =
      data::fit_model(api::parse_settings("neural.vq", options), {.samples = images});
  data::save_model(*model, folder + "/codes.safetensors");

  const auto& coder = dynamic_cast<const process::Coder&>(*model);
  const auto numbers = data::values_of(*images, coder.shape(), "the images");
  const auto codes = coder.encode(numbers);  // [images, height, width]
  const auto again = coder.decode(codes);
  double lost = 0.0;
  for (std::size_t k = 0; k < numbers.size(); ++k) {
    lost += (numbers[k] - double{again[k]}) * (numbers[k] - double{again[k]});
  }
  fmt::print("{} codes an image, squared error {:.2f}\n", codes.size() / images->count,
             lost / static_cast<double>(numbers.size()));

  const process::CodesRequest request{
      .rows = 64, .labels = process::labels_named(coder, {label}, 64), .temperature = 0.9};
  data::Samples drawn{.shape = images->shape, .count = 64};
  const auto made = coder.decode(coder.sample_codes(request));
  if (coder.holds_bytes()) {
    drawn.bytes = process::to_bytes(made);
  } else {
    drawn.numbers = made;
  }
  data::write_samples(drawn, folder + "/drawn.png");  // a grid
  fmt::print("{}/drawn.png: 64 images\n", folder);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    fmt::print(stderr, "usage: codes IMAGES.npz FOLDER LABEL [STEPS]\n");
    return 2;
  }
  try {
    run(argv[1], argv[2], argv[3], argc == 5 ? argv[4] : "1000");
  } catch (const Error& error) {
    fmt::print(stderr, "codes: {}\n", error.what());
    return 1;
  }
}
