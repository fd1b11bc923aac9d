// neural.latent_diffusion as a model: its two trainings, its file, samples by labels and texts, and
// what it refuses.
#include <gtest/gtest.h>

#include "gradatim/core/error.h"
#include "gradatim/neural/latent/latent_diffusion_model.h"
#include "gradatim/neural/testing.h"
#include "gradatim/process/generate.h"
#include "gradatim/process/testing.h"

namespace gradatim::neural {
namespace {

using process::Generator;
using process::testing::code_of;

// Grey images of 8 x 8: a bright left half (label 0) or a bright top (label 1).
std::shared_ptr<data::Samples> bright_halves(std::int64_t count, bool said) {
  auto samples = std::make_shared<data::Samples>(
      data::Samples{.shape = {1, 8, 8}, .count = count, .classes = {"left", "top"}});
  for (std::int64_t k = 0; k < count; ++k) {
    for (std::int64_t pixel = 0; pixel < 64; ++pixel) {
      const bool lit = k % 2 == 0 ? pixel % 8 < 4 : pixel < 32;
      samples->numbers.push_back(lit ? 1.0F : -1.0F);
    }
    samples->labels.push_back(k % 2);
  }
  if (said) {
    samples->captions = {{"left", "the left half"}, {"top", "the top half"}};
    samples->captioned = samples->labels;
  }
  return samples;
}

std::vector<api::Option> latent_options(std::vector<api::Option> more = {}) {
  std::vector<api::Option> options = {{"autoencoder.channels", "8,8"},
                                      {"autoencoder.latent_channels", "2"},
                                      {"autoencoder.training.steps", "60"},
                                      {"autoencoder.training.batch_size", "16"},
                                      {"autoencoder.training.learning_rate", "0.01"},
                                      {"autoencoder.training.warmup_steps", "0"},
                                      {"network", "unet"},
                                      {"network.channels", "16"},
                                      {"network.layers", "1"},
                                      {"network.head_width", "8"},
                                      {"network.attention", "0"},
                                      {"network.cross_attention", "0"},
                                      {"network.norm_groups", "4"},
                                      {"training.steps", "150"},
                                      {"training.batch_size", "16"},
                                      {"training.learning_rate", "0.005"},
                                      {"training.warmup_steps", "0"}};
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

std::shared_ptr<const data::Model> fit_latent_model(const data::FitRequest& request,
                                                    std::vector<api::Option> more = {}) {
  return data::fit_model(
      api::parse_settings("neural.latent_diffusion", latent_options(std::move(more))), request);
}

const Generator& generator_in(const std::shared_ptr<const data::Model>& model) {
  return dynamic_cast<const Generator&>(*model);
}

api::Settings eight_steps(const Generator& generator) {
  return process::sampler_for(generator,
                              api::parse_settings("process.sampler", {{{"steps", "8"}}}));
}

// How many of the images have a brighter left than top, by the pixels that the two differ by.
int lefts(std::span<const float> images) {
  int found = 0;
  for (std::size_t first = 0; first < images.size(); first += 64) {
    float left = 0.0F, top = 0.0F;
    for (std::size_t pixel = 0; pixel < 64; ++pixel) {
      if (pixel >= 32 && pixel % 8 < 4) left += images[first + pixel];
      if (pixel < 32 && pixel % 8 >= 4) top += images[first + pixel];
    }
    if (left > top) ++found;
  }
  return found;
}

TEST(LatentDiffusion, DrawsWhatItIsAskedForAndIsTheSameFromItsFile) {
  for (const bool said : {false, true}) {
    const auto model = fit_latent_model({.seed = 2, .samples = bright_halves(64, said)});
    const Generator& generator = generator_in(model);
    EXPECT_EQ(generator.shape().size(), 3U);
    EXPECT_EQ(process::state_dims_of(generator), 2 * 4 * 4);
    EXPECT_EQ(generator.takes_texts(), said);
    const auto loaded = data::load_model_bytes(model->bytes(), "memory");
    EXPECT_EQ(loaded->bytes(), model->bytes());
    for (const std::int64_t label : {0, 1}) {
      process::GenerateRequest request{.rows = 16, .seed = 4};
      if (said) request.texts = {label == 0 ? "the left half" : "top"};
      if (!said) request.labels = {label};
      const auto made = process::generate(generator, eight_steps(generator), request);
      ASSERT_EQ(made.size(), 16U * 64U);
      EXPECT_GE(label == 0 ? lefts(made) : 16 - lefts(made), 14) << said << label;
      const auto again =
          process::generate(generator_in(loaded), eight_steps(generator_in(loaded)), request);
      EXPECT_EQ(again, made);
    }
  }
}

TEST(LatentDiffusion, CodesAreLatentsAndLeadBackToImages) {
  const auto samples = bright_halves(32, false);
  const auto model = fit_latent_model({.seed = 2, .samples = samples});
  const Generator& generator = generator_in(model);
  const auto sampler = process::sampler_for(generator, {.component = "process.sampler"});
  const std::vector<double> data(samples->numbers.begin(), samples->numbers.end());
  const auto codes = process::encode(generator, sampler, data, {0});
  ASSERT_EQ(codes.size(), 32U * 32U);
  const auto back = process::decode(generator, sampler, codes, {0});
  ASSERT_EQ(back.size(), data.size());
  const std::vector<double> behind = generator.states_of(data);
  const auto decoded = generator.data_of({behind.begin(), behind.end()});
  for (std::size_t k = 0; k < back.size(); ++k) EXPECT_NEAR(back[k], decoded[k], 0.05);
  EXPECT_EQ(code_of([&] { process::log_prob(generator, sampler, data, {0}, {}); }), 1206);
}

TEST(LatentDiffusion, GoesOnFromEitherOfItsTrainings) {
  struct Stop final : Observer {
    int left;
    explicit Stop(int steps) : left(steps) {}
    void on_step(const StepDone&) override {
      if (--left == 0) throw std::runtime_error("enough");
    }
  };
  const auto samples = bright_halves(32, true);
  const std::vector<api::Option> few = {{"training.steps", "30"}};
  const auto whole = fit_latent_model({.seed = 2, .samples = samples}, few);
  for (const int steps : {25, 75}) {
    const testing::Folder folder("latent");
    Stop stop(steps);
    data::FitRequest request{.seed = 2,
                             .observer = &stop,
                             .samples = samples,
                             .resume = folder.path(),
                             .checkpoint_seconds = 0.0};
    EXPECT_THROW(fit_latent_model(request, few), std::runtime_error);
    request.observer = nullptr;
    EXPECT_EQ(fit_latent_model(request, few)->bytes(), whole->bytes()) << steps;
  }
}

TEST(LatentDiffusion, TakesAnAutoencoderThatHasLearned) {
  const auto samples = bright_halves(32, false);
  const std::vector<api::Option> few = {{"training.steps", "5"}};
  const auto whole = fit_latent_model({.seed = 2, .samples = samples}, few);
  const std::vector<api::Option> alone = {{"channels", "8,8"},       {"latent_channels", "2"},
                                          {"steps", "60"},           {"batch_size", "16"},
                                          {"learning_rate", "0.01"}, {"warmup_steps", "0"}};
  const auto autoencoder = data::fit_model(api::parse_settings("neural.kl_autoencoder", alone),
                                           {.seed = 2, .samples = samples});
  const auto same =
      fit_latent_model({.seed = 2, .samples = samples, .autoencoder = autoencoder}, few);
  const Generator &a = generator_in(whole), &b = generator_in(same);
  const process::GenerateRequest request{.rows = 3, .seed = 1, .labels = {1}};
  EXPECT_EQ(process::generate(a, eight_steps(a), request),
            process::generate(b, eight_steps(b), request));
  EXPECT_EQ(code_of([&] { fit_latent_model({.samples = samples, .autoencoder = whole}, few); }),
            1210);
}

TEST(LatentDiffusion, RefusesWhatItCannotLearnFromOrRead) {
  const auto samples = bright_halves(16, false);
  EXPECT_EQ(code_of([&] { fit_latent_model({}); }), 1010);
  EXPECT_EQ(code_of([&] { fit_latent_model({.samples = samples, .source = samples}); }), 1036);
  const auto with_parts = [&](const char* part, data::FitRequest request) {
    request.samples = samples;
    return code_of([&] {
      data::fit_model(
          api::parse_settings("neural.latent_diffusion",
                              std::vector<api::Option>{{"autoencoder", part}, {"steps", "2"}}),
          request);
    });
  };
  EXPECT_EQ(with_parts("neural.vq", {}), 1210);
  EXPECT_EQ(with_parts("boost.newton", {}), 1210);
  // Before the autoencoder has learned for long.
  struct Count final : Observer {
    int steps = 0;
    void on_step(const StepDone&) override { ++steps; }
  } count;
  EXPECT_EQ(code_of([&] {
              fit_latent_model({.observer = &count, .samples = samples}, {{"head_width", "5"}});
            }),
            1166);
  EXPECT_EQ(count.steps, 0);
  const testing::Folder folder("timed");
  EXPECT_EQ(code_of([&] {
              fit_latent_model({.samples = samples, .resume = folder.path()},
                               {{"autoencoder.training.max_seconds", "5"}});
            }),
            1212);

  // A model within a model within a model.
  const auto model = fit_latent_model(
      {.samples = samples}, {{"training.steps", "2"}, {"autoencoder.training.steps", "2"}});
  const std::string bytes = model->bytes();
  const SafetensorsFile whole(bytes, "whole");
  SafetensorsWriter nested;
  data::store_card(model->card(), nested);
  nested.add("autoencoder",
             std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  nested.add("diffusion", std::span<const std::uint8_t>(whole.read<std::uint8_t>("diffusion")));
  EXPECT_EQ(code_of([&] { data::load_model_bytes(nested.bytes(), "nested"); }), 3076);
  SafetensorsWriter swapped;
  data::store_card(model->card(), swapped);
  swapped.add("autoencoder", std::span<const std::uint8_t>(whole.read<std::uint8_t>("diffusion")));
  swapped.add("diffusion", std::span<const std::uint8_t>(whole.read<std::uint8_t>("autoencoder")));
  EXPECT_EQ(code_of([&] { data::load_model_bytes(swapped.bytes(), "swapped"); }), 3076);
}

}  // namespace
}  // namespace gradatim::neural
