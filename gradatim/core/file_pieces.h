// Files that are written piece by piece, whole or not at all.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace gradatim {

using Append = std::function<void(std::string_view bytes)>;

/// write_atomically() of core/file.h, of the pieces that `write` appends one after the other.
void write_atomically(const std::string& path, const std::function<void(const Append&)>& write);

}  // namespace gradatim
