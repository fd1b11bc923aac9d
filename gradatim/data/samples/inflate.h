// Inflate: what zlib or gzip compressed, taken piece by piece and never more than was asked for.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace gradatim::data {

/// How the compressed bytes are wrapped: as in a ZIP file, or as in a .gz file (of one or several
/// members).
enum class Wrapping { raw, gzip };

/// Deflate makes at most 1032 bytes of one: a claim beyond that is refused before any allocation.
bool could_inflate(std::size_t compressed, std::size_t claimed);

class Inflater {
 public:
  /// `name` stands for the file in messages; the bytes must outlive this.
  Inflater(std::string_view bytes, Wrapping wrapping, std::string name);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// The next `size` bytes. GRD-2070 where there are fewer, or the data is damaged.
  std::string take(std::size_t size);
  /// All that is left, with its checksum. GRD-2070 where it is damaged or cut off.
  std::string rest();
  /// Checks that nothing is left, and the checksum of gzip. GRD-2070.
  void finish();

 private:
  std::size_t inflate_into(char* out, std::size_t size);

  std::string_view bytes_;  // what zlib did not see yet
  std::size_t total_;
  Wrapping wrapping_;
  std::string name_;
  z_stream stream_{};
  bool ended_ = false;
};

}  // namespace gradatim::data
