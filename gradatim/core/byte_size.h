// Sizes of memory as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gradatim {

/// "4GB", "512 MiB" or a whole number as bytes: k, M, G, T are powers of 1000, Ki, Mi, Gi, Ti of
/// 1024. UsageError GRD-1226 for anything else, or where nothing is left.
std::int64_t parse_byte_size(std::string_view text);
/// "3.4 GB".
std::string byte_size_text(std::int64_t bytes);

}  // namespace gradatim
