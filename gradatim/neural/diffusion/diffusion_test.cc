// neural.diffusion as a whole, on data so easy that a few hundred steps of a small network do.
#include <gtest/gtest.h>

#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/neural/testing.h"
#include "gradatim/process/generate.h"
#include "gradatim/process/sampler.h"
#include "gradatim/process/testing.h"

namespace gradatim::neural {
namespace {

using namespace testing;

std::shared_ptr<const data::Model> fitted(std::vector<api::Option> more = {}) {
  std::vector<api::Option> options = {
      {"network", "mlp"},    {"network.width", "48"}, {"batch_size", "128"},     {"steps", "1000"},
      {"ema_decay", "0.98"}, {"drop_label", "0.5"},   {"learning_rate", "0.005"}};
  options.insert(options.end(), more.begin(), more.end());
  return data::fit_model(settings_of(options), {.seed = 1, .samples = two_blobs(500)});
}

std::vector<float> sampled(const data::Model& model, process::SampleRequest request,
                           const std::vector<api::Option>& options = {}) {
  const auto& generator = dynamic_cast<const process::Generator&>(model);
  auto settings = api::parse_settings("process.sampler", options);
  for (const auto& [name, part] : generator.sampler().parts) settings.parts.emplace(name, part);
  request.dims = 2;
  request.trained = generator.path();
  const auto sampler = api::build_as<process::Sampler>(settings);
  auto numbers =
      sampler->sample([&](const auto&, const auto&) { return generator.field(); }, request);
  generator.to_data(numbers);
  return numbers;
}

void expect_blobs(const std::vector<float>& rows, double share_left) {
  double left = 0.0, far = 0.0;
  for (std::size_t k = 0; k < rows.size(); k += 2) {
    left += rows[k] < 0.0F ? 1.0 : 0.0;
    const double side = rows[k] < 0.0F ? -1.0 : 1.0;
    far += std::hypot(rows[k] - 2.0 * side, rows[k + 1] - 0.5 - 0.5 * side);
  }
  const double count = static_cast<double>(rows.size()) / 2.0;
  EXPECT_NEAR(left / count, share_left, 0.1);
  EXPECT_LT(far / count, 0.6);
}

TEST(Diffusion, LearnsWhereDataAreUnderAnyPrediction) {
  for (const char* prediction : {"velocity", "noise", "data", "v"}) {
    SCOPED_TRACE(prediction);
    const auto model = fitted({{"prediction", prediction}, {"path", "linear"}});
    expect_blobs(sampled(*model, {.rows = 400, .seed = 2}), 0.5);
  }
}

TEST(Diffusion, APredictionThatCouldNotBeSampledIsRefusedBeforeTraining) {
  EXPECT_THROW(fitted({{"prediction", "noise"}, {"path", "rectified"}}), NumericError);
}

TEST(Diffusion, ALabelIsFollowed) {
  const auto model = fitted();
  const auto right = std::make_shared<process::Labels>(std::vector<std::int64_t>{1});
  expect_blobs(sampled(*model, {.rows = 200, .condition = right}), 0.0);
  expect_blobs(sampled(*model, {.rows = 200, .condition = right},
                       {{"guidance", "classifier_free"}, {"guidance.weight", "2"}}),
               0.0);
}

TEST(Diffusion, ARowIsTheSameInEveryBatch) {
  const auto model = fitted({{"steps", "20"}});
  const auto all = sampled(*model, {.rows = 3000, .seed = 5});
  const auto few = sampled(*model, {.rows = 3000, .seed = 5, .batch = 1024});
  const auto first = sampled(*model, {.rows = 10, .seed = 5});
  EXPECT_EQ(all, few);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), all.begin()));
}

TEST(Diffusion, ThreadsWithRowsOfTheirOwnGiveTheSameSamples) {
  const auto model = fitted({{"steps", "20"}});
  const auto& generator = dynamic_cast<const process::Generator&>(*model);
  EXPECT_TRUE(generator.row_by_row());
  for (const char* solver : {"ddpm", "dpm_solver_pp_2m", "rk45"}) {
    const auto sampler = process::sampler_for(
        generator, api::parse_settings("process.sampler", {{{"solver", solver}}}));
    struct Watch final : Observer {
      std::int64_t steps = 0;
      void on_step(const StepDone& done) override {
        EXPECT_LE(done.step, done.steps);
        ++steps;
      }
    } watch;
    std::vector<std::vector<float>> made;
    for (const int threads : {1, 2, 3}) {
      const ThreadScope scope(threads);
      const std::vector<std::int64_t> labels =
          process::labels_named(generator, {"left", "right"}, 300);
      made.push_back(process::generate(
          generator, sampler, {.rows = 300, .seed = 4, .labels = labels, .observer = &watch}));
    }
    EXPECT_EQ(made[0], made[1]) << solver;
    EXPECT_EQ(made[0], made[2]) << solver;
    EXPECT_GT(watch.steps, 0);
  }
}

TEST(Diffusion, AnErrorOfOneThreadEndsTheSamplingOfAll) {
  const auto model = fitted({{"steps", "20"}});
  const auto& generator = dynamic_cast<const process::Generator&>(*model);
  const auto sampler = process::sampler_for(
      generator,
      api::parse_settings("process.sampler", {{{"solver", "euler"}, {"steps", "100000"}}}));
  struct Refusal final : Observer {
    void on_step(const StepDone&) override { throw UsageError(1000, "enough"); }
  } refusal;
  const ThreadScope scope(2);
  try {
    process::generate(generator, sampler, {.rows = 128, .observer = &refusal});
    FAIL() << "nothing was thrown";
  } catch (const UsageError& error) {
    EXPECT_EQ(error.message(), "enough");
  }
}

TEST(Diffusion, SavedAndLoadedItSamplesTheSame) {
  const auto model = fitted({{"steps", "30"}});
  const std::string bytes = model->bytes();
  const auto again = data::load_model_bytes(bytes, "memory");
  EXPECT_EQ(again->bytes(), bytes);
  EXPECT_EQ(sampled(*again, {.rows = 20}), sampled(*model, {.rows = 20}));
}

TEST(Diffusion, SamplesOnAnotherPathThanItsOwn) {
  const auto model = fitted();
  expect_blobs(sampled(*model, {.rows = 300, .seed = 2}, {{"path", "cosine"}, {"steps", "40"}}),
               0.5);
}

TEST(Diffusion, AFlowStartsFromTheSourceThatItWasTrainedFrom) {
  data::FitRequest request{.seed = 1, .samples = two_blobs(500)};
  auto source = std::make_shared<data::Samples>(*two_blobs(500));
  for (float& x : source->numbers) x *= 3.0F;
  request.source = source;
  const auto settings = settings_of({{"network", "mlp"},
                                     {"network.width", "48"},
                                     {"steps", "300"},
                                     {"learning_rate", "0.005"},
                                     {"coupling", "optimal_transport"},
                                     {"scaling", "none"}});
  const auto model = data::fit_model(settings, request);
  const auto& generator = dynamic_cast<const process::Generator&>(*model);
  EXPECT_TRUE(generator.starts_from_source());
  const std::vector<double> start(source->numbers.begin(), source->numbers.begin() + 200);
  const auto ends = sampled(*model, {.rows = 100, .start = start}, {{"steps", "4"}});
  for (std::size_t k = 0; k < ends.size(); k += 2) {
    EXPECT_LT(ends[k] * start[k], 10.0 * std::abs(start[k]));
    EXPECT_GT(ends[k] * start[k], 0.0) << "the nearest blob is the partner";
  }
}

TEST(Diffusion, DamagedFilesAreRefused) {
  const std::string bytes = fitted({{"steps", "2"}})->bytes();
  const auto code = [](std::string damaged) {
    try {
      data::load_model_bytes(damaged, "memory");
    } catch (const Error& error) {
      return error.code();
    }
    return 0;
  };
  EXPECT_EQ(code(bytes), 0);
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = bytes;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    return code(text);
  };
  EXPECT_EQ(changed("network.output.weight", "network.outputs.weigh"), 3002);
  EXPECT_EQ(changed("\\\"width\\\":48", "\\\"width\\\":47"), 3003);
  EXPECT_EQ(changed("\\\"shape\\\":[2]", "\\\"shape\\\":[0]"), 3006);
  EXPECT_EQ(changed("\\\"layers\\\":3", "\\\"layers\\\":2"), 3060);
  EXPECT_EQ(code(bytes.substr(0, bytes.size() - 4)), 3001);
  std::string nan = bytes;
  const std::uint32_t pattern = 0x7FC00000;
  std::memcpy(nan.data() + nan.size() - 4, &pattern, 4);
  EXPECT_EQ(code(nan), 3061);
}

// What fuzz/model_fuzz.cc does at length to other models: any file is a model that samples and
// writes itself, or an Error.
TEST(Diffusion, AnyChangedByteOfAHeaderLeavesAModelOrAnError) {
  const std::string bytes = data::fit_model(settings_of({{"network", "mlp"},
                                                         {"network.width", "8"},
                                                         {"network.layers", "1"},
                                                         {"batch_size", "4"},
                                                         {"steps", "1"}}),
                                            {.samples = two_blobs(8)})
                                ->bytes();
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), sizeof(header));
  int models = 0, errors = 0;
  for (std::uint64_t turn = 0; turn < 600; ++turn) {
    const Philox draws(turn, Stream::data);
    std::string changed = bytes;
    const auto at = static_cast<std::size_t>(draws.uniform(0) * static_cast<double>(header));
    // Most often another digit or sign, which most often is still JSON.
    const std::string_view near = "0123456789-.,\"[]{}e";
    changed[sizeof(header) + at] =
        turn % 4 == 0 ? static_cast<char>(256.0 * draws.uniform(1))
                      : near[static_cast<std::size_t>(draws.uniform(1) * double(near.size()))];
    try {
      const auto model = data::load_model_bytes(changed, "memory");
      const std::string again = model->bytes();
      EXPECT_EQ(data::load_model_bytes(again, "again")->bytes(), again) << turn;
      if (const auto* generator = dynamic_cast<const process::Generator*>(model.get())) {
        process::generate(*generator, generator->sampler(), {.rows = 2});
      }
      ++models;
    } catch (const Error&) {
      ++errors;
    }
  }
  EXPECT_GT(models, 5);
  EXPECT_GT(errors, 20);
}

// A header of a few bytes may claim terabytes; nobody may have to find the memory to say so.
TEST(Diffusion, AFileThatClaimsALargerNetworkIsRefusedBeforeMemoryIsTaken) {
  for (const std::string network : {"mlp", "transformer", "unet"}) {
    SCOPED_TRACE(network);
    std::vector<api::Option> options = {{"network", network}, {"batch_size", "4"}, {"steps", "1"}};
    const std::string width = network == "unet" ? "\\\"channels\\\":[8]" : "\\\"width\\\":8";
    const std::string wide = network == "unet" ? "\\\"channels\\\":[8192]" : "\\\"width\\\":65536";
    if (network == "unet") {
      options.insert(options.end(), {{"network.channels", "8"},
                                     {"network.norm_groups", "4"},
                                     {"network.head_width", "8"},
                                     {"network.attention", "-1"}});
    } else {
      options.emplace_back("network.width", "8");
    }
    if (network == "transformer") {
      options.insert(options.end(), {{"network.heads", "2"}, {"network.patch", "1"}});
    }
    const bool images = network != "mlp";
    std::string bytes =
        data::fit_model(settings_of(options), {.samples = images ? two_images(8) : two_blobs(8)})
            ->bytes();
    const auto claim = [&](const std::string& from, const std::string& to) {
      const auto at = bytes.find(from);
      ASSERT_NE(at, std::string::npos) << from;
      bytes.replace(at, from.size(), to);
      std::uint64_t header = 0;
      std::memcpy(&header, bytes.data(), sizeof(header));
      header += to.size() - from.size();
      std::memcpy(bytes.data(), &header, sizeof(header));
    };
    claim(width, wide);
    if (images) claim("\\\"shape\\\":[1,4,4]", "\\\"shape\\\":[1,16384,16384]");
    EXPECT_EQ(process::testing::code_of([&] { data::load_model_bytes(bytes, "memory"); }), 3003);
  }
}

}  // namespace
}  // namespace gradatim::neural
