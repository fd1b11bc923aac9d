// sample of a checkpoint of Stable Diffusion: images by texts.
#pragma once

#include "gradatim/cli/cli.h"
#include "gradatim/cli/session.h"

namespace gradatim::cli {

/// Whether a name is that of a checkpoint: a folder, a single file of others, or pickled (which is
/// refused with what to do).
bool is_checkpoint(const std::string& name);
/// Draws what the arguments ask a checkpoint for, and writes it.
int draw_images(const std::string& checkpoint, const Arguments& arguments, Session& session);

}  // namespace gradatim::cli
