// Networks in C++: a diffusion learns images with labels, saves itself, and draws a label in two
// ways: by itself (classifier-free) and led by a classifier of noised images.
//
//   make neural          libgradatim_neural, which is opened when a network is asked for
//   c++ -std=c++20 -O2 -I. examples/digits.cc -o build/digits -Lbuild -lgradatim -lfmt
//   LD_LIBRARY_PATH=build build/digits digits.npz out 3
//
// The table is an .npz with images x and labels y; the pictures and models go to the folder `out`.
// A fourth argument is another number of steps than 2000.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/data/model.h"
#include "gradatim/data/samples.h"
#include "gradatim/process/generate.h"
#include "gradatim/process/noised_classifier.h"
#include "gradatim/process/sampler.h"

using namespace gradatim;

namespace {

constexpr std::int64_t kCount = 64;

using Images = std::shared_ptr<const data::Samples>;

std::shared_ptr<const data::Model> fit(const char* component, const Images& images,
                                       const std::string& steps, const std::string& file) {
  data::FitRequest request;
  request.samples = images;
  auto model = data::fit_model(api::parse_settings(component, {{{"steps", steps}}}), request);
  data::save_model(*model, file);
  fmt::print("{}: loss {:.4f}\n", file, model->card().history.front().values.back());
  return model;
}

// DDIM in 20 steps; of the generator's own path and prediction.
api::Settings sampler_of(const process::Generator& generator, const std::string& guidance) {
  const std::vector<api::Option> options = {
      {"solver", "ddim"}, {"steps", "20"}, {"guidance", guidance}, {"guidance.weight", "3"}};
  return process::sampler_for(generator, api::parse_settings("process.sampler", options));
}

void draw(const process::Generator& generator, const api::Settings& sampler,
          process::GenerateRequest request, const std::string& file) {
  request.rows = kCount;
  auto numbers = process::generate(generator, sampler, std::move(request));
  data::Samples made{.shape = {generator.shape().begin(), generator.shape().end()},
                     .count = kCount};
  if (generator.holds_bytes()) {
    made.bytes = process::to_bytes(numbers);
  } else {
    made.numbers = std::move(numbers);
  }
  data::write_samples(made, file);  // a grid
  fmt::print("{}: {} images\n", file, kCount);
}

void run(const std::string& table, const std::string& folder, const std::string& label,
         const std::string& steps) {
  const Images images = std::make_shared<data::Samples>(data::read_samples(table));
  const auto model = fit("neural.diffusion", images, steps, folder + "/digits.safetensors");
  const auto& generator = dynamic_cast<const process::Generator&>(*model);

  const auto labels = process::labels_named(generator, {label}, kCount);
  draw(generator, sampler_of(generator, "classifier_free"), {.labels = labels},
       folder + "/by_label.png");

  // The classifier knows the way: the field is asked for anything, and led along its gradient.
  const auto judge = fit("neural.classifier", images, steps, folder + "/judge.safetensors");
  const auto& classifier = dynamic_cast<const process::NoisedClassifier&>(*judge);
  const auto led = sampler_of(generator, "classifier");
  const auto places = process::places_named(classifier.classes(), "classifier", {label}, kCount);
  const auto energy =
      process::energy_for(generator, classifier, std::make_shared<process::Labels>(places),
                          api::build_as<process::Sampler>(led)->path());
  draw(generator, led, {.energy = energy}, folder + "/by_classifier.png");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    fmt::print(stderr, "usage: digits SAMPLES.npz FOLDER LABEL [STEPS]\n");
    return 2;
  }
  try {
    run(argv[1], argv[2], argv[3], argc == 5 ? argv[4] : "2000");
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
