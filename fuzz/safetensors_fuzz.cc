// Any bytes are a ModelError or a valid file, and a valid file survives being written and read.
//
// clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -I. fuzz/safetensors_fuzz.cc
//   gradatim/core/{safetensors,error,file,text}.cc -lfmt
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>

#include "gradatim/core/error.h"
#include "gradatim/core/safetensors.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

// The views lie in the data one after the other, and their shapes say so.
void check(const gradatim::SafetensorsFile& file, std::string_view bytes) {
  std::size_t total = 0;
  for (const auto& [name, view] : file.arrays()) {
    std::size_t elements = 1;
    for (const auto dimension : view.shape) elements *= static_cast<std::size_t>(dimension);
    require(elements * gradatim::size_of(view.dtype) == view.bytes.size());
    if (!view.bytes.empty()) {
      require(!std::less<>()(view.bytes.data(), bytes.data()));
      require(!std::less<>()(bytes.data() + bytes.size(), view.bytes.data() + view.bytes.size()));
    }
    total += view.bytes.size();
  }
  require(total <= bytes.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const gradatim::SafetensorsFile file(bytes, "fuzz");
    check(file, bytes);
    gradatim::SafetensorsWriter writer;
    for (const auto& [name, view] : file.arrays()) {
      writer.add_bytes(name, view.dtype, view.shape, std::string(view.bytes));
    }
    const std::string written = writer.bytes();
    const gradatim::SafetensorsFile again(written, "again");
    require(again.arrays().size() == file.arrays().size());
    for (const auto& [name, view] : file.arrays()) {
      require(again.view(name).shape == view.shape && again.view(name).bytes == view.bytes);
    }
  } catch (const gradatim::ModelError& error) {
    require(error.code() == 3001);
  }
  return 0;
}
