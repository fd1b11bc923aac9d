// Any bytes as a single file of Stable Diffusion, and as a LoRA: configurations and arrays, or an
// Error; nothing else. Start from a tiny one that gradatim convert wrote.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/neural/checkpoint/lora_file.h"
#include "gradatim/neural/checkpoint/stored_checkpoint.h"
#include "gradatim/neural/checkpoint/text_config_json.h"

namespace {

// In memory, where the system has such a folder.
const std::string& path() {
  static const std::string name = "/dev/shm/gradatim_fuzz." + std::to_string(::getpid());
  return name;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace gradatim;
  write_atomically(path(), std::string_view(reinterpret_cast<const char*>(bytes), size));
  try {
    const auto stored = neural::open_checkpoint(path());
    const std::string text = "text_encoder/config.json";
    neural::read_text_config(stored.files.at(text), stored.where(text));
  } catch (const Error&) {  // said what was wrong, as it should
  }
  try {
    neural::read_lora(path());
  } catch (const Error&) {
  }
  return 0;
}
