// neural.kl_autoencoder as a model: what it learns, files, folders of diffusers, and what it
// refuses.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/neural/checkpoint/diffusers_autoencoder.h"
#include "gradatim/neural/latent/kl_objective.h"
#include "gradatim/neural/testing.h"
#include "gradatim/process/testing.h"

namespace gradatim::neural {
namespace {

namespace fs = std::filesystem;
using process::LatentCoder;
using process::testing::code_of;
using testing::two_blobs;
using testing::two_images;
using Samples = std::shared_ptr<const data::Samples>;

std::shared_ptr<const data::Model> fit_kl_model(std::vector<api::Option> options,
                                                const Samples& samples) {
  const std::vector<api::Option> small = {{"channels", "8,8"},        {"latent_channels", "2"},
                                          {"norm_groups", "4"},       {"batch_size", "32"},
                                          {"learning_rate", "0.005"}, {"steps", "60"},
                                          {"ema_decay", "0.95"},      {"warmup_steps", "5"}};
  options.insert(options.begin(), small.begin(), small.end());
  return data::fit_model(api::parse_settings("neural.kl_autoencoder", options),
                         {.seed = 4, .samples = samples});
}

const LatentCoder& coder_of(const std::shared_ptr<const data::Model>& model) {
  return dynamic_cast<const LatentCoder&>(*model);
}

std::vector<double> kl_numbers(const data::Samples& samples) {
  if (samples.bytes.empty()) return {samples.numbers.begin(), samples.numbers.end()};
  return {samples.bytes.begin(), samples.bytes.end()};
}

// Bytes of 4 x 4 that tell nothing of each other.
Samples noisy_bytes(std::int64_t count) {
  auto samples = std::make_shared<data::Samples>(data::Samples{.shape = {1, 4, 4}, .count = count});
  const Philox draws(9, Stream::data);
  for (std::int64_t k = 0; k < 16 * count; ++k) {
    samples->bytes.push_back(
        static_cast<std::uint8_t>(draws.below(256, static_cast<std::uint64_t>(k))));
  }
  return samples;
}

double metric_of(const data::Model& model, const data::Samples& samples, const std::string& name) {
  for (const auto& [found, value] : model.evaluate_samples(samples, 1)) {
    if (found == name) return value;
  }
  return std::nan("");
}

std::vector<double> doubles(const std::vector<float>& numbers) {
  return {numbers.begin(), numbers.end()};
}

TEST(KlAutoencoder, LearnsImagesAndRows) {
  for (const auto& samples : {two_images(64), two_blobs(64)}) {
    const auto model = fit_kl_model({{"steps", "400"}}, samples);
    const auto data = kl_numbers(*samples);
    const auto latents = coder_of(model).encode(data, {.rows = samples->count});
    const auto again = coder_of(model).decode(doubles(latents), {.rows = samples->count});
    double squares = 0.0, all = 0.0;
    for (std::size_t k = 0; k < data.size(); ++k) {
      squares += std::pow(data[k] - double{again[k]}, 2.0);
      all += data[k] * data[k];
    }
    EXPECT_LT(squares, 0.1 * all);
    EXPECT_LT(model->card().history.front().values.back(),
              0.5 * model->card().history.front().values.front());
    const auto drawn = coder_of(model).encode(data, {.rows = samples->count, .seed = 1});
    double moment = 0.0, mean = 0.0;
    for (const float z : drawn) mean += double{z} / static_cast<double>(drawn.size());
    for (const float z : drawn) {
      moment += std::pow(double{z} - mean, 2.0) / static_cast<double>(drawn.size());
    }
    EXPECT_NEAR(moment, 1.0, 0.15);
  }
}

TEST(KlAutoencoder, IsTheSameFromItsFile) {
  const auto samples = two_images(32);
  const auto model = fit_kl_model({}, samples);
  const auto loaded = data::load_model_bytes(model->bytes(), "copy");
  EXPECT_EQ(loaded->bytes(), model->bytes());
  const auto data = kl_numbers(*samples);
  EXPECT_EQ(coder_of(loaded).encode(data, {.rows = 32, .seed = 5}),
            coder_of(model).encode(data, {.rows = 32, .seed = 5}));
  EXPECT_EQ(loaded->evaluate_samples(*samples, 2), model->evaluate_samples(*samples, 2));
}

TEST(KlAutoencoder, ARowDoesNotDependOnTheRowsBesideIt) {
  const auto samples = two_images(70);
  const auto model = fit_kl_model({{"steps", "5"}}, samples);
  const auto data = kl_numbers(*samples);
  const auto all = coder_of(model).encode(data, {.rows = 70, .seed = 3});
  const std::size_t width = all.size() / 70;
  const auto three = coder_of(model).encode(std::span(data).first(3 * 16), {.rows = 3, .seed = 3});
  EXPECT_TRUE(std::equal(three.begin(), three.end(), all.begin()));
  const auto one = coder_of(model).encode(std::span(data).subspan(66 * 16, 16),
                                          {.rows = 1, .seed = 3, .first_row = 66});
  for (std::size_t k = 0; k < width; ++k) EXPECT_NEAR(one[k], all[66 * width + k], 1e-5);
  const auto mean = coder_of(model).encode(data, {.rows = 70});
  EXPECT_NE(mean, all);
  const auto whole = coder_of(model).decode(doubles(mean), {.rows = 70});
  const auto tiled = coder_of(model).decode(doubles(mean), {.rows = 70, .tile = 5});
  for (std::size_t k = 0; k < whole.size(); ++k) EXPECT_NEAR(whole[k], tiled[k], 1e-4);
}

TEST(KlAutoencoder, TheBoundLiesAboveTheEntropy) {
  const auto bytes = noisy_bytes(128);
  const auto of_bytes = fit_kl_model({{"steps", "30"}, {"kl_weight", "0.01"}}, bytes);
  EXPECT_GT(metric_of(*of_bytes, *bytes, "bits_per_dim"), 8.0);
  EXPECT_LT(metric_of(*of_bytes, *bytes, "bits_per_dim"), 10.0);
  // Normal numbers of deviation 3: 0.5 log2(2 pi e 9) = 3.632.
  auto rows = std::make_shared<data::Samples>(data::Samples{.shape = {2}, .count = 2000});
  std::vector<double> noise(4000);
  normals(Philox(3, Stream::data), 0, noise);
  for (const double z : noise) rows->numbers.push_back(static_cast<float>(3.0 * z));
  const auto of_rows =
      fit_kl_model({{"steps", "300"}, {"kl_weight", "0.5"}, {"reconstruction", "squared"}}, rows);
  EXPECT_GT(metric_of(*of_rows, *rows, "bits_per_dim"), 3.632 - 0.05);
  EXPECT_LT(metric_of(*of_rows, *rows, "bits_per_dim"), 3.632 + 0.5);
}

struct Learning {
  explicit Learning(const std::vector<api::Option>& options, const Samples& samples)
      : settings(testing::settings_of(options, "neural.kl_autoencoder")) {
    plan.training = api::build_as<Training>(settings.parts.at("training"));
    plan.config.channels = {8, 8};
    plan.config.latent_channels = 2;
    plan.config.norm_groups = 4;
    plan.config.adversarial_weight = 0.5;
    plan.config.discriminator_channels = 8;
    plan.config.discriminator_layers = 1;
    trained = KlTrained::make(plan.config, samples->shape, 1, at::kCPU);
    batches = std::make_unique<KlBatches>(samples, plan, Scale(Scaling::automatic, *samples),
                                          c10::multiply_integers(trained.net->latent()), 7);
    objective = std::make_unique<KlObjective>(
        plan, [this](std::int64_t step) { return batches->at(step); }, trained, samples->shape,
        at::kCPU, [] { return ModelCopy{}; });
  }
  // Gradients of a batch, learned in so many parts.
  Tensor gradients(Batch batch, std::int64_t parts) {
    const at::NoGradGuard plain;
    trained.parameters->gradients().zero_();
    const std::int64_t rows = batch.rows / parts;
    for (std::int64_t k = 0; k < parts; ++k) loss = objective->learn(batch, k * rows, rows);
    return trained.parameters->gradients().clone();
  }
  std::int64_t own() const { return trained.parameters->items()[trained.own].offset; }
  api::Settings settings;
  KlPlan plan;
  KlTrained trained;
  std::unique_ptr<KlBatches> batches;
  std::unique_ptr<KlObjective> objective;
  double loss = 0.0;
};

Samples large_images(std::int64_t count) {
  auto samples = std::make_shared<data::Samples>(data::Samples{.shape = {1, 8, 8}, .count = count});
  std::vector<double> noise(static_cast<std::size_t>(64 * count));
  normals(Philox(21, Stream::data), 0, noise);
  for (const double z : noise) samples->numbers.push_back(static_cast<float>(z));
  return samples;
}

TEST(KlObjective, TheTwoLossesReachParametersOfTheirOwn) {
  Learning learning({{"batch_size", "8"}}, large_images(16));
  const Batch batch = learning.batches->at(0);
  Batch alone = batch;
  std::ranges::fill(alone.weight, 0.0F);
  const std::int64_t own = learning.own();
  const Tensor plain = learning.gradients(alone, 1);
  EXPECT_EQ(plain.narrow(0, own, plain.numel() - own).abs().max().item<double>(), 0.0);
  EXPECT_GT(plain.narrow(0, 0, own).abs().max().item<double>(), 0.0);

  const Tensor both = learning.gradients(batch, 1);
  // By hand: every loss by itself.
  Batch copy = batch;
  const Tensor x = rows_of(copy.x, 0, {8, 1, 8, 8}, at::kCPU);
  const Tensor noise = rows_of(copy.target, 0, {8, 2, 4, 4}, at::kCPU);
  auto& parameters = *learning.trained.parameters;
  std::vector<Tensor> of_net, of_judge;
  for (std::size_t k = 0; k < parameters.items().size(); ++k) {
    (k < learning.trained.own ? of_net : of_judge).push_back(parameters.items()[k].value);
  }
  const at::AutoGradMode graph(true);
  const KlNet& net = *learning.trained.net;
  const Tensor decoded = net.decode(net.encode(x).draw(noise));
  const auto& judge = *learning.trained.discriminator;
  const auto fooling = torch::autograd::grad({generator_loss(judge(decoded))}, of_net, {}, true);
  const auto lost =
      torch::autograd::grad({(decoded - x).abs().mean()}, {net.last_weight()}, {}, true);
  const auto telling =
      torch::autograd::grad({discriminator_loss(judge(x), judge(decoded.detach()))}, of_judge);
  const at::NoGradGuard no_graph;
  double apart = 0.0, size = 0.0;
  for (std::size_t k = 0; k < of_judge.size(); ++k) {
    const auto& item = parameters.items()[learning.trained.own + k];
    const Tensor found = both.narrow(0, item.offset, item.value.numel());
    apart = std::max(apart, (found - telling[k].flatten()).abs().max().item<double>());
    size = std::max(size, found.abs().max().item<double>());
  }
  EXPECT_LT(apart, 1e-5 * size);
  double balance = 0.0;
  for (std::size_t k = 0; k < of_net.size(); ++k) {
    if (of_net[k].is_same(net.last_weight())) {
      balance = 0.5 * lost[0].norm().item<double>() / (fooling[k].norm().item<double>() + 1e-6);
    }
  }
  EXPECT_GT(balance, 0.0);
  for (std::size_t k = 0; k < of_net.size(); ++k) {
    const auto& item = parameters.items()[k];
    const Tensor more = (both - plain).narrow(0, item.offset, item.value.numel());
    const Tensor expected = balance * fooling[k].flatten();
    EXPECT_LT((more - expected).abs().max().item<double>(), 1e-5) << item.name;
  }
}

TEST(KlObjective, PartsOfABatchAddUp) {
  Learning learning({{"batch_size", "8"}}, large_images(16));
  Batch batch = learning.batches->at(3);
  std::ranges::fill(batch.weight, 0.0F);
  const Tensor whole = learning.gradients(batch, 1), parts = learning.gradients(batch, 4);
  EXPECT_LT((whole - parts).abs().max().item<double>(), 1e-5 * whole.abs().max().item<double>());
}

TEST(KlObjective, ADiscriminatorWaitsForItsStep) {
  Learning learning({{"batch_size", "8"}}, large_images(16));
  learning.plan.config.adversarial_start = 5;
  KlBatches late(large_images(16), learning.plan, Scale(), 32, 7);
  EXPECT_EQ(late.at(4).weight.front(), 0.0F);
  EXPECT_EQ(late.at(5).weight.front(), 0.5F);
}

TEST(KlAutoencoder, LearnsAgainstADiscriminatorThatIsNotSaved) {
  const auto samples = large_images(32);
  const auto model = fit_kl_model({{"adversarial_weight", "0.5"},
                                   {"adversarial_start", "3"},
                                   {"discriminator_channels", "8"},
                                   {"discriminator_layers", "1"},
                                   {"steps", "8"}},
                                  samples);
  const std::string bytes = model->bytes();
  const SafetensorsFile file(bytes, "model");
  for (const auto& [name, view] : file.arrays()) {
    EXPECT_EQ(name.find("discriminator"), std::string::npos) << name;
  }
  EXPECT_EQ(data::load_model_bytes(bytes, "copy")->bytes(), bytes);
}

TEST(KlAutoencoder, RefusesWhatDoesNotSuit) {
  const auto images = two_images(8), rows = two_blobs(8);
  const auto code = [](const std::vector<api::Option>& options, const Samples& samples) {
    return code_of([&] { fit_kl_model(options, samples); });
  };
  EXPECT_EQ(code({{"channels", "8,8,8,8"}}, images), 1200);
  EXPECT_EQ(code({{"channels", "8,6"}}, images), 1201);
  EXPECT_EQ(code({{"adversarial_weight", "1"}}, rows), 1202);
  EXPECT_EQ(code({{"adversarial_weight", "1"}}, images), 1202);
  EXPECT_EQ(code({{"sample_every", "1"}}, images), 1181);
  const auto model = fit_kl_model({{"steps", "1"}}, images);
  const auto& coder = coder_of(model);
  EXPECT_EQ(code_of([&] { coder.encode(std::vector(15, 0.0), {.rows = 1}); }), 1203);
  EXPECT_EQ(code_of([&] { coder.decode(std::vector(9, 0.0), {.rows = 1}); }), 1203);
  EXPECT_EQ(code_of([&] { coder.decode(std::vector(8, 0.0), {.rows = 1, .tile = -1}); }), 1203);
  EXPECT_EQ(code_of([&] { coder.decode(std::vector(8, 1e39), {.rows = 1}); }), 4040);
  EXPECT_EQ(code_of([&] { model->evaluate_samples(*rows, 0); }), 2090);
}

TEST(KlAutoencoder, ADamagedScaleOfLatentsIsRefused) {
  const auto model = std::dynamic_pointer_cast<const KlAutoencoderModel>(
      fit_kl_model({{"steps", "1"}}, two_images(8)));
  for (const double factor : {0.0, std::nan("")}) {
    KlParts parts = model->parts();
    parts.factor = factor;
    const KlAutoencoderModel damaged(model->plan(), model->card(), model->kind(), parts);
    EXPECT_EQ(code_of([&] { data::load_model_bytes(damaged.bytes(), "copy"); }), 3071);
  }
}

nlohmann::ordered_json config_in(const std::string& folder) {
  return nlohmann::ordered_json::parse(MappedFile(folder + "/config.json").bytes());
}

TEST(KlAutoencoder, GoesToDiffusersAndBack) {
  const auto samples = two_images(32);
  const auto model = fit_kl_model({{"steps", "20"}}, samples);
  const testing::Folder folder("kl");
  to_diffusers(*model, folder.path());
  EXPECT_EQ(config_in(folder.path()).at("_class_name"), "AutoencoderKL");
  const auto back = from_diffusers(folder.path()).model;
  const auto data = kl_numbers(*samples);
  const auto latents = coder_of(model).encode(data, {.rows = 32});
  EXPECT_EQ(coder_of(back).encode(data, {.rows = 32}), latents);
  EXPECT_EQ(coder_of(back).decode(doubles(latents), {.rows = 32}),
            coder_of(model).decode(doubles(latents), {.rows = 32}));

  for (const auto& [name, value] :
       {std::pair<const char*, nlohmann::ordered_json>{"act_fn", "relu"},
        {"shift_factor", 0.1},
        {"use_quant_conv", false},
        {"down_block_types", {"DownEncoderBlock2D", "AttnDownEncoderBlock2D"}},
        {"out_channels", 2},
        {"scaling_factor", 0.0},
        {"sample_size", "large"}}) {
    auto config = config_in(folder.path());
    const auto before = config.dump();
    config[name] = value;
    write_atomically(folder.path() + "/config.json", config.dump());
    EXPECT_EQ(code_of([&] { from_diffusers(folder.path()); }), 3063) << name;
    write_atomically(folder.path() + "/config.json", before);
  }
  EXPECT_EQ(code_of([&] {
              to_diffusers(*fit_kl_model({{"steps", "1"}}, two_blobs(8)), "rows");
            }),
            3063);
}

TEST(KlAutoencoder, FormerNamesAndShapesOfAttentionAreRead) {
  const auto samples = two_images(16);
  const auto model =
      std::dynamic_pointer_cast<const KlAutoencoderModel>(fit_kl_model({{"steps", "5"}}, samples));
  const testing::Folder folder("kl_former");
  to_diffusers(*model, folder.path());
  SafetensorsWriter file;
  for (const auto& item : model->parts().parameters->items()) {
    std::string name = item.name;
    auto shape = item.value.sizes().vec();
    for (const auto& [now, before] : {std::pair{".to_q.", ".query."},
                                      {".to_k.", ".key."},
                                      {".to_v.", ".value."},
                                      {".to_out.0.", ".proj_attn."}}) {
      const auto at = name.find(now);
      if (at == std::string::npos) continue;
      name.replace(at, std::string(now).size(), before);
      if (shape.size() == 2) shape.insert(shape.end(), {1, 1});
    }
    file.add(
        name,
        std::span(item.value.const_data_ptr<float>(), static_cast<std::size_t>(item.value.numel())),
        shape);
  }
  file.write(folder.path() + "/diffusion_pytorch_model.safetensors");
  const auto data = kl_numbers(*samples);
  EXPECT_EQ(coder_of(from_diffusers(folder.path()).model).encode(data, {.rows = 16}),
            coder_of(model).encode(data, {.rows = 16}));
}

}  // namespace
}  // namespace gradatim::neural
