// What text may be a table: UTF-8 without NUL bytes. Whole files, or parts of them that several
// readers share.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gradatim::data {

/// The bytes [from, to) of a file. A character belongs to the part that it begins in.
struct TextPart {
  std::size_t from = 0;
  std::size_t to = 0;
};

/// GRD-2007 for UTF-16 text, which its first bytes tell. `path` names the file in messages.
void check_text_mark(std::string_view bytes, const std::string& path);
/// GRD-2007 for the first byte of the part that is not UTF-8.
void check_utf8(std::string_view bytes, TextPart part, const std::string& path);
/// GRD-2007 for the first NUL byte of the part.
void check_no_nul(std::string_view bytes, TextPart part, const std::string& path);
/// All of it.
void check_text(std::string_view bytes, const std::string& path);

}  // namespace gradatim::data
