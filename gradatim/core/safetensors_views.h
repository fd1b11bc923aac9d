// SafetensorsViews: a safetensors file of arrays that lie elsewhere, such as in another mapped
// file, written without a copy in memory.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/core/safetensors.h"

namespace gradatim {

/// As SafetensorsWriter, to the byte. ModelError GRD-3004 where something cannot be written so that
/// it reads back.
class SafetensorsViews {
 public:
  struct Array {
    DType dtype = DType::f32;
    std::vector<std::int64_t> shape;
    std::vector<std::string_view> parts;  // one behind the other; whoever adds them keeps them
    std::function<void()> written;        // or none: called when they are in the file
  };

  void add(const std::string& name, Array array);
  void set_metadata(const std::string& key, const std::string& text);
  /// Where the arrays begin, a multiple of 8: the largest elements first, one behind the other.
  void set_alignment(std::size_t bytes) { alignment_ = bytes; }
  /// Atomically (core/file.h).
  void write(const std::string& path) const;

 private:
  std::map<std::string, Array> arrays_;
  std::map<std::string, std::string> metadata_;
  std::size_t alignment_ = 8;
};

}  // namespace gradatim
