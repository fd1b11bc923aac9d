// JPEG files, encoded in memory for the tests of this folder.
#pragma once

#include <jpeglib.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "gradatim/data/image.h"

namespace gradatim::data::testing {

struct JpegLayout {
  bool progressive = false;
  bool two_scans = false;             // progressive, without bits that later scans would add
  J_COLOR_SPACE space = JCS_UNKNOWN;  // of the pixels; found by their channels unless it is given
};

/// Of quality 100.
inline std::string jpeg(const Image& image, const JpegLayout& layout = {}) {
  jpeg_compress_struct encoder{};
  jpeg_error_mgr errors{};
  encoder.err = ::jpeg_std_error(&errors);
  ::jpeg_create_compress(&encoder);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  ::jpeg_mem_dest(&encoder, &out, &size);
  encoder.image_height = static_cast<JDIMENSION>(image.height);
  encoder.image_width = static_cast<JDIMENSION>(image.width);
  encoder.input_components = static_cast<int>(image.channels);
  encoder.in_color_space = layout.space != JCS_UNKNOWN ? layout.space
                           : image.channels == 3       ? JCS_RGB
                                                       : JCS_GRAYSCALE;
  ::jpeg_set_defaults(&encoder);
  ::jpeg_set_quality(&encoder, 100, TRUE);
  if (layout.progressive) ::jpeg_simple_progression(&encoder);
  const jpeg_scan_info scans[] = {{1, {0}, 0, 0, 0, 0}, {1, {0}, 1, 63, 0, 0}};
  if (layout.two_scans) {
    encoder.scan_info = scans;
    encoder.num_scans = 2;
  }
  ::jpeg_start_compress(&encoder, TRUE);
  while (encoder.next_scanline < encoder.image_height) {
    auto* row = const_cast<unsigned char*>(image.bytes.data() +
                                           encoder.next_scanline * image.width * image.channels);
    ::jpeg_write_scanlines(&encoder, &row, 1);
  }
  ::jpeg_finish_compress(&encoder);
  std::string bytes(reinterpret_cast<const char*>(out), size);
  ::jpeg_destroy_compress(&encoder);
  std::free(out);
  return bytes;
}

}  // namespace gradatim::data::testing
