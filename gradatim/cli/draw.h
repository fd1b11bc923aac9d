// sample of a checkpoint of Stable Diffusion: images by texts.
#pragma once

#include "gradatim/cli/cli.h"
#include "gradatim/cli/session.h"

namespace gradatim::cli {

/// What `sample` can be told of a checkpoint alone.
inline constexpr OptionSpec kCheckpointOptions[] = {
    {"image", "FILE", "Of a checkpoint: the image to start from."},
    {"mask", "FILE", "Of a checkpoint: what is drawn anew of the image is white here."},
    {"lora", "FILE[:W][,FILE]", "Of a checkpoint: LoRA files on top of it, each with a weight."},
    {"embedding", "FILE[:WORD][,FILE]",
     "Of a checkpoint: words of textual inversion, and what prompts call them."},
    {"scheduler", "FILE",
     "Of a checkpoint: a scheduler_config.json of diffusers instead of its "
     "own."},
    {"tokenizer", "DIR|FILE", "Of a checkpoint: its tokenizer, where it has none of its own."},
    {"eight_bit", "", "Of a checkpoint: hold the U-Net's weights in 8 bits, for less memory."},
    {"prepared", "FILE",
     "Of a checkpoint: weights as this machine multiplies them, gigabytes; written when it is not "
     "there, and later starts are sooner."},
    {"memory", "SIZE", "Of a checkpoint: memory that may be used, such as 4GB."},
};

/// What it cannot: of other models and of oracles.
inline constexpr std::string_view kNotOfCheckpoints[] = {
    "label",       "classifier", "match", "match_blocks", "source", "given",
    "temperature", "top_k",      "top_p", "processes",    "timeout"};

/// Whether a name is that of a checkpoint: a folder, a single file of others, or pickled (which is
/// refused with what to do).
bool is_checkpoint(const std::string& name);
/// Draws what the arguments ask a checkpoint for, and writes it.
int draw_images(const std::string& checkpoint, const Arguments& arguments, Session& session);

}  // namespace gradatim::cli
