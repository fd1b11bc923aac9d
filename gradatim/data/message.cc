#include "gradatim/data/message.h"

#include <fmt/format.h>

#include <algorithm>

namespace gradatim::data {

std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 40;
  std::size_t length = std::min(text.size(), kMost);
  while (length < text.size() && length > 0 &&
         (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) {
    --length;
  }
  std::string cut(text.substr(0, length));
  std::replace_if(
      cut.begin(), cut.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '.');
  return length < text.size() ? cut + "..." : cut;
}

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string_view article_name(CellType type) {
  if (type.time_unit == TimeUnit::days) return "a date like 2013-01-31";
  if (type.time_unit == TimeUnit::microseconds) return "a time like 2013-01-31T05:00:00";
  switch (type.type) {
    case ColumnType::integer: return "an integer";
    case ColumnType::boolean: return "true or false";
    case ColumnType::categorical: return "a category";
    default: return "a number";
  }
}

}  // namespace gradatim::data
