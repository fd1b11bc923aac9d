#include "gradatim/neural/checkpoint/textual_inversion.h"

#include <gtest/gtest.h>

#include "gradatim/neural/checkpoint/checkpoint_testing.h"

namespace gradatim::neural {
namespace {

using testing::CheckpointFolder;
using testing::expect_error;

std::string vectors(const CheckpointFolder& folder, const std::string& file,
                    const std::string& name, std::vector<std::int64_t> shape) {
  std::int64_t count = 1;
  for (const auto each : shape) count *= each;
  std::vector<float> numbers(static_cast<std::size_t>(count));
  for (std::size_t k = 0; k < numbers.size(); ++k) numbers[k] = static_cast<float>(k);
  SafetensorsWriter writer;
  writer.add(name, std::span<const float>(numbers), std::move(shape));
  writer.write(folder.path(file));
  return folder.path(file);
}

class TextualInversionTest : public ::testing::Test {
 protected:
  TextualInversionTest() : folder_("inversion"), root_(testing::tiny_checkpoint(folder_, "model")) {
    testing::put_tokenizer(folder_, "model/tokenizer");
  }

  CheckpointFolder folder_;
  std::string root_;
};

TEST_F(TextualInversionTest, AWordIsItsVectorsWhereverItStands) {
  auto files = read_stable_diffusion(root_);
  const auto plain = files.codec().tokens("ab"), other = files.codec().tokens("a");
  const std::int64_t first = files.codec().vocabulary();
  const Tensor before = files.text->read("embeddings.token_embedding.weight");
  add_textual_inversion(files, {vectors(folder_, "cat.safetensors", "<Cat>", {2, 8})});
  EXPECT_EQ(files.codec().tokens("ab"), plain);
  std::vector<std::int64_t> expected = plain;
  expected.insert(expected.end(), {first, first + 1});
  expected.insert(expected.end(), other.begin(), other.end());
  EXPECT_EQ(files.codec().tokens("ab <cat>a"), expected);
  EXPECT_EQ(files.codec().tokens("AB <CAT> a"), expected);

  const Tensor table = files.text->read("embeddings.token_embedding.weight");
  EXPECT_EQ(table.size(0), files.text_config.vocabulary);
  EXPECT_TRUE(at::equal(table.narrow(0, 0, first), before.narrow(0, 0, first)));
  EXPECT_TRUE(at::equal(table.narrow(0, first, 2), at::arange(16, at::kFloat).view({2, 8})));
  check_stable_diffusion(files);

  // A second one, of the web interface's kind, called by the file's name.
  add_textual_inversion(files, {vectors(folder_, "dog.safetensors", "emb_params", {1, 8})});
  EXPECT_EQ(files.codec().tokens("dog"), std::vector<std::int64_t>{first + 2});
  check_stable_diffusion(files);
}

TEST_F(TextualInversionTest, MoreTokensThanTheTableHasMakeItLarger) {
  auto files = read_stable_diffusion(root_);
  const std::int64_t before = files.text_config.vocabulary;
  const std::int64_t count = before - files.codec().vocabulary() + 3;
  add_textual_inversion(files, {vectors(folder_, "cat.safetensors", "cat", {count, 8})});
  EXPECT_EQ(files.text_config.vocabulary, before + 3);
  check_stable_diffusion(files);
}

TEST_F(TextualInversionTest, WhatDoesNotFitIsRefused) {
  auto files = read_stable_diffusion(root_);
  const auto refuse = [&](const std::string& word, const TextualInversion& inversion) {
    expect_error(3080, word, [&] { add_textual_inversion(files, inversion); });
  };
  refuse("[1, 9]", {vectors(folder_, "cat.safetensors", "<cat>", {9})});
  refuse("already", {vectors(folder_, "cat.safetensors", "a", {8})});
  refuse("[0, 8]", {vectors(folder_, "cat.safetensors", "<cat>", {0, 8})});
  SafetensorsWriter().write(folder_.path("none.safetensors"));
  refuse("0 arrays", {folder_.path("none.safetensors")});
  const CheckpointFolder bare("inversion_bare");
  auto without = read_stable_diffusion(testing::tiny_checkpoint(bare, "model"));
  expect_error(3072, "vocabulary", [&] {
    add_textual_inversion(without, {vectors(folder_, "cat.safetensors", "<cat>", {8})});
  });
}

}  // namespace
}  // namespace gradatim::neural
