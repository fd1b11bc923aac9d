// JPEG by libjpeg. Its errors leave by longjmp, so the functions that call it (begin, pixels) hold
// no C++ objects of their own: whatever has to be freed belongs to their caller.
#include "gradatim/data/jpeg.h"

#include <fmt/format.h>
#include <jpeglib.h>

#include <csetjmp>
#include <cstddef>
#include <cstdio>  // jpeglib.h needs it

#include "gradatim/core/error.h"

namespace gradatim::data {
namespace {

constexpr int kMostScans = 500;  // a small progressive file can ask for hours of work

[[noreturn]] void refuse(const std::string& name, std::string_view why) {
  throw DataError(2079, fmt::format("{}: {}; write the file again as JPEG or PNG", name, why));
}

class Reader {
 public:
  Reader() {
    decoder_.err = ::jpeg_std_error(&errors_);
    errors_.error_exit = &on_error;
    errors_.emit_message = &on_message;
    decoder_.client_data = this;
    progress_.progress_monitor = &on_progress;
  }
  ~Reader() { ::jpeg_destroy_decompress(&decoder_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Reads the header; false after an error, as below.
  bool begin(std::string_view bytes) {
    if (setjmp(jump_) != 0) return false;
    ::jpeg_create_decompress(&decoder_);
    decoder_.client_data = this;
    decoder_.progress = &progress_;
    ::jpeg_mem_src(&decoder_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    ::jpeg_read_header(&decoder_, TRUE);
    return true;
  }
  bool pixels(unsigned char* out) {
    if (setjmp(jump_) != 0) return false;
    decoder_.out_color_space = decoder_.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    decoder_.dct_method = JDCT_ISLOW;
    ::jpeg_start_decompress(&decoder_);
    const std::size_t row =
        std::size_t{decoder_.output_width} * static_cast<std::size_t>(decoder_.output_components);
    while (decoder_.output_scanline < decoder_.output_height) {
      unsigned char* at = out + decoder_.output_scanline * row;
      ::jpeg_read_scanlines(&decoder_, &at, 1);
    }
    ::jpeg_finish_decompress(&decoder_);
    return true;
  }

  const jpeg_decompress_struct& decoder() const { return decoder_; }
  const char* message() const { return message_; }

 private:
  [[noreturn]] static void leave(j_common_ptr decoder) {
    auto& self = *static_cast<Reader*>(decoder->client_data);
    decoder->err->format_message(decoder, self.message_);
    std::longjmp(self.jump_, 1);
  }
  [[noreturn]] static void on_error(j_common_ptr decoder) { leave(decoder); }
  // Below 0 are warnings, of data that is missing or damaged: half an image is no image.
  static void on_message(j_common_ptr decoder, int level) {
    if (level < 0) leave(decoder);
  }
  static void on_progress(j_common_ptr decoder) {
    auto& self = *static_cast<Reader*>(decoder->client_data);
    if (self.decoder_.input_scan_number <= kMostScans) return;
    std::snprintf(self.message_, sizeof(self.message_), "it has more than %d scans", kMostScans);
    std::longjmp(self.jump_, 1);
  }

  jpeg_decompress_struct decoder_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf jump_{};
  char message_[JMSG_LENGTH_MAX] = {};
};

}  // namespace

Image decode_jpeg(std::string_view bytes, const std::string& name) {
  if (bytes.substr(0, 3) != "\xFF\xD8\xFF") refuse(name, "not a JPEG file");
  Reader reader;
  if (!reader.begin(bytes)) refuse(name, reader.message());
  const auto& header = reader.decoder();
  check_pixels(header.image_height, header.image_width, name);
  if (header.num_components != 1 && header.num_components != 3) {
    refuse(name, fmt::format("it has {} channels, such as CMYK, which is not read",
                             header.num_components));
  }
  Image image{.height = header.image_height,
              .width = header.image_width,
              .channels = header.num_components};
  image.bytes.resize(static_cast<std::size_t>(image.height * image.width * image.channels));
  if (!reader.pixels(image.bytes.data())) refuse(name, reader.message());
  return image;
}

}  // namespace gradatim::data
