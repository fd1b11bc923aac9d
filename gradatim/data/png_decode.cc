// PNG by libpng. Its errors leave by longjmp, so the functions that call it (begin, pixels) hold no
// C++ objects of their own: whatever has to be freed belongs to their caller.
#include <fmt/format.h>
#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <new>

#include "gradatim/core/error.h"
#include "gradatim/data/png.h"
#include "gradatim/data/png_chunk.h"
#include "gradatim/data/samples/inflate.h"

namespace gradatim::data {
namespace {

constexpr std::size_t kHeaderEnd = 33;  // signature and the chunk of width and height

[[noreturn]] void refuse(const std::string& name, std::string_view why) {
  throw DataError(2078, fmt::format("{}: {}; write the file again as PNG", name, why));
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {
    png_ = ::png_create_read_struct(PNG_LIBPNG_VER_STRING, this, &on_error, &on_warning);
    info_ = png_ != nullptr ? ::png_create_info_struct(png_) : nullptr;
    if (info_ == nullptr) {
      ::png_destroy_read_struct(&png_, nullptr, nullptr);
      throw std::bad_alloc();
    }
  }
  ~Reader() { ::png_destroy_read_struct(&png_, &info_, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Reads all before the pixels and asks for 8 bits; false after an error, as below.
  bool begin() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    ::png_set_read_fn(png_, this, &on_read);
    ::png_set_user_limits(png_, 0x7FFFFFFF, 0x7FFFFFFF);  // check_pixels has seen to it
    ::png_read_info(png_, info_);
    ::png_set_expand(png_);    // palette, fewer bits, a transparent colour
    ::png_set_scale_16(png_);  // 16 bits, rounded
    ::png_set_interlace_handling(png_);
    ::png_read_update_info(png_, info_);
    return true;
  }
  bool pixels(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    ::png_read_image(png_, rows);
    ::png_read_end(png_, nullptr);
    return true;
  }

  std::int64_t height() const { return ::png_get_image_height(png_, info_); }
  std::int64_t width() const { return ::png_get_image_width(png_, info_); }
  std::int64_t channels() const { return ::png_get_channels(png_, info_); }
  std::size_t row_bytes() const { return ::png_get_rowbytes(png_, info_); }
  const char* message() const { return message_; }

 private:
  static void on_read(png_structp png, png_bytep out, std::size_t size) {
    auto& self = *static_cast<Reader*>(::png_get_io_ptr(png));
    if (size > self.bytes_.size()) ::png_error(png, "the file is cut off");
    std::memcpy(out, self.bytes_.data(), size);
    self.bytes_.remove_prefix(size);
  }
  [[noreturn]] static void on_error(png_structp png, const char* message) {
    auto& self = *static_cast<Reader*>(::png_get_error_ptr(png));
    std::snprintf(self.message_, sizeof(self.message_), "%s", message);
    ::png_longjmp(png, 1);
  }
  static void on_warning(png_structp /*png*/, const char* /*message*/) {}  // of what is not drawn

  std::string_view bytes_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  char message_[128] = {};
};

// Size and claims, before libpng allocates anything for them.
void check_header(std::string_view bytes, const std::string& name) {
  if (bytes.substr(0, kPngSignature.size()) != kPngSignature) refuse(name, "not a PNG file");
  if (bytes.size() < kHeaderEnd || bytes.substr(12, 4) != "IHDR") {
    refuse(name, "the file is cut off");
  }
  const std::uint64_t width = big_endian(bytes, 16), height = big_endian(bytes, 20);
  check_pixels(height, width, name);
  const auto bits = static_cast<unsigned char>(bytes[24]);
  const std::uint64_t least = height * ((width * bits + 7) / 8);  // of one channel
  if (!could_inflate(bytes.size(), least)) {
    refuse(name,
           fmt::format("its {} bytes cannot hold {} x {} pixels", bytes.size(), width, height));
  }
}

// Drops the last channel, which must be opaque everywhere.
void drop_alpha(Image& image, const std::string& name) {
  const auto all = static_cast<std::size_t>(image.channels), kept = all - 1;
  std::size_t next = 0;
  for (std::size_t pixel = 0; pixel < image.bytes.size(); pixel += all) {
    const int alpha = image.bytes[pixel + kept];
    const auto place = static_cast<std::int64_t>(pixel / all);
    GRADATIM_CHECK(alpha == 255, DataError, 2085,
                   "{}: the pixel at column {}, row {} is transparent (alpha {} of 255), and what "
                   "lies behind is not known; lay the image on a background",
                   name, place % image.width + 1, place / image.width + 1, alpha);
    for (std::size_t c = 0; c < kept; ++c) image.bytes[next++] = image.bytes[pixel + c];
  }
  image.bytes.resize(next);
  --image.channels;
}

}  // namespace

Image decode_png(std::string_view bytes, const std::string& name) {
  check_header(bytes, name);
  Reader reader(bytes);
  if (!reader.begin()) refuse(name, reader.message());
  Image image{.height = reader.height(), .width = reader.width(), .channels = reader.channels()};
  const std::size_t row = reader.row_bytes();
  image.bytes.resize(row * static_cast<std::size_t>(image.height));
  std::vector<png_bytep> rows(static_cast<std::size_t>(image.height));
  for (std::size_t y = 0; y < rows.size(); ++y) rows[y] = image.bytes.data() + y * row;
  if (!reader.pixels(rows.data())) refuse(name, reader.message());
  if (image.channels % 2 == 0) drop_alpha(image, name);
  return image;
}

}  // namespace gradatim::data
