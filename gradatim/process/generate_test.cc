#include "gradatim/process/generate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "gradatim/core/error.h"
#include "gradatim/process/oracle.h"

namespace gradatim::process {
namespace {

// A model whose field is an oracle's, of data that are 2 x + 10 of the oracle's.
class OracleGenerator final : public Generator {
 public:
  explicit OracleGenerator(api::Settings oracle, bool from_source = false)
      : oracle_(std::move(oracle)), from_source_(from_source) {}

  std::shared_ptr<const Field> field() const override {
    return maker()->on(path(),
                       api::build_as<Prediction>({.component = "process.prediction.velocity"}));
  }
  std::shared_ptr<const Path> path() const override { return path_; }
  api::Settings sampler() const override {
    api::Settings settings{.component = "process.sampler"};
    settings.parts["path"] = {.component = "process.path.rectified"};
    settings.parts["prediction"] = {.component = "process.prediction.velocity"};
    return settings;
  }
  std::span<const std::int64_t> shape() const override { return shape_; }
  std::span<const std::string> classes() const override { return classes_; }
  std::span<const std::string> columns() const override { return {}; }
  bool holds_bytes() const override { return false; }
  void to_data(std::span<float> states) const override {
    for (float& x : states) x = 2.0F * x + 10.0F;
  }
  void to_states(std::span<double> data) const override {
    for (double& x : data) x = (x - 10.0) / 2.0;
  }
  double log_scale() const override { return -2.0 * std::log(2.0); }
  bool starts_from_source() const override { return from_source_; }
  bool row_by_row() const override { return row_by_row_; }
  bool plain_time() const override { return plain_time_; }
  bool row_by_row_ = false, plain_time_ = false;

 private:
  std::shared_ptr<const OracleMaker> maker() const { return api::build_as<OracleMaker>(oracle_); }

  api::Settings oracle_;
  bool from_source_;
  std::shared_ptr<const Path> path_ = api::build_as<Path>({.component = "process.path.rectified"});
  std::vector<std::int64_t> shape_ = {2};
  std::vector<std::string> classes_ = {"up", "down", "left"};
};

api::Settings gaussian() {
  const std::vector<api::Option> two = {{"dims", "2"}};
  return api::parse_settings("process.oracle.gaussian", two);
}

api::Settings sampler(const Generator& generator, const std::vector<api::Option>& options = {}) {
  return sampler_for(generator, api::parse_settings("process.sampler", options));
}

int code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return 0;
}

TEST(Generate, SamplesAreInTheScaleOfTheData) {
  const OracleGenerator generator(gaussian());
  const auto made = generate(generator, sampler(generator), {.rows = 4000});
  double sum = 0.0, squares = 0.0;
  for (const float x : made) {
    sum += x;
    squares += (x - 10.0) * (x - 10.0);
  }
  const auto count = static_cast<double>(made.size());
  EXPECT_NEAR(sum / count, 10.0, 0.1);
  EXPECT_NEAR(squares / count, 4.0, 0.2);
}

TEST(Generate, ARowDoesNotDependOnTheBatch) {
  const OracleGenerator generator(gaussian());
  const auto all = generate(generator, sampler(generator), {.rows = 100});
  EXPECT_EQ(generate(generator, sampler(generator), {.rows = 100, .batch = 7}), all);
}

TEST(Generate, TheDensityIsThatOfTheData) {
  const OracleGenerator generator(gaussian());
  const std::vector<double> data = {10.0, 10.0, 12.0, 7.0};
  for (const char* path : {"rectified", "trigonometric"}) {
    const auto found = log_prob(generator, sampler(generator, {{"path", path}}), data, {}, {});
    const double top = -std::log(2.0 * std::numbers::pi * 4.0);
    EXPECT_NEAR(found.log_prob[0], top, 1e-4) << path;
    EXPECT_NEAR(found.log_prob[1], top - 0.5 * (1.0 + 2.25), 1e-4) << path;
  }
}

TEST(Generate, InPlainTimeTheDensityIsTheSame) {
  OracleGenerator generator(api::parse_settings("process.oracle.ring", {}));
  const std::vector<double> data = {10.0, 11.8, 12.0, 9.0};
  for (const char* path : {"rectified", "trigonometric"}) {
    const auto how = sampler(generator, {{"path", path}});
    generator.plain_time_ = false;
    const auto by_angle = log_prob(generator, how, data, {}, {});
    generator.plain_time_ = true;
    const auto plain = log_prob(generator, how, data, {}, {});
    for (std::size_t i = 0; i < 2; ++i)
      EXPECT_NEAR(plain.log_prob[i], by_angle.log_prob[i], 1e-3) << path;
    // On another path than its own there is no plain time.
    EXPECT_EQ(plain.log_prob == by_angle.log_prob, path != std::string_view("rectified"));
  }
}

TEST(Generate, EncodedDataAreNoiseAndDecodedTheyReturn) {
  OracleGenerator generator(api::parse_settings("process.oracle.ring", {}));
  const auto data = generate(generator, sampler(generator, {{"solver", "rk45"}}), {.rows = 500});
  const std::vector<double> numbers(data.begin(), data.end());
  for (const bool plain : {false, true}) {
    generator.plain_time_ = plain;
    for (const std::vector<std::int64_t>& labels :
         {std::vector<std::int64_t>{}, std::vector<std::int64_t>{1}}) {
      const auto how = sampler(generator);
      const auto noise = encode(generator, how, numbers, labels);
      ASSERT_EQ(noise.size(), numbers.size());
      double squares = 0.0;
      for (const double z : noise) squares += z * z / static_cast<double>(noise.size());
      const auto again = decode(generator, how, noise, labels);
      if (!labels.empty()) continue;  // most of these rows are not of the label
      EXPECT_NEAR(squares, 1.0, 0.15);
      for (std::size_t k = 0; k < data.size(); ++k) EXPECT_NEAR(again[k], data[k], 1e-3) << plain;
    }
  }
}

TEST(Generate, OfOneGaussianTheEncodingIsKnown) {
  OracleGenerator generator(gaussian());
  for (const bool plain : {false, true}) {
    generator.plain_time_ = plain;
    const auto noise = encode(generator, sampler(generator), {10.0, 12.0, 7.0, 10.5}, {});
    const std::vector<double> expected = {0.0, 1.0, -1.5, 0.25};
    for (std::size_t k = 0; k < 4; ++k) EXPECT_NEAR(noise[k], expected[k], 1e-4);
    EXPECT_EQ(code_of([&] { encode(generator, sampler(generator), {1.0, 2.0}, {7}); }), 1104);
    const std::vector<double> far = {1e39, 0.0};
    EXPECT_EQ(code_of([&] { decode(generator, sampler(generator), far, {}); }), 4031);
  }
}

TEST(Generate, SeveralLabelsAreTakenInTurn) {
  const OracleGenerator generator(api::parse_settings("process.oracle.ring", {}));
  using Places = std::vector<std::int64_t>;
  EXPECT_EQ(labels_named(generator, {}, 3), Places{});
  EXPECT_EQ(labels_named(generator, {"left"}, 3), Places{2});
  EXPECT_EQ(labels_named(generator, {"left", "up"}, 5), (Places{2, 0, 2, 0, 2}));
  EXPECT_EQ(code_of([&] { labels_named(generator, {"right"}, 3); }), 1104);
}

TEST(Generate, BytesAreRoundedAndHeldWithinTheirRange) {
  const std::vector<float> numbers = {-3.0F, 0.4F, 0.6F, 254.6F, 300.0F};
  EXPECT_EQ(to_bytes(numbers), (std::vector<std::uint8_t>{0, 0, 1, 255, 255}));
}

TEST(Generate, RefusesWhatTheModelCannotDo) {
  const auto oracle = gaussian();
  const OracleGenerator plain(oracle), flow(oracle, true);
  EXPECT_EQ(code_of([&] { sampler(plain, {{"prediction", "noise"}}); }), 1168);
  EXPECT_EQ(code_of([&] { generate(plain, sampler(plain), {.source = {1.0, 2.0}}); }), 1175);
  EXPECT_EQ(code_of([&] { generate(flow, sampler(flow), {}); }), 1175);
  EXPECT_EQ(code_of([&] { log_prob(flow, sampler(flow), {1.0, 2.0}, {}, {}); }), 1176);
}

TEST(Generate, ASourceIsUsedOverAndOver) {
  const OracleGenerator flow(gaussian(), true);
  const auto made = generate(flow, sampler(flow), {.rows = 3, .source = {10.0, 11.0, 12.0, 13.0}});
  ASSERT_EQ(made.size(), 6U);
  EXPECT_EQ(made[0], made[4]);
  EXPECT_EQ(made[1], made[5]);
  EXPECT_NE(made[0], made[2]);
}

// What `parts` processes make, one behind the other.
std::vector<float> made_by(int parts, const Generator& generator, const api::Settings& sampler,
                           const GenerateRequest& request) {
  std::vector<float> all;
  for (int part = 0; part < parts; ++part) {
    GenerateRequest own = request;
    own.only = rows_of_part(generator, sampler, request, part, parts);
    const auto made = generate(generator, sampler, std::move(own));
    EXPECT_EQ(std::ssize(made), own.only->count * 2);
    all.insert(all.end(), made.begin(), made.end());
  }
  return all;
}

TEST(Generate, PartsOfProcessesAreTheWholeToTheBit) {
  for (const bool row_by_row : {false, true}) {
    for (const char* noise : {"philox", "torch_cpu"}) {
      OracleGenerator normal(gaussian()), flow(gaussian(), true);
      normal.row_by_row_ = flow.row_by_row_ = row_by_row;
      const auto how =
          sampler(normal, {{"noise", noise}, {"solver", "ddpm"}, {"path", "trigonometric"}});
      const GenerateRequest request{.rows = 301, .seed = 5, .batch = 50};
      const auto whole = generate(normal, how, request);
      const GenerateRequest from{.rows = 301, .source = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}};
      const auto moved = generate(flow, sampler(flow), from);
      for (const int parts : {1, 2, 3, 4, 9}) {
        EXPECT_EQ(made_by(parts, normal, how, request), whole) << noise << ", " << parts;
        EXPECT_EQ(made_by(parts, flow, sampler(flow), from), moved) << parts;
      }
    }
  }
}

TEST(Generate, PartsAreCutWhereNoRowFeelsIt) {
  OracleGenerator generator(gaussian());
  const auto counts = [&](const GenerateRequest& request,
                          const std::vector<api::Option>& options = {}) {
    std::vector<std::int64_t> found;
    std::int64_t next = 0;
    for (int part = 0; part < 4; ++part) {
      const RowRange own = rows_of_part(generator, sampler(generator, options), request, part, 4);
      EXPECT_EQ(own.first, next);
      next = own.first + own.count;
      found.push_back(own.count);
    }
    EXPECT_EQ(next, request.rows);
    return found;
  };
  using Counts = std::vector<std::int64_t>;
  EXPECT_EQ(counts({.rows = 450, .batch = 100}), (Counts{200, 100, 100, 50}));
  EXPECT_EQ(counts({.rows = 90, .batch = 100}), (Counts{90, 0, 0, 0}));
  generator.row_by_row_ = true;
  EXPECT_EQ(counts({.rows = 300, .batch = 1000}), (Counts{128, 64, 64, 44}));
  EXPECT_EQ(counts({.rows = 300, .batch = 10}, {{"noise", "torch_cpu"}}), (Counts{300, 0, 0, 0}));
}

}  // namespace
}  // namespace gradatim::process
