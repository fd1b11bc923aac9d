// The autoencoder's part of ldm_names.h. There the decoder's levels are numbered from the finest,
// in the network in the order of the computation.
#include <fmt/format.h>

#include "gradatim/neural/checkpoint/ldm_names.h"

namespace gradatim::neural {
namespace {

void add_same(NamePairs& pairs, const std::string& name) { pairs.add(name, name); }

void add_autoencoder_block(NamePairs& pairs, const std::string& file, const std::string& network) {
  pairs.add(file + "nin_shortcut.", network + "conv_shortcut.");
  for (const char* layer : {"norm1.", "conv1.", "norm2.", "conv2."}) {
    pairs.add(file + layer, network + layer);
  }
}

void add_middle(NamePairs& pairs, const std::string& half) {
  const std::string file = half + "mid.", network = half + "mid_block.";
  add_autoencoder_block(pairs, file + "block_1.", network + "resnets.0.");
  add_autoencoder_block(pairs, file + "block_2.", network + "resnets.1.");
  constexpr std::pair<const char*, const char*> kAttention[] = {{"norm.", "group_norm."},
                                                                {"q.", "to_q."},
                                                                {"k.", "to_k."},
                                                                {"v.", "to_v."},
                                                                {"proj_out.", "to_out.0."}};
  for (const auto& [before, now] : kAttention) {
    pairs.add(file + "attn_1." + before, network + "attentions.0." + now);
  }
}

void add_autoencoder_level(NamePairs& pairs, const std::string& file, const std::string& network,
                           std::int64_t blocks) {
  for (std::int64_t j = 0; j < blocks; ++j) {
    add_autoencoder_block(pairs, fmt::format("{}block.{}.", file, j),
                          fmt::format("{}resnets.{}.", network, j));
  }
  pairs.add(file + "downsample.conv.", network + "downsamplers.0.conv.");
  pairs.add(file + "upsample.conv.", network + "upsamplers.0.conv.");
}

}  // namespace

NamePairs autoencoder_pairs(const Names& names, Layout from) {
  const bool file = from == Layout::single_file;
  const char* blocks = file ? "block." : "resnets.";
  NamePairs pairs;
  for (const char* half : {"encoder.", "decoder."}) {
    const std::string here = half;
    add_same(pairs, here + "conv_in.");
    add_same(pairs, here + "conv_out.");
    pairs.add(here + "norm_out.", here + "conv_norm_out.");
    add_middle(pairs, here);
    const bool up = here == "decoder.";
    const std::string levels = here + (up ? "up" : "down");
    const std::int64_t count = count_numbered(names, levels + (file ? "." : "_blocks."));
    for (std::int64_t i = 0; i < count; ++i) {
      const std::string ours = fmt::format("{}_blocks.{}.", levels, i);
      const std::string theirs = fmt::format("{}.{}.", levels, up ? count - 1 - i : i);
      add_autoencoder_level(pairs, theirs, ours,
                            count_numbered(names, (file ? theirs : ours) + blocks));
    }
  }
  add_same(pairs, "quant_conv.");
  add_same(pairs, "post_quant_conv.");
  return pairs;
}

}  // namespace gradatim::neural
