// Both layouts of a checkpoint: equal bytes there and back, and a foreign single file.
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "gradatim/neural/checkpoint/checkpoint_testing.h"
#include "gradatim/neural/checkpoint/ldm_file.h"
#include "gradatim/neural/checkpoint/single_file_writer.h"
#include "gradatim/neural/convert.h"

namespace gradatim::neural {
namespace {

using testing::CheckpointFolder;
using testing::expect_error;

constexpr const char* kSecond =
    R"(, "use_linear_projection": true, "transformer_layers_per_block": 2)";
constexpr const char* kGelu = R"(, "hidden_act": "gelu")";
constexpr const char* kWeightFiles[] = {"/unet/diffusion_pytorch_model.safetensors",
                                        "/vae/diffusion_pytorch_model.safetensors",
                                        "/text_encoder/model.safetensors"};

void expect_same_arrays(const std::string& path, const std::string& other) {
  const SafetensorsFile one(path), two(other);
  ASSERT_EQ(one.arrays().size(), two.arrays().size()) << path;
  for (const auto& [name, view] : one.arrays()) {
    ASSERT_TRUE(two.has(name)) << name;
    EXPECT_EQ(view.shape, two.view(name).shape) << name;
    EXPECT_EQ(view.dtype, two.view(name).dtype) << name;
    EXPECT_EQ(view.bytes, two.view(name).bytes) << name;
  }
}

// A file's arrays, changed by `edit`, written to another.
template <class Edit>
void rewrite(const std::string& from, const std::string& to, Edit&& edit) {
  std::map<std::string, SafetensorsFile::View> arrays;
  const MappedFile bytes(from);
  const std::string copy(bytes.bytes());
  const SafetensorsFile file(copy, from);
  arrays = file.arrays();
  edit(arrays);
  SafetensorsWriter writer;
  for (const auto& [name, view] : arrays) {
    writer.add_bytes(name, view.dtype, view.shape, std::string(view.bytes));
  }
  writer.write(to);
}

class BothLayouts : public ::testing::TestWithParam<bool> {};

TEST_P(BothLayouts, GiveEqualBytesThereAndBack) {
  const bool second = GetParam();
  const CheckpointFolder folder(second ? "both_layouts_2" : "both_layouts_1");
  const auto root =
      testing::tiny_checkpoint(folder, "model", second ? kSecond : "", second ? kGelu : "");
  const std::string single = folder.path("single.safetensors");
  EXPECT_TRUE(convert_stable_diffusion(root, single).empty());
  EXPECT_TRUE(is_stable_diffusion(single));
  const auto notes = convert_stable_diffusion(single, folder.path("back"));
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0].substr(0, 27), "the folder has no tokenizer");
  for (const char* name : kWeightFiles) expect_same_arrays(root + name, folder.path("back") + name);
  const auto files = read_stable_diffusion(single), before = read_stable_diffusion(root);
  check_stable_diffusion(files);
  EXPECT_EQ(files.network, before.network);
  EXPECT_EQ(files.scheduler_config, before.scheduler_config);
  for (const auto& name : files.text->names()) {
    EXPECT_TRUE(at::equal(files.text->read(name), before.text->read(name))) << name;
  }
  const bool fused = SafetensorsFile(single).has(std::string(kLdmOpenClip) +
                                                 "transformer.resblocks.0.attn.in_proj_weight");
  EXPECT_EQ(fused, second);
  convert_stable_diffusion(folder.path("back"), folder.path("again.safetensors"));
  EXPECT_EQ(MappedFile(single).bytes(), MappedFile(folder.path("again.safetensors")).bytes());
}

// The names of the original, whose decoder counts its levels from the finest.
TEST(SingleFile, ArraysAreCalledAsTheOriginalCallsThem) {
  const CheckpointFolder folder("single_file_names");
  const auto root = testing::tiny_checkpoint(folder, "model");
  convert_stable_diffusion(root, folder.path("single.safetensors"));
  const SafetensorsFile single(folder.path("single.safetensors"));
  constexpr std::tuple<int, const char*, const char*> kNames[] = {
      {0, "time_embed.2.weight", "time_embedding.linear_2.weight"},
      {0, "input_blocks.2.0.op.weight", "down_blocks.0.downsamplers.0.conv.weight"},
      {0, "input_blocks.3.0.skip_connection.weight",
       "down_blocks.1.resnets.0.conv_shortcut.weight"},
      {0, "input_blocks.3.1.proj_in.weight", "down_blocks.1.attentions.0.proj_in.weight"},
      {0, "middle_block.2.out_layers.3.weight", "mid_block.resnets.1.conv2.weight"},
      {0, "output_blocks.1.2.conv.weight", "up_blocks.0.upsamplers.0.conv.weight"},
      {0, "output_blocks.3.0.emb_layers.1.weight", "up_blocks.1.resnets.1.time_emb_proj.weight"},
      {1, "encoder.down.0.downsample.conv.weight",
       "encoder.down_blocks.0.downsamplers.0.conv.weight"},
      {1, "decoder.up.1.upsample.conv.weight", "decoder.up_blocks.0.upsamplers.0.conv.weight"},
      {1, "decoder.up.0.block.0.nin_shortcut.weight",
       "decoder.up_blocks.1.resnets.0.conv_shortcut.weight"},
      {1, "decoder.mid.attn_1.proj_out.weight", "decoder.mid_block.attentions.0.to_out.0.weight"}};
  for (const auto& [part, theirs, ours] : kNames) {
    const SafetensorsFile own(root + kWeightFiles[part]);
    const std::string name = std::string(part == 0 ? kLdmUnet : kLdmAutoencoder) + theirs;
    ASSERT_TRUE(single.has(name)) << name;
    EXPECT_EQ(single.view(name).bytes, own.view(ours).bytes) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(StableDiffusion, BothLayouts, ::testing::Bool());

// As others write it: no configurations, moving averages, tables, and the second one's last layer.
std::string foreign(const CheckpointFolder& folder, bool second) {
  const auto root =
      testing::tiny_checkpoint(folder, "model", second ? kSecond : "", second ? kGelu : "");
  convert_stable_diffusion(root, folder.path("ours.safetensors"));
  static const float numbers[] = {1, 2, 3, 4, 5, 6, 7, 8};
  const std::string_view bytes(reinterpret_cast<const char*>(numbers), sizeof(numbers));
  rewrite(folder.path("ours.safetensors"), folder.path("foreign.safetensors"), [&](auto& arrays) {
    arrays["model_ema.diffusion_modelinput_blocks00weight"] = {DType::f32, {8}, bytes};
    arrays["alphas_cumprod"] = {DType::f32, {8}, bytes};
    if (!second) return;
    arrays["cond_stage_model.model.text_projection"] = {DType::f32, {2, 4}, bytes};
    arrays["cond_stage_model.model.logit_scale"] = {DType::f32, {}, bytes.substr(0, 4)};
    const std::string last = "cond_stage_model.model.transformer.resblocks.";
    std::map<std::string, SafetensorsFile::View> more;
    for (const auto& [name, view] : arrays) {
      if (name.starts_with(last + "1.")) more[last + "2." + name.substr(last.size() + 2)] = view;
    }
    arrays.merge(more);
  });
  return folder.path("foreign.safetensors");
}

TEST(SingleFile, OfOthersIsReadByTheShapesOfItsArrays) {
  const CheckpointFolder folder("single_file_foreign");
  const std::string path = foreign(folder, false);
  const auto before = read_stable_diffusion(folder.path("model"));
  const auto files = read_stable_diffusion(path, {.norm_groups = 2, .heads = 2});
  check_stable_diffusion(files);
  EXPECT_EQ(files.network.values.at("channels"), before.network.values.at("channels"));
  EXPECT_EQ(files.network.values.at("heads"), before.network.values.at("heads"));
  EXPECT_EQ(files.shape.context, 8);
  EXPECT_EQ(files.unit, 2);
  EXPECT_EQ(files.text_config.activation, TextActivation::quick_gelu);
  EXPECT_NE(files.scheduler_config.find("PNDMScheduler"), std::string::npos);
  EXPECT_NE(files.scheduler_config.find("\"epsilon\""), std::string::npos);
  for (const auto& name : files.unet->names()) {
    EXPECT_TRUE(at::equal(files.unet->read(name), before.unet->read(name))) << name;
  }
  expect_error(3072, "single file", [&] { files.codec(); });
  const auto guessed = read_stable_diffusion(path);
  ASSERT_EQ(guessed.notes.size(), 1U);
  EXPECT_NE(guessed.notes[0].find("groups"), std::string::npos);
}

TEST(SingleFile, OfTheSecondKindLeavesOutTheLayerThatIsNotAsked) {
  const CheckpointFolder folder("single_file_second");
  const std::string path = foreign(folder, true);
  const auto files = read_stable_diffusion(path, {.norm_groups = 2, .heads = 2});
  check_stable_diffusion(files);
  EXPECT_EQ(files.text_config.layers, 2);
  EXPECT_EQ(files.text_config.activation, TextActivation::gelu);
  EXPECT_NE(files.scheduler_config.find("v_prediction"), std::string::npos);
  ASSERT_EQ(files.notes.size(), 1U);
  const auto epsilon =
      read_stable_diffusion(path, {.prediction = "epsilon", .norm_groups = 2, .heads = 2});
  EXPECT_NE(epsilon.scheduler_config.find("\"epsilon\""), std::string::npos);
  const auto before = read_stable_diffusion(folder.path("model"));
  for (const auto& name : files.text->names()) {
    EXPECT_TRUE(at::equal(files.text->read(name), before.text->read(name))) << name;
  }
}

TEST(SingleFile, OfOthersLosesNothingOnItsWayThroughAFolder) {
  for (const bool second : {false, true}) {
    const CheckpointFolder folder("single_file_through");
    const std::string path = foreign(folder, second);
    convert_stable_diffusion(path, folder.path("folder"));
    convert_stable_diffusion(folder.path("folder"), folder.path("again.safetensors"));
    expect_same_arrays(path, folder.path("again.safetensors"));
  }
}

TEST(SingleFile, HalvesAndNumbersOfPositionsKeepTheirBytes) {
  const CheckpointFolder folder("single_file_halves");
  for (const char* more : {"", kGelu}) {
    const std::string name = *more == '\0' ? "first" : "second";
    const auto root = testing::tiny_checkpoint(folder, name, "", more);
    static const std::int64_t positions[] = {0, 1, 2, 3};
    const std::string_view bytes(reinterpret_cast<const char*>(positions), sizeof(positions));
    // As transformers wrote it before: in halves, with a prefix and numbers of positions.
    rewrite(root + kWeightFiles[2], root + kWeightFiles[2], [&](auto& arrays) {
      std::map<std::string, SafetensorsFile::View> named;
      for (auto& [each, view] : arrays) {
        auto half = view;
        half.dtype = DType::bf16;
        half.bytes = view.bytes.substr(0, view.bytes.size() / 2);
        named["text_model." + each] = half;
      }
      named["text_model.embeddings.position_ids"] = {DType::i64, {1, 4}, bytes};
      arrays = std::move(named);
    });
    check_stable_diffusion(read_stable_diffusion(root));
    convert_stable_diffusion(root, folder.path(name + ".safetensors"));
    check_stable_diffusion(read_stable_diffusion(folder.path(name + ".safetensors")));
    convert_stable_diffusion(folder.path(name + ".safetensors"), folder.path(name + "_back"));
    expect_same_arrays(root + kWeightFiles[2], folder.path(name + "_back") + kWeightFiles[2]);
  }
}

TEST(SingleFile, AnArrayWithoutAPlaceThereIsNamed) {
  const CheckpointFolder folder("single_file_place");
  const auto root = testing::tiny_checkpoint(folder, "model");
  rewrite(root + kWeightFiles[0], root + kWeightFiles[0],
          [](auto& arrays) { arrays["class_embedding.weight"] = arrays.at("conv_in.bias"); });
  expect_error(3077, "class_embedding.weight",
               [&] { convert_stable_diffusion(root, folder.path("single.safetensors")); });
  EXPECT_FALSE(std::filesystem::exists(folder.path("single.safetensors")));
}

TEST(SingleFile, TheTokenizerTravelsInItsMetadata) {
  const CheckpointFolder folder("single_file_tokenizer");
  const auto root = testing::tiny_checkpoint(folder, "model");
  testing::put_tokenizer(folder, "model/tokenizer");
  convert_stable_diffusion(root, folder.path("single.safetensors"));
  const auto files = read_stable_diffusion(folder.path("single.safetensors"));
  EXPECT_EQ(files.codec().tokens("ab"), read_stable_diffusion(root).codec().tokens("ab"));
  convert_stable_diffusion(folder.path("single.safetensors"), folder.path("back"));
  EXPECT_EQ(MappedFile(root + "/tokenizer/vocab.json").bytes(),
            MappedFile(folder.path("back/tokenizer/vocab.json")).bytes());
}

}  // namespace
}  // namespace gradatim::neural
