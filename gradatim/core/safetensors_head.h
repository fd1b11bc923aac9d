// What writers of safetensors files share: their checks and their header.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/core/safetensors.h"

namespace gradatim {

/// ModelError GRD-3004 where an array cannot be called so, or is not of so many bytes.
void check_array(const std::string& name, DType dtype, const std::vector<std::int64_t>& shape,
                 std::size_t bytes);
/// GRD-3004 where a text of the metadata is not UTF-8.
void check_metadata(const std::string& key, const std::string& text);

struct ArrayHead {
  std::string_view name;
  DType dtype;
  std::span<const std::int64_t> shape;
  std::size_t bytes;
};
/// The length and the header, padded with spaces so that the data begin at a multiple of
/// `alignment` bytes. The layout is the reference implementation's to the byte, which aligns to 8.
std::string safetensors_head(std::span<const ArrayHead> arrays,
                             const std::map<std::string, std::string>& metadata,
                             std::size_t alignment = 8);

}  // namespace gradatim
