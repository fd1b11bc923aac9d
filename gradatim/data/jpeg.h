// JPEG: images of 8 bits, grey or RGB. Read only; samples are written as PNG, which loses nothing.
#pragma once

#include <string>
#include <string_view>

#include "gradatim/data/image.h"

namespace gradatim::data {

/// A baseline or progressive file; a rotation that its camera noted (EXIF) is not applied. GRD-2079
/// for a damaged file and for one that is neither grey nor RGB, GRD-2080 for one of too many
/// pixels. `name` stands for the file in messages.
Image decode_jpeg(std::string_view bytes, const std::string& name);

}  // namespace gradatim::data
