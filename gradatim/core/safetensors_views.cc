#include "gradatim/core/safetensors_views.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradatim/core/error.h"
#include "gradatim/core/file_pieces.h"
#include "gradatim/core/safetensors_head.h"

namespace gradatim {

void SafetensorsViews::add(const std::string& name, Array array) {
  std::size_t bytes = 0;
  for (const auto part : array.parts) bytes += part.size();
  check_array(name, array.dtype, array.shape, bytes);
  const bool fresh = arrays_.try_emplace(name, std::move(array)).second;
  GRADATIM_CHECK(fresh, ModelError, 3004, "array '{}' is added twice", name);
}

void SafetensorsViews::set_metadata(const std::string& key, const std::string& text) {
  check_metadata(key, text);
  metadata_[key] = text;
}

void SafetensorsViews::write(const std::string& path) const {
  std::vector<const std::pair<const std::string, Array>*> order;
  for (const auto& named : arrays_) order.push_back(&named);
  std::ranges::stable_sort(order, [](const auto* a, const auto* b) {
    return size_of(a->second.dtype) > size_of(b->second.dtype);
  });
  std::vector<ArrayHead> heads;
  for (const auto* named : order) {
    std::size_t bytes = 0;
    for (const auto part : named->second.parts) bytes += part.size();
    heads.push_back({named->first, named->second.dtype, named->second.shape, bytes});
  }
  const std::string head = safetensors_head(heads, metadata_, alignment_);
  write_atomically(path, [&](const Append& append) {
    append(head);
    for (const auto* named : order) {
      for (const auto part : named->second.parts) append(part);
      if (named->second.written) named->second.written();
    }
  });
}

}  // namespace gradatim
