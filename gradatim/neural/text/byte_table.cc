#include "gradatim/neural/text/byte_table.h"

namespace gradatim::neural {
namespace {

bool printable(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
}

// All of the table's characters lie below U+0800.
std::string two_bytes(unsigned point) {
  if (point < 0x80) return {static_cast<char>(point)};
  return {static_cast<char>(0xC0 | (point >> 6)), static_cast<char>(0x80 | (point & 0x3F))};
}

struct Table {
  std::vector<std::string> characters = std::vector<std::string>(256);
  std::vector<std::uint8_t> order;
  std::vector<int> byte_of = std::vector<int>(0x800, -1);  // by character

  Table() {
    unsigned next = 0x100;
    for (const bool wanted : {true, false}) {
      for (int byte = 0; byte < 256; ++byte) {
        if (printable(byte) != wanted) continue;
        const unsigned point = wanted ? static_cast<unsigned>(byte) : next++;
        characters[static_cast<std::size_t>(byte)] = two_bytes(point);
        byte_of[point] = byte;
        order.push_back(static_cast<std::uint8_t>(byte));
      }
    }
  }
};

const Table& table() {
  static const Table made;
  return made;
}

}  // namespace

const std::vector<std::string>& byte_characters() { return table().characters; }
const std::vector<std::uint8_t>& bytes_in_order() { return table().order; }

std::string bytes_of(std::string_view characters) {
  std::string bytes;
  for (std::size_t at = 0; at < characters.size(); ++at) {
    const auto lead = static_cast<std::uint8_t>(characters[at]);
    unsigned point = lead;
    const bool two = lead >= 0xC2 && lead < 0xE0 && at + 1 < characters.size();
    if (two) point = ((lead & 0x1FU) << 6) | (static_cast<std::uint8_t>(characters[at + 1]) & 0x3F);
    const int byte = lead < 0x80 || two ? table().byte_of[point] : -1;
    bytes += byte < 0 ? characters[at] : static_cast<char>(byte);
    if (byte >= 0 && two) ++at;
  }
  return bytes;
}

}  // namespace gradatim::neural
