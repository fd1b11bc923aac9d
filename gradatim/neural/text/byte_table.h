// The bytes of a text as characters that can be seen: printable ones of Latin-1 are themselves, the
// others are U+0100 and up, in order. GPT-2's table (Radford et al. 2019), and CLIP's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gradatim::neural {

/// The character of each byte, in UTF-8, [256].
const std::vector<std::string>& byte_characters();
/// All bytes in the order of vocabularies: the printable ones, then the others. [256]
const std::vector<std::uint8_t>& bytes_in_order();

/// The bytes that characters stand for; characters that are none of the table's stand for their own
/// bytes.
std::string bytes_of(std::string_view characters);

}  // namespace gradatim::neural
