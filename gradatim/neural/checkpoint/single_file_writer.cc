#include "gradatim/neural/checkpoint/single_file_writer.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/neural/checkpoint/folder_arrays.h"
#include "gradatim/neural/checkpoint/ldm_file.h"
#include "gradatim/neural/checkpoint/ldm_names.h"
#include "gradatim/neural/checkpoint/text_config_json.h"

namespace gradatim::neural {
namespace {

Names stored_names(const StoredArrays& arrays) {
  Names names;
  for (const auto& [name, array] : arrays) names.insert(name);
  return names;
}

class SingleFile {
 public:
  explicit SingleFile(const StoredCheckpoint& stored) : stored_(&stored) {}

  void add_network(const StoredArrays& arrays, const char* prefix, const NamePairs& pairs) {
    for (const auto& [name, array] : arrays) {
      const auto renamed = pairs.renamed(name, Layout::network);
      GRADATIM_CHECK(renamed.has_value(), ModelError, 3077,
                     "{}: '{}' has no place in a single file of Stable Diffusion", stored_->path,
                     name);
      StoredArray put = array;
      // There the autoencoder's attention is made of convolutions.
      const bool convolution = renamed->find("mid.attn_1.") != std::string::npos;
      if (convolution && put.shape.size() == 2) put.shape.insert(put.shape.end(), {1, 1});
      file_.add(prefix + *renamed, view_of(put));
    }
  }

  // As transformers calls them but for "text_model.", which all published files have.
  void add_clip(const StoredArrays& arrays) {
    for (const auto& [name, array] : arrays) {
      file_.add(std::string(kLdmClip) + kTextPrefix + without_prefix(name), view_of(array));
    }
  }

  void add_open_clip(const StoredArrays& arrays) {
    StoredArrays text = by_network_names(arrays, stored_->path);
    const std::int64_t layers = count_numbered(stored_names(text), "encoder.layers.");
    for (std::int64_t k = 0; k < layers; ++k) {
      fuse(text, k, "weight");
      fuse(text, k, "bias");
    }
    add_network(text, kLdmOpenClip, open_clip_pairs(layers));
    // Numbers of positions and the like, which that network has not got.
    for (const auto& [name, array] : arrays) {
      const std::string plain = without_prefix(name);
      if (is_no_parameter(plain)) file_.add(kCarried + plain, view_of(array));
    }
  }

  void add_rest(const StoredArrays& rest) {
    for (const auto& [name, array] : rest) file_.add(name, view_of(array));
  }

  void write(const std::string& out) {
    file_.set_metadata("format", "pt");
    for (const auto& [name, text] : stored_->files) file_.set_metadata(kFileKey + name, text);
    const bool prefixed = any_begins(stored_names(stored_->text), kTextPrefix);
    file_.set_metadata(kTextPrefixKey, prefixed ? kTextPrefix : "none");
    file_.write(out);
  }

 private:
  static std::string without_prefix(const std::string& name) {
    const std::string prefix = kTextPrefix;
    return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
  }

  // Three matrices of attention, one below the other.
  void fuse(StoredArrays& text, std::int64_t layer, const char* kind) {
    SafetensorsViews::Array fused;
    for (const char* part : {"q", "k", "v"}) {
      const auto name = fmt::format("encoder.layers.{}.self_attn.{}_proj.{}", layer, part, kind);
      const auto at = text.find(name);
      GRADATIM_CHECK(at != text.end(), ModelError, 3064, "{}: the weights lack '{}'", stored_->path,
                     name);
      SafetensorsViews::Array one = view_of(at->second);
      const bool first = fused.shape.empty();
      const bool alike = first || (one.dtype == fused.dtype && one.shape == single_);
      GRADATIM_CHECK(!one.shape.empty() && alike, ModelError, 3077,
                     "{}: '{}' is of another type or shape than the matrices beside it, which are "
                     "one in a single file",
                     stored_->path, name);
      if (first) fused = {one.dtype, single_ = one.shape, {}, nullptr};
      fused.parts.push_back(one.parts[0]);
      text.erase(at);
    }
    fused.shape[0] *= 3;
    file_.add(fmt::format("{}transformer.resblocks.{}.attn.in_proj_{}", kLdmOpenClip, layer, kind),
              std::move(fused));
  }

  const StoredCheckpoint* stored_;
  std::vector<std::int64_t> single_;  // shape of one of three
  SafetensorsViews file_;
};

}  // namespace

SafetensorsViews::Array view_of(const StoredArray& array) {
  return {array.dtype, array.shape, {array.bytes}, [array] { array.file->forget(array.bytes); }};
}

void write_single_file(const StoredCheckpoint& stored, const StoredArrays& rest,
                       const std::string& out) {
  SingleFile file(stored);
  const auto unet = by_network_names(stored.unet, stored.path);
  file.add_network(unet, kLdmUnet, unet_pairs(stored_names(unet), Layout::network));
  const auto kl = by_network_names(stored.autoencoder, stored.path);
  file.add_network(kl, kLdmAutoencoder, autoencoder_pairs(stored_names(kl), Layout::network));
  const std::string config = "text_encoder/config.json";
  const auto activation =
      read_text_config(stored.files.at(config), stored.where(config)).activation;
  // Whoever reads CLIP's layout takes its activation to be CLIP's.
  const bool clip = activation == TextActivation::quick_gelu;
  clip ? file.add_clip(stored.text) : file.add_open_clip(stored.text);
  file.add_rest(rest);
  file.write(out);
}

}  // namespace gradatim::neural
