#include "gradatim/neural/checkpoint/ldm_file.h"

#include <fmt/format.h>

#include <array>

#include "gradatim/core/error.h"
#include "gradatim/neural/checkpoint/ldm_names.h"

namespace gradatim::neural {
namespace {

// Layers of the original, of which Stable Diffusion 2 uses all but one.
constexpr std::int64_t kOpenClipLayers = 24;

Names names_below(const StoredArrays& arrays, const std::string& prefix) {
  Names names;
  for (const auto& [name, array] : arrays) {
    if (name.starts_with(prefix)) names.insert(name.substr(prefix.size()));
  }
  return names;
}

void check_ldm_kind(const StoredArrays& all, const std::string& source) {
  Names names;
  for (const auto& [name, array] : all) names.insert(name);
  GRADATIM_CHECK(!any_begins(names, "conditioner."), ModelError, 3073,
                 "{} is of Stable Diffusion XL; checkpoints of 1.x and 2.x are read", source);
  for (const char* part : {kLdmUnet, kLdmAutoencoder, "cond_stage_model."}) {
    GRADATIM_CHECK(any_begins(names, part), ModelError, 3073,
                   "{} is no checkpoint of Stable Diffusion: it has no array whose name begins "
                   "with '{}'",
                   source, part);
  }
}

// Moves what begins with the prefix, under the network's names.
StoredArrays take_named(StoredArrays& all, const std::string& prefix, const NamePairs& pairs) {
  StoredArrays taken;
  for (auto at = all.begin(); at != all.end();) {
    if (!at->first.starts_with(prefix)) {
      ++at;
      continue;
    }
    const std::string name = at->first.substr(prefix.size());
    taken[pairs.renamed(name, Layout::single_file).value_or(name)] = std::move(at->second);
    at = all.erase(at);
  }
  return taken;
}

StoredArrays take_clip(StoredArrays& all) { return take_named(all, kLdmClip, {}); }

void split_attention(const std::string& layer, const std::string& source, StoredArrays& text) {
  for (const char* kind : {"weight", "bias"}) {
    const auto at = text.find(fmt::format("{}attn.in_proj_{}", layer, kind));
    if (at == text.end()) continue;
    const StoredArray fused = at->second;
    const bool thirds = !fused.shape.empty() && fused.shape[0] > 0 && fused.shape[0] % 3 == 0;
    GRADATIM_CHECK(thirds, ModelError, 3003,
                   "{}: '{}{}' does not hold three parts of one size: its shape is [{}]", source,
                   kLdmOpenClip, at->first, fmt::join(fused.shape, ", "));
    text.erase(at);
    const auto number = layer.substr(std::string("transformer.resblocks.").size());
    const std::int64_t rows = fused.shape[0] / 3;
    constexpr std::array kParts{"q", "k", "v"};
    for (std::size_t k = 0; k < kParts.size(); ++k) {
      text[fmt::format("encoder.layers.{}self_attn.{}_proj.{}", number, kParts[k], kind)] =
          fused.rows(static_cast<std::int64_t>(k) * rows, rows);
    }
  }
}

// What Stable Diffusion does not ask: layers from this one on, and the way to images.
bool is_unasked(const std::string& name, std::int64_t layers) {
  if (name == "text_projection" || name == "logit_scale" || name == "attn_mask") return true;
  const std::string prefix = "transformer.resblocks.";
  if (!name.starts_with(prefix)) return false;
  return std::atoll(name.c_str() + prefix.size()) >= layers;
}

StoredArrays take_open_clip(StoredArrays& all, std::optional<std::int64_t> asked,
                            const std::string& source) {
  const Names names = names_below(all, kLdmOpenClip);
  const std::int64_t count = count_numbered(names, "transformer.resblocks.");
  const bool original = names.contains("text_projection") || count == kOpenClipLayers;
  const std::int64_t layers = asked.value_or(original ? count - 1 : count);
  StoredArrays unasked;
  for (const std::string& name : names) {
    if (!is_unasked(name, layers)) continue;
    const auto at = all.find(kLdmOpenClip + name);
    unasked[at->first] = at->second;
    all.erase(at);
  }
  StoredArrays text = take_named(all, kLdmOpenClip, open_clip_pairs(layers));
  for (std::int64_t k = 0; k < layers; ++k) {
    split_attention(fmt::format("transformer.resblocks.{}.", k), source, text);
  }
  all.merge(unasked);
  return text;
}

}  // namespace

LdmArrays ldm_arrays(const std::shared_ptr<const StoredFile>& file,
                     std::optional<std::int64_t> text_layers) {
  const std::string& source = file->arrays().source();
  LdmArrays parts;
  parts.rest = arrays_of(file);
  check_ldm_kind(parts.rest, source);
  const auto single = Layout::single_file;
  const NamePairs unet = unet_pairs(names_below(parts.rest, kLdmUnet), single);
  parts.unet = take_named(parts.rest, kLdmUnet, unet);
  const NamePairs pairs = autoencoder_pairs(names_below(parts.rest, kLdmAutoencoder), single);
  parts.autoencoder = take_named(parts.rest, kLdmAutoencoder, pairs);
  parts.open_clip = !names_below(parts.rest, kLdmOpenClip).empty();
  parts.text =
      parts.open_clip ? take_open_clip(parts.rest, text_layers, source) : take_clip(parts.rest);
  return parts;
}

}  // namespace gradatim::neural
