// TextFile: the bytes of a text, as they lie in a file or as gzip packed them.
#pragma once

#include <string>
#include <string_view>

#include "gradatim/core/file.h"

namespace gradatim::data {

class TextFile {
 public:
  /// DataError GRD-2001 where there is none, GRD-2070 where what gzip packed is damaged.
  explicit TextFile(const std::string& path);

  std::string_view bytes() const { return packed_ ? unpacked_ : file_.bytes(); }

 private:
  MappedFile file_;
  bool packed_;
  std::string unpacked_;
};

/// As a .gz file; the same bytes for the same text.
std::string gzip(std::string_view text);

}  // namespace gradatim::data
