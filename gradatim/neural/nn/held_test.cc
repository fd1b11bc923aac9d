// Networks that are held against the same ones as they are trained.
#include "gradatim/neural/nn/held.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/core/simd.h"
#include "gradatim/neural/checkpoint/weights.h"
#include "gradatim/neural/latent/kl_net.h"
#include "gradatim/neural/nn/packed.h"
#include "gradatim/neural/nn/prepared.h"
#include "gradatim/neural/nn/unet_testing.h"
#include "gradatim/neural/text/text_transformer.h"

namespace gradatim::neural {
namespace {

// A checkpoint in memory.
class HeldWeights final : public Weights {
 public:
  explicit HeldWeights(const Parameters& parameters, at::ScalarType type = at::kFloat) {
    for (const auto& item : parameters.items()) {
      arrays[item.name] = item.value.detach().clone().to(type);
    }
  }
  const std::string& source() const override { return source_; }
  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (const auto& [name, array] : arrays) names.push_back(name);
    return names;
  }
  std::vector<std::int64_t> shape(const std::string& name) const override {
    return found(name).sizes().vec();
  }
  Tensor read(const std::string& name) const override { return found(name); }
  void forget(const std::string& name) const override { ++forgotten[name]; }

  std::map<std::string, Tensor> arrays;
  mutable std::map<std::string, int> forgotten;

 private:
  const Tensor& found(const std::string& name) const {
    const auto at = arrays.find(name);
    GRADATIM_CHECK(at != arrays.end(), ModelError, 3064, "the weights lack '{}'", name);
    return at->second;
  }
  std::string source_ = "weights in memory";
};

const testing::UnetOptions kHeldSmall = {
    {"channels", "8,12,12"}, {"norm_groups", "2"},       {"heads", "2,3,2"},  {"layers", "1"},
    {"zero_init", "false"},  {"cross_attention", "1,2"}, {"attention", "[]"},
};
const NetworkShape kHeldShape{.sample = {2, 7, 10}, .context = 5, .beside = 3, .seed = 4};

std::unique_ptr<Net> declared(const testing::UnetOptions& options, const NetworkShape& shape) {
  return declare_net(*api::build_as<Network>(api::parse_settings("neural.network.unet", options)),
                     shape);
}

std::unique_ptr<Net> held_like(const Net& net, const testing::UnetOptions& options,
                               const NetworkShape& shape, HoldPlan plan = {},
                               at::ScalarType type = at::kFloat) {
  auto held = declared(options, shape);
  held->parameters().hold(std::make_shared<HeldWeights>(net.parameters(), type), plan);
  return held;
}

void expect_held_equals_trained(const testing::UnetOptions& options, const NetworkShape& shape) {
  const auto net = testing::make_unet(options, shape);
  const auto held = held_like(*net, options, shape);
  const at::NoGradGuard plain;
  for (const std::int64_t rows : {1, 2, 2}) {
    const NetInput in = testing::unet_input(shape, rows);
    EXPECT_LT(testing::how_far(held->forward(in), net->forward(in)), 1e-5);
  }
}

TEST(Held, UnetsPutOutWhatTrainedOnesDoInEveryOption) {
  const testing::UnetOptions kOptions[] = {
      {},
      {{"linear_projection", "true"}, {"transformer_layers", "1,2,3"}},
      {{"attention", "0,1"}, {"cross_attention", "2"}, {"head_width", "4"}},
      {{"scale_shift", "false"}, {"middle_attention", "false"}, {"middle_scale", "1.5"}},
      {{"activation", "mish"}, {"middle", "false"}},
      {{"resnet_downsampling", "0,1"}, {"resnet_upsampling", "1,2"}},
      {{"channels", "8,144,12"}, {"heads", "1,2,2"}, {"downsample_padding", "0"}},
  };
  for (const auto& options : kOptions) {
    SCOPED_TRACE(options.empty() ? "defaults" : options.front().first);
    expect_held_equals_trained(testing::with_more(kHeldSmall, options), kHeldShape);
  }
  expect_held_equals_trained(
      {{"channels", "8,16"}, {"norm_groups", "4"}, {"zero_init", "false"}, {"head_width", "8"}},
      {.sample = {1, 9, 8}, .classes = 3, .seed = 2});
}

TEST(Held, UnetsPutOutWhatTrainedOnesDoOnEveryProcessor) {
  for (const Simd most : {Simd::avx2, Simd::portable}) {
    const SimdLimit limit(most);
    expect_held_equals_trained(kHeldSmall, kHeldShape);
  }
}

TEST(Held, BlocksOfStableDiffusionsWidthAreThoseOfTrainedOnes) {
  const testing::UnetOptions wide = {
      {"channels", "320"},      {"norm_groups", "32"},  {"heads", "8"},
      {"layers", "1"},          {"zero_init", "false"}, {"scale_shift", "false"},
      {"cross_attention", "0"}, {"attention", "[]"},    {"middle", "false"}};
  expect_held_equals_trained(wide, {.sample = {4, 16, 15}, .context = 768, .seed = 8});
}

TEST(Held, OtherSizesThanTheFirstImagesGiveTheSame) {
  const auto net = testing::make_unet(kHeldSmall, kHeldShape);
  const auto held = held_like(*net, kHeldSmall, kHeldShape);
  const at::NoGradGuard plain;
  NetworkShape other = kHeldShape;
  for (const auto& [height, width] : {std::pair{7, 10}, {16, 12}, {5, 31}}) {
    other.sample = {2, height, width};
    const NetInput in = testing::unet_input(other, 2);
    EXPECT_LT(testing::how_far(held->forward(in), net->forward(in)), 1e-5);
  }
}

class HeldFile : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove(path_); }
  void TearDown() override { std::filesystem::remove(path_); }

  // What the network says, held with the file if there is one.
  Tensor said(const Net& net, const testing::UnetOptions& options, const NetworkShape& shape,
              const NetInput& in, bool writes, bool eight_bit = false) const {
    const auto file = std::make_shared<PreparedWeights>(path_, "here");
    const auto held = held_like(net, options, shape,
                                {.eight_bit = eight_bit, .prepared = file, .network = "unet"});
    const at::NoGradGuard plain;
    const Tensor y = held->forward(in);
    HeldForms forms;
    EXPECT_EQ(held->parameters().add_forms(forms), writes);
    EXPECT_EQ(held->parameters().held_bytes() > 0, writes);
    if (writes) write_prepared(path_, "here", forms);
    return y;
  }

  std::string path_ = ::testing::TempDir() + "prepared.safetensors";
};

// Wide enough for each form: a convolution of few multiplications, oneDNN's and 8 bits.
const testing::UnetOptions kHeldWide = {
    {"channels", "32,64"},  {"norm_groups", "8"},     {"heads", "4"},      {"layers", "1"},
    {"zero_init", "false"}, {"cross_attention", "1"}, {"attention", "[]"},
};
const NetworkShape kHeldLarge{.sample = {4, 64, 40}, .context = 24, .seed = 6};

TEST_F(HeldFile, PreparedWeightsGiveTheSameBits) {
  const auto net = testing::make_unet(kHeldWide, kHeldLarge);
  const NetInput in = testing::unet_input(kHeldLarge, 2);
  for (const bool eight_bit : {false, true}) {
    std::filesystem::remove(path_);
    const Tensor packed = said(*net, kHeldWide, kHeldLarge, in, true, eight_bit);
    EXPECT_TRUE(at::equal(said(*net, kHeldWide, kHeldLarge, in, false, eight_bit), packed));
  }
}

TEST_F(HeldFile, PreparedWeightsOfAnotherOriginAreNotRead) {
  write_prepared(path_, "elsewhere", {});
  EXPECT_TRUE(PreparedWeights(path_, "here").empty());
  const auto net = testing::make_unet(kHeldSmall, kHeldShape);
  said(*net, kHeldSmall, kHeldShape, testing::unet_input(kHeldShape, 1), true);
  EXPECT_FALSE(PreparedWeights(path_, "here").empty());
}

TEST_F(HeldFile, DamagedPreparedWeightsAreRefused) {
  const auto net = testing::make_unet(kHeldSmall, kHeldShape);
  const NetInput in = testing::unet_input(kHeldShape, 1);
  said(*net, kHeldSmall, kHeldShape, in, true);
  const std::string whole(MappedFile(path_).bytes());
  const auto refused = [&](const std::string& bytes) {
    write_atomically(path_, bytes);
    try {
      said(*net, kHeldSmall, kHeldShape, in, false);
    } catch (const Error& error) {
      return error.code();
    }
    return 0;
  };
  EXPECT_EQ(refused("text"), 3001);
  EXPECT_EQ(refused(whole.substr(0, whole.size() / 2)), 3001);
  std::string layout = whole;  // which lie at the end
  layout[layout.size() - 40] ^= 1;
  EXPECT_EQ(refused(layout), 3081);
  std::string shape = whole;
  const auto at = shape.find("shapes");
  ASSERT_NE(at, std::string::npos);
  shape[shape.find_first_of("123456789", at)] = '7';
  EXPECT_EQ(refused(shape), 3081);
  SafetensorsWriter another;
  another.add<float>("x", std::vector<float>{1.0F});
  EXPECT_EQ(refused(another.bytes()), 3081);
}

TEST(Packed, LayoutsThatNeedMoreBytesAreNone) {
  const Tensor weight = packed_matrix(at::randn({96, 80}), 64);
  if (!weight.is_mkldnn()) GTEST_SKIP() << "this torch has no packed layers";
  const std::string bytes(packed_bytes(weight));
  const Tensor layout = packed_layout(weight);
  const std::string_view told{static_cast<const char*>(layout.const_data_ptr()), layout.nbytes()};
  const Tensor again = packed_view(bytes, {96, 80}, told);
  ASSERT_TRUE(again.defined());
  const Tensor x = at::randn({64, 80});
  EXPECT_TRUE(at::equal(packed_linear(x, again, {}), packed_linear(x, weight, {})));
  EXPECT_FALSE(packed_view(bytes.substr(0, 96 * 80 * 4 - 64), {96, 80}, told).defined());
  EXPECT_FALSE(packed_view(bytes, {96, 80}, "no layout").defined());
}

TEST(Held, AutoencodersAndTextNetworksAreThoseOfTrainedOnes) {
  KlConfig config;
  config.channels = {8, 16, 12};
  config.latent_channels = 3;
  config.norm_groups = 4;
  const auto kl = [&](Parameters& parameters) {
    return make_kl_net(config, Scope(parameters), {2, 24, 20});
  };
  Parameters trained, held;
  const auto net = kl(trained), other = kl(held);
  trained.pack();
  trained.init(3);
  held.hold(std::make_shared<HeldWeights>(trained));
  const at::NoGradGuard plain;
  at::manual_seed(1);
  const Tensor x = at::randn({2, 2, 24, 20}), z = at::randn({2, 3, 6, 5});
  EXPECT_LT(testing::how_far(other->encode(x).mean, net->encode(x).mean), 1e-5);
  EXPECT_LT(testing::how_far(other->decode(z), net->decode(z)), 1e-5);
  EXPECT_LT(testing::how_far(other->decode_in_stripes(z, 50), net->decode(z)), 1e-4);

  const TextConfig small{
      .width = 12, .layers = 3, .heads = 2, .inner = 20, .tokens = 9, .vocabulary = 30};
  Parameters learned, kept;
  const TextTransformer text(Scope(learned), small), same(Scope(kept), small);
  learned.pack();
  learned.init(5);
  kept.hold(std::make_shared<HeldWeights>(learned));
  const Tensor ids = at::randint(30, {2, 9}, at::kLong);
  EXPECT_LT(testing::how_far(same(ids), text(ids)), 1e-5);
  EXPECT_LT(testing::how_far(same(ids, 1), text(ids, 1)), 1e-5);
}

TEST(Held, EveryWeightIsPackedOnceAndLetGo) {
  const auto net = testing::make_unet(kHeldSmall, kHeldShape);
  const auto weights = std::make_shared<HeldWeights>(net->parameters());
  const auto held = declared(kHeldSmall, kHeldShape);
  held->parameters().hold(weights);
  EXPECT_EQ(held->parameters().held_bytes(), 0);
  const at::NoGradGuard plain;
  const NetInput in = testing::unet_input(kHeldShape, 2);
  EXPECT_TRUE(at::equal(held->forward(in), held->forward(in)));  // the same bits from the first on
  const auto before = weights->forgotten;
  std::int64_t bytes = 0;
  for (const auto& item : net->parameters().items()) {
    if (!item.held) continue;
    EXPECT_EQ(before.at(item.name), 1) << item.name;
    bytes += 4 * item.value.numel();
  }
  EXPECT_EQ(held->parameters().held_bytes(), bytes);
  held->forward(testing::unet_input(kHeldShape, 1));
  EXPECT_EQ(weights->forgotten, before);
  EXPECT_EQ(weights.use_count(), 1);
}

TEST(Held, FilesOfHalfPrecisionAreReadAsTheyAre) {
  const auto net = testing::make_unet(kHeldSmall, kHeldShape);
  const NetInput in = testing::unet_input(kHeldShape, 2);
  const at::NoGradGuard plain;
  for (const auto type : {at::kHalf, at::kBFloat16, at::kDouble}) {
    const auto held = held_like(*net, kHeldSmall, kHeldShape, {}, type);
    const auto rounded = testing::make_unet(kHeldSmall, kHeldShape);
    for (const auto& item : rounded->parameters().items()) {
      item.value.copy_(item.value.to(type));
    }
    EXPECT_LT(testing::how_far(held->forward(in), rounded->forward(in)), 1e-5);
  }
}

// A code is within half of 1 / 127 of the largest weight of its channel.
TEST(Held, EightBitsTakeAQuarterAndAreWithinAFewHundredths) {
  const auto net = testing::make_unet(kHeldSmall, kHeldShape);
  const auto held = held_like(*net, kHeldSmall, kHeldShape, {.eight_bit = true});
  const auto whole = held_like(*net, kHeldSmall, kHeldShape);
  const at::NoGradGuard plain;
  const NetInput in = testing::unet_input(kHeldShape, 2);
  const double apart = testing::how_far(held->forward(in), net->forward(in));
  EXPECT_LT(apart, 0.02);
  EXPECT_GT(apart, 1e-5);
  whole->forward(in);
  whole->forward(in);
  // And four bytes a channel.
  EXPECT_LT(held->parameters().held_bytes(),
            0.3 * static_cast<double>(whole->parameters().held_bytes()));
}

template <class E>
void expect_hold_refused(int code, const std::shared_ptr<HeldWeights>& weights) {
  const auto held = declared(kHeldSmall, kHeldShape);
  try {
    held->parameters().hold(weights);
    const at::NoGradGuard plain;
    held->forward(testing::unet_input(kHeldShape, 1));
    ADD_FAILURE() << "it was accepted";
  } catch (const E& error) {
    EXPECT_EQ(error.code(), code) << error.what();
  }
}

TEST(Held, RefusesWeightsThatDoNotFit) {
  const auto net = testing::make_unet(kHeldSmall, kHeldShape);
  const auto changed = [&](const auto& change) {
    auto weights = std::make_shared<HeldWeights>(net->parameters());
    change(weights->arrays);
    return weights;
  };
  using Arrays = std::map<std::string, Tensor>&;
  expect_hold_refused<ModelError>(3064,
                                  changed([](Arrays arrays) { arrays.erase("conv_in.weight"); }));
  expect_hold_refused<ModelError>(3064,
                                  changed([](Arrays arrays) { arrays["other"] = at::zeros({1}); }));
  expect_hold_refused<ModelError>(3003, changed([](Arrays arrays) {
                                    arrays["conv_in.weight"] = at::zeros({8, 5, 3, 2});
                                  }));
  for (const char* name : {"conv_in.weight", "conv_in.bias"}) {
    expect_hold_refused<ModelError>(
        3061, changed([&](Arrays arrays) { arrays[name].flatten()[3] = std::nan(""); }));
  }
}

TEST(Held, NoGradientGoesThroughThem) {
  const auto net = testing::make_unet(kHeldSmall, kHeldShape);
  const auto held = held_like(*net, kHeldSmall, kHeldShape);
  NetInput in = testing::unet_input(kHeldShape, 1);
  const at::AutoGradMode graph(true);
  in.x.requires_grad_();
  try {
    held->forward(in);
    ADD_FAILURE() << "it was accepted";
  } catch (const UsageError& error) {
    EXPECT_EQ(error.code(), 1213) << error.what();
  }
}

}  // namespace
}  // namespace gradatim::neural
