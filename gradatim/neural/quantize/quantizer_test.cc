// Laws over every quantiser of the manifest.
#include <gtest/gtest.h>

#include "gradatim/api/registry.h"
#include "gradatim/core/error.h"
#include "gradatim/neural/quantize/quantizer_testing.h"

namespace gradatim::neural {
namespace {

using testing::MadeQuantizer;
using testing::Pass;

constexpr std::int64_t kLawVectors = 200, kLawDims = 8;

class QuantizerLaws : public ::testing::TestWithParam<std::string> {
 protected:
  // Small books, and vectors that are no multiples of blocks.
  std::unique_ptr<MadeQuantizer> make() const {
    std::vector<api::Option> options;
    const auto& entry = *api::Registry::instance().find("neural.quantizer." + GetParam());
    for (const auto& setting : entry.settings) {
      if (setting.name == "codes") options.push_back({"codes", "24"});
      if (setting.name == "bits") options.push_back({"bits", "5"});
      if (setting.name == "books") options.push_back({"books", "2"});
    }
    auto made = std::make_unique<MadeQuantizer>(GetParam(), kLawDims, options);
    made->quantizer->start(z_, 5);
    return made;
  }
  bool draws_codes() const { return GetParam() == "gumbel_softmax"; }

  Tensor z_ = testing::normal_vectors(kLawVectors, kLawDims, 18);
  Tensor weight_ = testing::normal_vectors(kLawVectors, kLawDims, 9);
};

TEST_P(QuantizerLaws, CodesLieWithinTheirSizes) {
  const auto made = make();
  const Pass pass = made->pass(z_, weight_, 1.0);
  const auto sizes = made->quantizer->sizes();
  ASSERT_EQ(pass.codes.sizes(), at::IntArrayRef({kLawVectors, std::ssize(sizes)}));
  ASSERT_EQ(pass.codes.scalar_type(), at::kLong);
  for (std::int64_t book = 0; book < std::ssize(sizes); ++book) {
    EXPECT_GE(pass.codes.select(1, book).min().item<std::int64_t>(), 0);
    EXPECT_LT(pass.codes.select(1, book).max().item<std::int64_t>(), sizes[to_size(book)]);
  }
  EXPECT_GT(std::get<0>(at::_unique(pass.codes)).numel(), 4);
}

TEST_P(QuantizerLaws, DecodedCodesAreWhatTheDecoderSees) {
  const auto made = make();
  const Pass pass = made->pass(z_, weight_, 1.0);
  const at::NoGradGuard plain;
  EXPECT_TRUE(at::allclose(made->quantizer->decode(pass.codes), pass.vectors, 1e-5, 1e-6));
  if (draws_codes()) return;
  EXPECT_TRUE(at::equal(made->quantizer->codes(z_), pass.codes));
}

TEST_P(QuantizerLaws, EveryCodeComesBackFromItsVector) {
  if (GetParam() == "residual" || draws_codes()) GTEST_SKIP() << "not of nearest codes";
  const auto made = make();
  const at::NoGradGuard plain;
  const auto sizes = made->quantizer->sizes();
  std::vector<Tensor> books;
  for (const auto size : sizes) books.push_back(at::arange(30, at::kLong).remainder(size));
  const Tensor codes = at::stack(books, 1), vectors = made->quantizer->decode(codes);
  if (vectors.size(1) != kLawDims) FAIL();
  if (GetParam() == "finite_scalar" || GetParam() == "lookup_free") {
    // Linear layers lead there and back; what they put out has codes of its own.
    EXPECT_EQ(std::get<0>(at::unique_dim(vectors, 0)).size(0), 30);
    return;
  }
  EXPECT_TRUE(at::equal(made->quantizer->codes(vectors), codes));
}

TEST_P(QuantizerLaws, AVectorsCodeDoesNotDependOnThoseBesideIt) {
  const auto made = make();
  const at::NoGradGuard plain;
  const Tensor all = made->quantizer->codes(z_);
  for (const std::int64_t first : {0, 63, 64, 150}) {
    const Tensor some = made->quantizer->codes(z_.narrow(0, first, 50));
    EXPECT_TRUE(at::equal(some, all.narrow(0, first, 50))) << first;
  }
}

TEST_P(QuantizerLaws, TheDecodersGradientReachesTheEncoderAndNoCodebook) {
  const auto made = make();
  const Pass pass = made->pass(z_, weight_, 0.0);
  ASSERT_TRUE(at::isfinite(pass.by_z).all().item<bool>());
  EXPECT_GT(pass.by_z.abs().max().item<float>(), 0.0F);
  made->quantizer->update({});  // takes away what are sums and no gradients
  if (draws_codes()) return;    // whose mixture learns its vectors so
  for (const auto& item : made->parameters.items()) {
    if (item.name.find("codebook") == std::string::npos) continue;
    EXPECT_EQ(item.value.grad().abs().max().item<float>(), 0.0F) << item.name;
  }
}

// Where codes do not learn by gradient: there the loss stands for more than its gradient by z.
TEST_P(QuantizerLaws, TheLossHasTheGradientOfDifferences) {
  if (GetParam() == "nearest") GTEST_SKIP() << "see codebook_test.cc";
  const auto made = make();
  const Pass pass = made->pass(z_, at::zeros_like(z_), 1.0);
  if (pass.loss == 0.0) GTEST_SKIP() << "has no loss";
  made->quantizer->update({});
  const auto again = make();
  const Tensor direction = testing::normal_vectors(kLawVectors, kLawDims, 10);
  const double size = 2e-4;  // few numbers cross to another code
  const auto loss = [&](double by) {
    return again->pass(z_ + by * direction, at::zeros_like(z_), 1.0).loss;
  };
  const double expected = (pass.by_z * direction).sum(at::kDouble).item<double>();
  EXPECT_NEAR((loss(size) - loss(-size)) / (2.0 * size), expected,
              0.03 * std::abs(expected) + 0.03);
}

TEST_P(QuantizerLaws, ABatchInTwoPassesLeavesTheSameGradients) {
  const auto whole = make(), parts = make();
  const QuantizeStep step{.seed = 4, .step = 6, .steps = 10, .all = kLawVectors};
  const Pass all = whole->pass(z_, weight_, 0.7, step);
  for (const auto& [first, rows] : {std::pair<std::int64_t, std::int64_t>{0, 100}, {100, 100}}) {
    QuantizeStep here = step;
    here.first = first;
    const Pass some =
        parts->pass(z_.narrow(0, first, rows), weight_.narrow(0, first, rows), 0.7, here);
    EXPECT_TRUE(at::equal(some.codes, all.codes.narrow(0, first, rows)));
    EXPECT_TRUE(at::allclose(some.by_z, all.by_z.narrow(0, first, rows), 1e-5, 1e-6));
  }
  EXPECT_TRUE(
      at::allclose(parts->parameters.gradients(), whole->parameters.gradients(), 1e-4, 1e-5));
  whole->quantizer->update(step);
  parts->quantizer->update(step);
  EXPECT_TRUE(at::allclose(parts->parameters.values(), whole->parameters.values(), 1e-5, 1e-6));
}

TEST_P(QuantizerLaws, AFileKeepsAllThatItIs) {
  const auto made = make();
  made->train(z_, 3);
  SafetensorsWriter writer;
  made->parameters.store(writer, made->parameters.values(), "quantizer.");
  const std::string bytes = writer.bytes();
  const SafetensorsFile file(bytes, "memory");
  const auto loaded = make();
  loaded->parameters.load(file, "quantizer.");
  const at::NoGradGuard plain;
  const Tensor codes = made->quantizer->codes(z_);
  EXPECT_TRUE(at::equal(loaded->quantizer->codes(z_), codes));
  EXPECT_TRUE(at::equal(loaded->quantizer->decode(codes), made->quantizer->decode(codes)));
}

std::vector<std::string> quantizers() {
  std::vector<std::string> names;
  for (const auto* entry : api::Registry::instance().list(Quantizer::kKind)) {
    names.emplace_back(entry->text.name.substr(Quantizer::kKind.size() + 1));
  }
  return names;
}

std::string quantizer_name(const ::testing::TestParamInfo<std::string>& info) { return info.param; }

INSTANTIATE_TEST_SUITE_P(All, QuantizerLaws, ::testing::ValuesIn(quantizers()), quantizer_name);

int code_of_error(const std::string& name, std::int64_t dims,
                  const std::vector<api::Option>& options) {
  try {
    const MadeQuantizer made(name, dims, options);
  } catch (const UsageError& error) {
    return error.code();
  }
  return 0;
}

TEST(Quantizers, RefuseWhatDoesNotSuit) {
  EXPECT_EQ(code_of_error("product", 10, {{"books", "4"}}), 1147);
  EXPECT_EQ(code_of_error("product", 12, {{"books", "4"}}), 0);
  EXPECT_EQ(code_of_error("finite_scalar", 4, {{"levels", "4096,4096,2"}}), 1147);
  EXPECT_EQ(code_of_error("finite_scalar", 4, {{"levels", "4096,4096"}}), 0);
}

}  // namespace
}  // namespace gradatim::neural
