// neural.vq as a model: codes, samples, the bound, files, checkpoints, and what it refuses.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "gradatim/core/error.h"
#include "gradatim/neural/quantize/conv_parts.h"
#include "gradatim/neural/quantize/observation.h"
#include "gradatim/neural/testing.h"
#include "gradatim/process/coder.h"
#include "gradatim/process/testing.h"

namespace gradatim::neural {
namespace {

using process::Coder;
using process::CodesRequest;
using process::testing::code_of;
using testing::two_blobs;
using testing::two_images;

std::vector<api::Option> vq_options(std::vector<api::Option> options) {
  const std::vector<api::Option> small = {{"quantizer", "nearest"},
                                          {"quantizer.codes", "8"},
                                          {"batch_size", "32"},
                                          {"learning_rate", "0.01"},
                                          {"steps", "60"},
                                          {"warmup_steps", "0"},
                                          {"prior.width", "16"},
                                          {"prior.layers", "1"},
                                          {"prior.heads", "2"},
                                          {"prior.training.steps", "60"},
                                          {"prior.training.batch_size", "32"},
                                          {"prior.training.warmup_steps", "0"},
                                          {"prior.training.learning_rate", "0.01"}};
  options.insert(options.begin(), small.begin(), small.end());
  return options;
}

std::shared_ptr<const data::Model> fit_vq_model(std::vector<api::Option> options,
                                                data::FitRequest request) {
  request.seed = 5;
  return data::fit_model(api::parse_settings("neural.vq", vq_options(std::move(options))), request);
}

const std::vector<api::Option> kRows = {{"autoencoder", "mlp"},
                                        {"autoencoder.width", "32"},
                                        {"autoencoder.codes_each", "3"},
                                        {"autoencoder.code_width", "4"}};
const std::vector<api::Option> kImages = {{"autoencoder", "conv"},
                                          {"autoencoder.channels", "16"},
                                          {"autoencoder.residual_channels", "8"},
                                          {"autoencoder.downsamplings", "1"},
                                          {"autoencoder.code_width", "8"}};

const Coder& coder_of(const std::shared_ptr<const data::Model>& model) {
  return dynamic_cast<const Coder&>(*model);
}

std::vector<double> vq_data(const data::Samples& samples) {
  return {samples.numbers.begin(), samples.numbers.end()};
}

double metric(const data::Model& model, const data::Samples& samples, const std::string& name) {
  for (const auto& [each, value] : model.evaluate_samples(samples, 0)) {
    if (each == name) return value;
  }
  throw std::runtime_error("no metric " + name);
}

TEST(Observation, ChancesOfAllBytesSumToOne) {
  Observation one(1, true);  // of a spread of 1.8
  one.add(std::vector<double>{3.0}, std::vector<float>{5.5F});
  one.finish();
  for (const float mean : {-20.0F, 0.0F, 5.5F, 254.9F, 300.0F}) {
    double sum = 0.0;
    for (int byte = 0; byte < 256; ++byte) {
      sum += std::exp(one.log_prob(std::vector<double>{double(byte)}, std::vector<float>{mean}));
    }
    EXPECT_NEAR(sum, 1.0, 1e-9) << mean;
  }
}

TEST(Observation, ADensityIntegratesToOne) {
  Observation observation(1, false);
  observation.add(std::vector<double>{0.2, -0.1, 0.4}, std::vector<float>{0.0F, 0.0F, 0.1F});
  observation.finish();
  double sum = 0.0;
  for (double x = -20.0; x < 20.0; x += 1e-3) {
    sum += 1e-3 * std::exp(observation.log_prob(std::vector<double>{x}, std::vector<float>{0.3F}));
  }
  EXPECT_NEAR(sum, 1.0, 1e-6);
}

TEST(Vq, EveryAutoencoderIsThereAndBackWithEveryQuantiser) {
  const auto images = two_images(96);
  for (const char* autoencoder : {"conv", "hierarchical", "mlp"}) {
    for (const auto* entry : api::Registry::instance().list("neural.quantizer")) {
      std::vector<api::Option> options = {{"autoencoder", autoencoder},
                                          {"quantizer", std::string(entry->text.name)},
                                          {"steps", "8"},
                                          {"prior.training.steps", "4"}};
      for (const auto& setting : entry->settings) {
        if (setting.name == "codes") options.emplace_back("quantizer.codes", "16");
      }
      // Only those that are there: the small settings are for a book of eight codes.
      std::vector<api::Option> all = vq_options(options);
      std::erase_if(all, [](const auto& each) {
        return each.first == "quantizer.codes" && each.second == "8";
      });
      const auto model =
          data::fit_model(api::parse_settings("neural.vq", all), {.seed = 5, .samples = images});
      const Coder& coder = coder_of(model);
      const auto data = vq_data(*images);
      const auto codes = coder.encode(data);
      const auto length = std::ssize(coder.code_sizes());
      ASSERT_EQ(std::ssize(codes), images->count * length) << entry->text.name;
      for (std::size_t k = 0; k < codes.size(); ++k) {
        ASSERT_GE(codes[k], 0) << entry->text.name;
        ASSERT_LT(codes[k], coder.code_sizes()[k % static_cast<std::size_t>(length)]);
      }
      EXPECT_EQ(std::ssize(coder.decode(codes)), std::ssize(data));
      EXPECT_TRUE(std::isfinite(metric(*model, *images, "bits_per_dim"))) << entry->text.name;
      EXPECT_EQ(data::load_model_bytes(model->bytes(), "file")->bytes(), model->bytes())
          << autoencoder << " " << entry->text.name;
    }
  }
}

TEST(Vq, LearnsToReconstructAndItsPriorToDrawTheCodes) {
  auto options = kImages;
  options.insert(options.end(), {{"steps", "300"}, {"prior.training.steps", "300"}});
  const auto samples = two_images(256);
  const auto model = fit_vq_model(options, {.samples = samples});
  auto few = kImages;
  few.insert(few.end(), {{"steps", "1"}, {"prior.training.steps", "1"}});
  const auto before = fit_vq_model(few, {.samples = samples});
  EXPECT_LT(metric(*model, *samples, "squared_error"),
            0.1 * metric(*before, *samples, "squared_error"));
  EXPECT_LT(metric(*model, *samples, "bits_per_dim"),
            metric(*before, *samples, "bits_per_dim") - 0.5);
  // What the prior draws of a label looks like it: a bright half, left or top.
  const Coder& coder = coder_of(model);
  for (const std::int64_t label : {0, 1}) {
    const auto made = coder.decode(coder.sample_codes({.rows = 64, .seed = 3, .labels = {label}}));
    int right = 0;
    for (std::size_t row = 0; row < 64; ++row) {
      const float* image = made.data() + 16 * row;
      // The pixels that the two differ by: top right and bottom left.
      const float difference = image[2] + image[3] - image[12] - image[13];
      if ((difference < 0.0F) == (label == 0)) ++right;
    }
    EXPECT_GE(right, 58) << label;
  }
}

TEST(Vq, TheBoundAddsOverLabelsByTheirShares) {
  const auto samples = two_blobs(128);
  const auto model = fit_vq_model(kRows, {.samples = samples});
  const Coder& coder = coder_of(model);
  const auto data = vq_data(*samples);
  const auto all = coder.log_prob(data, {.rows = 128}).log_prob;
  const auto left = coder.log_prob(data, {.rows = 128, .labels = {0}}).log_prob;
  const auto right = coder.log_prob(data, {.rows = 128, .labels = {1}}).log_prob;
  for (std::size_t k = 0; k < 128; ++k) {
    EXPECT_NEAR(std::exp(all[k]), 0.5 * (std::exp(left[k]) + std::exp(right[k])),
                1e-5 * std::exp(all[k]));
  }
}

TEST(Vq, ARowDependsOnNothingBesideIt) {
  const auto samples = two_images(96);
  const auto model = fit_vq_model(kImages, {.samples = samples});
  const Coder& coder = coder_of(model);
  const auto data = vq_data(*samples);
  const auto codes = coder.encode(data);
  const auto length = std::ssize(coder.code_sizes());
  const auto one = coder.encode(std::span(data).subspan(16 * 70, 16));
  EXPECT_TRUE(std::equal(one.begin(), one.end(), codes.begin() + 70 * length));
  const auto decoded = coder.decode(codes), single = coder.decode(one);
  EXPECT_TRUE(std::equal(single.begin(), single.end(), decoded.begin() + std::ptrdiff_t{16} * 70));
  const auto bounds = coder.log_prob(data, {.rows = 96}).log_prob;
  EXPECT_EQ(coder.log_prob(std::span(data).subspan(16 * 70, 16), {}).log_prob[0], bounds[70]);
  const CodesRequest many{.rows = 40, .seed = 9};
  CodesRequest part = many;
  part.only = process::RowRange{30, 5};
  const auto drawn = coder.sample_codes(many), some = coder.sample_codes(part);
  EXPECT_TRUE(std::equal(some.begin(), some.end(), drawn.begin() + 30 * length));
  EXPECT_GT(std::set<std::int64_t>(drawn.begin(), drawn.end()).size(), 1U);
}

TEST(Vq, GoesOnFromEitherOfItsTrainings) {
  struct Stop final : Observer {
    int left;
    explicit Stop(int steps) : left(steps) {}
    void on_step(const StepDone&) override {
      if (--left == 0) throw std::runtime_error("enough");
    }
  };
  const auto samples = two_images(96);
  auto options = kImages;
  options.insert(options.end(), {{"quantizer", "moving_average"}, {"quantizer.codes", "8"}});
  const auto whole = fit_vq_model(options, {.samples = samples});
  for (const int steps : {35, 90}) {
    const testing::Folder folder("vq");
    Stop stop(steps);
    data::FitRequest request{
        .observer = &stop, .samples = samples, .resume = folder.path(), .checkpoint_seconds = 0.0};
    EXPECT_THROW(fit_vq_model(options, request), std::runtime_error);
    request.observer = nullptr;
    EXPECT_EQ(fit_vq_model(options, request)->bytes(), whole->bytes()) << steps;
  }
}

TEST(Vq, RefusesWhatItCannotLearnOrSay) {
  const auto images = two_images(64), blobs = two_blobs(64);
  const auto code = [&](std::vector<api::Option> options, data::FitRequest request) {
    return code_of([&] { fit_vq_model(std::move(options), std::move(request)); });
  };
  EXPECT_EQ(code(kImages, {}), 1010);
  EXPECT_EQ(code(kImages, {.samples = blobs}), 1205);
  EXPECT_EQ(code({{"autoencoder", "hierarchical"}, {"downsamplings", "2"}}, {.samples = images}),
            1205);
  EXPECT_EQ(code({{"precision", "bfloat16"}}, {.samples = images}), 1180);
  EXPECT_EQ(code({{"gradient_compression", "bfloat16"}}, {.samples = images}), 1180);
  const testing::Folder folder("timed_vq");
  EXPECT_EQ(code({{"max_seconds", "5"}}, {.samples = images, .resume = folder.path()}), 1212);
  EXPECT_EQ(code({{"sample_every", "5"}}, {.samples = images, .log_folder = "x"}), 1181);
  EXPECT_EQ(code(kImages, {.samples = images, .source = images}), 1036);
  auto captioned = std::make_shared<data::Samples>(*images);
  captioned->captions = {{"one"}};
  captioned->captioned.assign(64, 0);
  EXPECT_EQ(code(kImages, {.samples = captioned}), 1211);

  const auto model = fit_vq_model(kImages, {.samples = images});
  const Coder& coder = coder_of(model);
  std::vector<std::int64_t> codes(coder.code_sizes().size(), 0);
  codes.back() = coder.code_sizes().back();
  EXPECT_EQ(code_of([&] { coder.decode(codes); }), 2110);
  codes.back() = -1;
  EXPECT_EQ(code_of([&] { coder.decode(codes); }), 2110);
  EXPECT_EQ(code_of([&] { coder.sample_codes({.labels = {2}}); }), 1104);
  EXPECT_EQ(code_of([&] { coder.sample_codes({.temperature = -1.0}); }), 1158);
  EXPECT_EQ(code_of([&] { coder.sample_codes({.top_p = 0.0}); }), 1158);
  const std::vector<double> three(48, 0.5);
  EXPECT_EQ(code_of([&] { coder.log_prob(three, {.labels = {0, 1}}); }), 1104);
  EXPECT_EQ(code_of([&] { model->evaluate_samples(*blobs, 0); }), 2090);
}

}  // namespace
}  // namespace gradatim::neural
