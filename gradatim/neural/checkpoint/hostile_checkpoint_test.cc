// Checkpoints that are damaged, or that lie: one line each, and no memory taken on their word.
#include <gtest/gtest.h>

#include <fstream>

#include "gradatim/neural/checkpoint/checkpoint_testing.h"
#include "gradatim/neural/checkpoint/fit.h"
#include "gradatim/neural/checkpoint/mapped_weights.h"
#include "gradatim/neural/convert.h"

namespace gradatim::neural {
namespace {

namespace fs = std::filesystem;
using testing::CheckpointFolder;
using testing::expect_error;

constexpr const char* kUnetWeights = "model/unet/diffusion_pytorch_model.safetensors";
constexpr const char* kUnetIndex = "model/unet/diffusion_pytorch_model.safetensors.index.json";

class HostileCheckpoint : public ::testing::Test {
 protected:
  HostileCheckpoint() : folder_("hostile"), root_(testing::tiny_checkpoint(folder_, "model")) {}

  void refuse(int code, const std::string& word) const {
    expect_error(code, word, [&] { check_stable_diffusion(read_stable_diffusion(root_)); });
  }
  std::string text_of(const std::string& name) const {
    return std::string(MappedFile(folder_.path(name)).bytes());
  }
  // With the arrays of the U-Net edited.
  template <class Edit>
  void edit_unet(Edit&& edit) const {
    const std::string bytes = text_of(kUnetWeights);
    const SafetensorsFile file(bytes, "copy");
    auto arrays = file.arrays();
    edit(arrays);
    SafetensorsWriter writer;
    for (const auto& [name, view] : arrays) {
      writer.add_bytes(name, view.dtype, view.shape, std::string(view.bytes));
    }
    writer.write(folder_.path(kUnetWeights));
  }

  CheckpointFolder folder_;
  std::string root_;
};

TEST_F(HostileCheckpoint, TruncatedOrWithAHeaderThatLies) {
  const std::string whole = text_of(kUnetWeights);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, std::size_t{100}, whole.size() - 1}) {
    folder_.put(kUnetWeights, whole.substr(0, size));
    refuse(3001, "diffusion_pytorch_model.safetensors");
  }
  folder_.put(kUnetWeights, std::string("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10));
  refuse(3001, "header");
  folder_.put(kUnetWeights, std::string("\xff\xff\xff\x7f\0\0\0\0{}", 10));
  refuse(3001, "header");
  const std::string overlapping = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                                  R"("b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})";
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(overlapping.size());
  folder_.put(kUnetWeights, bytes + overlapping + "123456");
  refuse(3001, "data_offsets");
}

TEST_F(HostileCheckpoint, OfNumbersThatAreNoWeights) {
  edit_unet([](auto& arrays) { arrays.at("conv_in.bias").dtype = DType::i32; });
  refuse(3003, "I32");
}

TEST_F(HostileCheckpoint, WithArraysMissingUnknownAndMisshapenInOneLine) {
  edit_unet([](auto& arrays) {
    arrays["conv_in.biass"] = arrays.at("conv_in.bias");
    arrays.erase("conv_in.bias");
    for (int k = 0; k < 5; ++k) arrays["stray" + std::to_string(k)] = arrays.at("conv_out.bias");
  });
  refuse(3064, "1 missing ('conv_in.bias', most like it 'conv_in.biass'); 6 unknown");
  edit_unet([](auto& arrays) { arrays.at("conv_out.bias").shape = {2, 2}; });
  refuse(3003, "'conv_out.bias' is [2, 2] and the network's [4]");
}

TEST_F(HostileCheckpoint, WithAnIndexThatLeadsElsewhere) {
  const std::string weights = text_of(kUnetWeights);
  const auto index = [&](const std::string& file) {
    folder_.put(kUnetIndex, R"({"weight_map": {"conv_in.bias": ")" + file + "\"}}");
  };
  fs::remove(folder_.path(kUnetWeights));
  folder_.put("model/unet/part.safetensors", weights);
  index("part.safetensors");
  check_stable_diffusion(read_stable_diffusion(root_));
  index("../part.safetensors");
  refuse(3066, "beside");
  index("/etc/passwd");
  refuse(3066, "beside");
  index("..");
  refuse(3066, "beside");
  index("diffusion_pytorch_model.safetensors.index.json");  // itself
  refuse(3066, "no file of weights");
  index("missing.safetensors");
  refuse(3066, "not there");
  fs::create_symlink("loop.safetensors", folder_.path("model/unet/loop.safetensors"));
  index("loop.safetensors");  // a link to itself
  refuse(3066, "not there");
  folder_.put(kUnetIndex, R"({"weight_map": {"another": "part.safetensors"}})");
  refuse(3066, "'another'");
  for (const char* text : {"{", "[]", R"({"weight_map": {}})", R"({"weight_map": {"a": 1}})"}) {
    folder_.put(kUnetIndex, text);
    refuse(3066, "index");
  }
  fs::remove(folder_.path(kUnetIndex));
  fs::create_symlink(fs::path(kUnetIndex).filename(), folder_.path(kUnetIndex));
  refuse(2001, "index.json");
}

TEST_F(HostileCheckpoint, WithConfigurationsOfOtherTypesOrAbsurdSizes) {
  const std::string unet = text_of("model/unet/config.json");
  const auto with_unet = [&](const std::string& more, int code, const std::string& word) {
    folder_.put("model/unet/config.json", testing::kTinyUnet + more + "}");
    refuse(code, word);
  };
  with_unet(R"(, "in_channels": "four")", 3063, "in_channels");
  with_unet(R"(, "block_out_channels": 8)", 3063, "block_out_channels");
  with_unet(R"(, "in_channels": 1000000000000, "out_channels": 1000000000000)", 3063,
            "in_channels");
  with_unet(R"(, "sample_size": 4000000000000000)", 3063, "sample_size");
  with_unet(R"(, "cross_attention_dim": 4000000000000000)", 3063, "cross_attention_dim");
  with_unet(R"(, "cross_attention_dim": 16)", 3082, "width");
  with_unet(R"(, "out_channels": 8)", 3082, "more");
  with_unet(R"(, "_class_name": "UNet3DConditionModel")", 3062, "UNet3DConditionModel");
  with_unet(R"(, "block_out_channels": [8192, 8192])", 3003, "conv_in");
  folder_.put("model/unet/config.json", "[1]");
  refuse(3062, "JSON");
  folder_.put("model/unet/config.json", unet);
  const std::string text = text_of("model/text_encoder/config.json");
  const auto with_text = [&](const std::string& more, int code, const std::string& word) {
    folder_.put("model/text_encoder/config.json", testing::kTinyText + more + "}");
    refuse(code, word);
  };
  with_text(R"(, "hidden_act": "relu")", 3063, "hidden_act");
  with_text(R"(, "model_type": "t5")", 3063, "model_type");
  with_text(R"(, "num_hidden_layers": 4000000000)", 3063, "num_hidden_layers");
  with_text(R"(, "vocab_size": -1)", 3063, "vocab_size");
  with_text(R"(, "num_attention_heads": 3)", 3063, "num_attention_heads");
  with_text(R"(, "layer_norm_eps": "small")", 3063, "layer_norm_eps");
  folder_.put("model/text_encoder/config.json", text);
  const std::string autoencoder = text_of("model/vae/config.json");
  const std::string open = autoencoder.substr(0, autoencoder.rfind('}'));
  folder_.put("model/vae/config.json", open + R"(, "latent_channels": 1e9})");
  refuse(3063, "latent_channels");
  folder_.put("model/vae/config.json", open + R"(, "scaling_factor": "small"})");
  refuse(3063, "scaling_factor");
}

TEST_F(HostileCheckpoint, ThatIsAnotherPipelineOrNone) {
  const auto with_index = [&](const std::string& text, const std::string& word) {
    folder_.put("model/model_index.json", text);
    refuse(3073, word);
  };
  with_index(R"({"_class_name": "StableDiffusionXLPipeline"})", "StableDiffusionXLPipeline");
  with_index(R"({"_class_name": "StableDiffusionPipeline", "text_encoder_2": ["a", "b"]})", "1.x");
  with_index(R"({"_class_name": ["a"]})", "1.x");
  with_index("[", "JSON");
  fs::remove(folder_.path("model/model_index.json"));
  check_stable_diffusion(read_stable_diffusion(root_));
  expect_error(3073, "config.json", [&] {
    fs::create_directories(folder_.path("empty"));
    read_stable_diffusion(folder_.path("empty"));
  });
  expect_error(2001, "nowhere", [&] { read_stable_diffusion(folder_.path("nowhere")); });
  expect_error(3073, "model.diffusion_model.", [&] {
    SafetensorsWriter().write(folder_.path("none.safetensors"));
    read_stable_diffusion(folder_.path("none.safetensors"));
  });
  expect_error(3073, "XL", [&] {
    SafetensorsWriter xl;
    xl.add_bytes("conditioner.embedders.0.x", DType::u8, {1}, "1");
    xl.write(folder_.path("xl.safetensors"));
    read_stable_diffusion(folder_.path("xl.safetensors"));
  });
}

TEST_F(HostileCheckpoint, ThatIsPickledNamesTheWayOut) {
  fs::remove(folder_.path(kUnetWeights));
  folder_.put("model/unet/diffusion_pytorch_model.bin", "pickle");
  refuse(3065, "gradatim.convert");
  for (const std::string& bytes : {std::string("PK\x03\x04\0\0\x08\x08 archive", 16),
                                   std::string("\x80\x02}q\0 a pickle of old", 20)}) {
    folder_.put("model.ckpt", bytes);
    expect_error(3065, "gradatim.convert",
                 [&] { read_stable_diffusion(folder_.path("model.ckpt")); });
    expect_error(3065, "gradatim.convert",
                 [&] { is_stable_diffusion(folder_.path("model.ckpt")); });
  }
}

TEST_F(HostileCheckpoint, WithANumberThatIsNotFiniteIsRefusedWhereItIsRead) {
  Parameters parameters;
  const auto add = [&] { parameters.add("a", {2}, Init::constant(0.0)); };
  add();
  SafetensorsWriter writer;
  const std::vector<float> numbers{1.0F, NAN};
  writer.add("a", std::span<const float>(numbers));
  writer.write(folder_.path("a.safetensors"));
  const auto file = std::make_shared<StoredFile>(folder_.path("a.safetensors"));
  const MappedWeights weights("here", arrays_of(file));
  expect_error(3061, "'a'", [&] { read_weights(weights, parameters); });
}

TEST_F(HostileCheckpoint, ASingleFileThatContradictsItself) {
  const std::string single = folder_.path("single.safetensors");
  convert_stable_diffusion(root_, single);
  const std::string bytes(MappedFile(single).bytes());
  // Foreign, so that shapes are asked: without each of the arrays that tell them.
  for (const char* name :
       {"model.diffusion_model.input_blocks.0.0.weight", "model.diffusion_model.out.2.weight",
        "model.diffusion_model.input_blocks.1.0.in_layers.2.weight",
        "model.diffusion_model.middle_block.1.proj_in.weight",
        "first_stage_model.encoder.conv_in.weight", "first_stage_model.decoder.conv_in.weight",
        "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight",
        "cond_stage_model.transformer.text_model.encoder.layers.0.mlp.fc1.weight"}) {
    const SafetensorsFile file(bytes, "copy");
    SafetensorsWriter writer;
    for (const auto& [each, view] : file.arrays()) {
      if (each != name) writer.add_bytes(each, view.dtype, view.shape, std::string(view.bytes));
    }
    writer.write(folder_.path("less.safetensors"));
    expect_error(3064, "lack", [&] {
      check_stable_diffusion(
          read_stable_diffusion(folder_.path("less.safetensors"), {.norm_groups = 2, .heads = 2}));
    });
  }
}

}  // namespace
}  // namespace gradatim::neural
