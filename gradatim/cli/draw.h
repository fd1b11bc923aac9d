// sample of a checkpoint of Stable Diffusion: images by texts.
#pragma once

#include "gradatim/cli/cli.h"
#include "gradatim/cli/session.h"

namespace gradatim::cli {

/// Draws what the arguments ask a checkpoint for, and writes it.
int draw_images(const std::string& checkpoint, const Arguments& arguments, Session& session);

}  // namespace gradatim::cli
