// What arrays are called in a single file of Stable Diffusion (the layout of the first, "latent
// diffusion"), and in the networks: prefixes in pairs, so that one table serves both ways. What a
// network is made of is found from the names themselves.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace gradatim::neural {

enum class Layout { single_file, network };

struct NamePair {
  std::string single_file, network;
};

class NamePairs {
 public:
  void add(std::string single_file, std::string network);
  /// The name in the other layout, where a pair begins it.
  std::optional<std::string> renamed(const std::string& name, Layout from) const;

 private:
  std::vector<NamePair> pairs_;
};

using Names = std::set<std::string>;

/// Of the U-Net, without `model.diffusion_model.`; `names` are those of the layout `from`.
NamePairs unet_pairs(const Names& names, Layout from);
/// Of the autoencoder, without `first_stage_model.`.
NamePairs autoencoder_pairs(const Names& names, Layout from);
/// Of OpenCLIP's text network, without `cond_stage_model.model.`: all but the three matrices of
/// attention that are one there, `attn.in_proj_weight` and `attn.in_proj_bias`.
NamePairs open_clip_pairs(std::int64_t layers);

/// How many of PREFIX0., PREFIX1., ... begin a name.
std::int64_t count_numbered(const Names& names, const std::string& prefix);
bool any_begins(const Names& names, const std::string& prefix);

}  // namespace gradatim::neural
