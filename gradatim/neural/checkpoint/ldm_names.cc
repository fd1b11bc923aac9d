#include "gradatim/neural/checkpoint/ldm_names.h"

#include <fmt/format.h>

namespace gradatim::neural {
namespace {

// A level of the U-Net on one of its ways.
struct LdmLevel {
  std::int64_t blocks = 0;
  bool attends = false, resamples = false;
};

struct LdmLevels {
  std::vector<LdmLevel> down, up;
};

LdmLevels levels_of_network(const Names& names) {
  const auto way = [&](const char* blocks, const char* resampling) {
    std::vector<LdmLevel> levels;
    const std::int64_t count = count_numbered(names, blocks);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::string here = fmt::format("{}{}.", blocks, i);
      levels.push_back({count_numbered(names, here + "resnets."),
                        any_begins(names, here + "attentions."),
                        any_begins(names, here + resampling)});
    }
    return levels;
  };
  return {way("down_blocks.", "downsamplers."), way("up_blocks.", "upsamplers.")};
}

// There the blocks of all levels are numbered through, and a level ends where images are resampled.
LdmLevels levels_of_file(const Names& names) {
  LdmLevels found;
  LdmLevel level;
  const auto close = [&](std::vector<LdmLevel>& way, bool resamples) {
    level.resamples = resamples;
    if (level.blocks > 0) way.push_back(level);
    level = {};
  };
  const std::int64_t down = count_numbered(names, "input_blocks.");
  for (std::int64_t k = 1; k < down; ++k) {
    const std::string here = fmt::format("input_blocks.{}.", k);
    if (any_begins(names, here + "0.op.")) {
      close(found.down, true);
      continue;
    }
    ++level.blocks;
    level.attends |= any_begins(names, here + "1.");
  }
  close(found.down, false);
  const std::int64_t up = count_numbered(names, "output_blocks.");
  for (std::int64_t k = 0; k < up; ++k) {
    const std::string here = fmt::format("output_blocks.{}.", k);
    const bool alone = any_begins(names, here + "1.conv.");
    ++level.blocks;
    level.attends |= !alone && any_begins(names, here + "1.");
    if (alone || any_begins(names, here + "2.conv.")) close(found.up, true);
  }
  close(found.up, false);
  return found;
}

void add_unet_block(NamePairs& pairs, const std::string& file, const std::string& network) {
  pairs.add(file + "in_layers.0.", network + "norm1.");
  pairs.add(file + "in_layers.2.", network + "conv1.");
  pairs.add(file + "emb_layers.1.", network + "time_emb_proj.");
  pairs.add(file + "out_layers.0.", network + "norm2.");
  pairs.add(file + "out_layers.3.", network + "conv2.");
  pairs.add(file + "skip_connection.", network + "conv_shortcut.");
}

// A level's blocks from number k on, which moves along.
void add_unet_level(NamePairs& pairs, const LdmLevel& level, const char* file_blocks,
                    const std::string& network, std::int64_t& k) {
  for (std::int64_t j = 0; j < level.blocks; ++j, ++k) {
    const std::string file = fmt::format("{}{}.", file_blocks, k);
    add_unet_block(pairs, file + "0.", fmt::format("{}resnets.{}.", network, j));
    if (level.attends) pairs.add(file + "1.", fmt::format("{}attentions.{}.", network, j));
  }
}

}  // namespace

void NamePairs::add(std::string single_file, std::string network) {
  pairs_.push_back({std::move(single_file), std::move(network)});
}

std::optional<std::string> NamePairs::renamed(const std::string& name, Layout from) const {
  for (const NamePair& pair : pairs_) {
    const bool file = from == Layout::single_file;
    const std::string& before = file ? pair.single_file : pair.network;
    if (name.starts_with(before)) {
      return (file ? pair.network : pair.single_file) + name.substr(before.size());
    }
  }
  return std::nullopt;
}

bool any_begins(const Names& names, const std::string& prefix) {
  const auto at = names.lower_bound(prefix);
  return at != names.end() && at->starts_with(prefix);
}

std::int64_t count_numbered(const Names& names, const std::string& prefix) {
  std::int64_t count = 0;
  while (any_begins(names, fmt::format("{}{}.", prefix, count))) ++count;
  return count;
}

NamePairs unet_pairs(const Names& names, Layout from) {
  const LdmLevels levels =
      from == Layout::single_file ? levels_of_file(names) : levels_of_network(names);
  NamePairs pairs;
  pairs.add("time_embed.0.", "time_embedding.linear_1.");
  pairs.add("time_embed.2.", "time_embedding.linear_2.");
  pairs.add("input_blocks.0.0.", "conv_in.");
  pairs.add("out.0.", "conv_norm_out.");
  pairs.add("out.2.", "conv_out.");
  std::int64_t k = 1;
  for (std::size_t i = 0; i < levels.down.size(); ++i) {
    const std::string network = fmt::format("down_blocks.{}.", i);
    add_unet_level(pairs, levels.down[i], "input_blocks.", network, k);
    if (!levels.down[i].resamples) continue;
    pairs.add(fmt::format("input_blocks.{}.0.op.", k++), network + "downsamplers.0.conv.");
  }
  add_unet_block(pairs, "middle_block.0.", "mid_block.resnets.0.");
  pairs.add("middle_block.1.", "mid_block.attentions.0.");
  add_unet_block(pairs, "middle_block.2.", "mid_block.resnets.1.");
  k = 0;
  for (std::size_t i = 0; i < levels.up.size(); ++i) {
    const LdmLevel& level = levels.up[i];
    const std::string network = fmt::format("up_blocks.{}.", i);
    const std::int64_t last = k + level.blocks - 1;
    // In front of those of the level's blocks, where "1." may be attention's.
    if (level.resamples) {
      pairs.add(fmt::format("output_blocks.{}.{}.conv.", last, level.attends ? 2 : 1),
                network + "upsamplers.0.conv.");
    }
    add_unet_level(pairs, level, "output_blocks.", network, k);
  }
  return pairs;
}

NamePairs open_clip_pairs(std::int64_t layers) {
  NamePairs pairs;
  pairs.add("positional_embedding", "embeddings.position_embedding.weight");
  pairs.add("token_embedding.", "embeddings.token_embedding.");
  pairs.add("ln_final.", "final_layer_norm.");
  for (std::int64_t i = 0; i < layers; ++i) {
    const std::string file = fmt::format("transformer.resblocks.{}.", i);
    const std::string network = fmt::format("encoder.layers.{}.", i);
    pairs.add(file + "ln_1.", network + "layer_norm1.");
    pairs.add(file + "ln_2.", network + "layer_norm2.");
    pairs.add(file + "attn.out_proj.", network + "self_attn.out_proj.");
    pairs.add(file + "mlp.c_fc.", network + "mlp.fc1.");
    pairs.add(file + "mlp.c_proj.", network + "mlp.fc2.");
  }
  return pairs;
}

}  // namespace gradatim::neural
