// PNG: images of 8 bits, grey or RGB.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "gradatim/data/image.h"
#include "gradatim/data/png_text.h"

namespace gradatim::data {

/// The bytes of a whole file, the same for the same image, texts and version of zlib.
/// GRD-1150 for what is no image of 1 or 3 channels; errors of png_text_chunks().
std::string encode_png(const Image& image, std::span<const PngText> texts = {});

/// Every PNG: interlaced, of a palette, of 1 to 16 bits (16 are rounded to 8). Transparency is
/// dropped where nothing is transparent; GRD-2085 where something is. GRD-2078 for a damaged file,
/// GRD-2080 for one of too many pixels. `name` stands for the file in messages.
Image decode_png(std::string_view bytes, const std::string& name);

}  // namespace gradatim::data
