#include "gradatim/neural/nn/precision.h"

#include <gtest/gtest.h>

#include "gradatim/core/error.h"
#include "gradatim/core/simd.h"
#include "gradatim/neural/nn/net.h"
#include "gradatim/neural/testing.h"

namespace gradatim::neural {
namespace {

using Options = std::vector<api::Option>;

bool has_bfloat16() {
  try {
    check_bfloat16(at::kCPU);
    return true;
  } catch (const UsageError&) {
    return false;
  }
}

// What learns images of a field's or a classifier's.
struct Learner {
  const char* model;
  Options options;
};

const Learner kLearners[] = {
    {"neural.diffusion",
     {{"network", "unet"}, {"network.channels", "16,32"}, {"network.attention", "1"}}},
    {"neural.diffusion",
     {{"network", "transformer"},
      {"network.width", "32"},
      {"network.depth", "2"},
      {"network.heads", "2"}}},
    {"neural.classifier", {{"network", "conv_classifier"}, {"network.channels", "16"}}},
};

std::shared_ptr<const data::Model> learned(const Learner& learner, const char* precision) {
  Options options = learner.options;
  options.insert(options.end(), {{"precision", precision},
                                 {"batch_size", "32"},
                                 {"learning_rate", "0.003"},
                                 {"warmup_steps", "10"},
                                 {"steps", "60"}});
  return data::fit_model(testing::settings_of(options, learner.model),
                         {.seed = 1, .samples = testing::two_images(64)});
}

double last_losses(const data::Model& model) {
  const auto& losses = model.card().history.front().values;
  double sum = 0.0;
  for (std::size_t k = losses.size() - 20; k < losses.size(); ++k) sum += losses[k] / 20.0;
  return sum;
}

TEST(Precision, ABfloat16TrainingEndsAboutWhereFloat32Does) {
  if (!has_bfloat16()) GTEST_SKIP() << "this processor has no AVX-512 BF16";
  for (const Learner& learner : kLearners) {
    SCOPED_TRACE(learner.options.front().second);
    const double whole = last_losses(*learned(learner, "float32"));
    const double half = last_losses(*learned(learner, "bfloat16"));
    EXPECT_NE(half, whole);
    EXPECT_NEAR(half, whole, 0.05 * whole);
  }
}

TEST(Precision, ABfloat16TrainingEndsInTheSameBytesTwice) {
  if (!has_bfloat16()) GTEST_SKIP() << "this processor has no AVX-512 BF16";
  for (const Learner& learner : kLearners) {
    EXPECT_EQ(learned(learner, "bfloat16")->bytes(), learned(learner, "bfloat16")->bytes())
        << learner.options.front().second;
  }
}

TEST(Precision, OutputsAndGradientsOfAUnetAreFloat32AndNearTheExactOnes) {
  if (!has_bfloat16()) GTEST_SKIP() << "this processor has no AVX-512 BF16";
  const auto settings = api::parse_settings(
      "neural.network.unet",
      Options{{"channels", "16,32"}, {"attention", "1"}, {"zero_init", "false"}});
  const auto net = make_net(*api::build_as<Network>(settings), {.sample = {1, 8, 8}, .seed = 2});
  at::manual_seed(5);
  const NetInput in{at::randn({4, 1, 8, 8}), at::rand({4}) * 900.0, {}};
  const auto pass = [&](Precision precision) {
    net->set_precision(precision);
    net->parameters().gradients().zero_();
    const Tensor out = net->run(in);
    EXPECT_EQ(out.scalar_type(), at::kFloat);
    net->backward(at::cos(at::arange(out.numel(), at::kFloat)).view(out.sizes()));
    return std::pair(out, net->parameters().gradients().clone());
  };
  const auto [out, gradients] = pass(Precision::float32);
  const auto [near_out, near_gradients] = pass(Precision::bfloat16);
  const auto apart = [](const Tensor& a, const Tensor& b) {
    return ((a - b).norm() / b.norm()).item<double>();
  };
  EXPECT_LT(apart(near_out, out), 0.02);
  EXPECT_GT(apart(near_out, out), 1e-5);
  EXPECT_LT(apart(near_gradients, gradients), 0.03);
  EXPECT_TRUE(at::equal(net->forward(in), out)) << "what is not training stays float32";
  EXPECT_FALSE(Bfloat16::is_on());
}

void expect_refused(const Learner& learner, const char* why) {
  try {
    learned(learner, "bfloat16");
    ADD_FAILURE() << "it was accepted";
  } catch (const UsageError& error) {
    EXPECT_EQ(error.code(), 1180);
    EXPECT_NE(error.message().find(why), std::string::npos) << error.message();
  }
}

TEST(Precision, Bfloat16IsRefusedWhereNothingWouldMultiplyIt) {
  expect_refused({"neural.diffusion", {{"network", "mlp"}}}, "written by hand");
  expect_refused({"neural.classifier", {{"network", "mlp"}}}, "written by hand");
  const SimdLimit limit(Simd::avx2);
  expect_refused(kLearners[0], "AVX-512 BF16");
  try {
    check_bfloat16(at::kCUDA);
    ADD_FAILURE() << "it was accepted";
  } catch (const UsageError& error) {
    EXPECT_EQ(error.code(), 1180);
  }
}

}  // namespace
}  // namespace gradatim::neural
