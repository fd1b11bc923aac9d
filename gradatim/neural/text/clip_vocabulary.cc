#include "gradatim/neural/text/clip_vocabulary.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/core/shared_library.h"
#include "gradatim/data/samples/inflate.h"

namespace gradatim::neural {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMerges = 48'894;
constexpr std::size_t kMostUnpacked = std::size_t{16} << 20;
constexpr const char* kFile = "bpe_simple_vocab_16e6.txt.gz";
constexpr const char* kVariable = "GRADATIM_CLIP_VOCABULARY";

// A .gz ends in the size of what it holds.
std::size_t unpacked_size(std::string_view bytes) {
  std::size_t size = 0;
  for (std::size_t k = 1; k <= 4; ++k) {
    size = size << 8 | static_cast<unsigned char>(bytes[bytes.size() - k]);
  }
  return size;
}

std::string unpacked(std::string_view bytes, const std::string& path) {
  const std::size_t size = unpacked_size(bytes);
  GRADATIM_CHECK(size <= kMostUnpacked, ModelError, 3069,
                 "{}: it unpacks to {} bytes, and a vocabulary of CLIP has at most {}", path, size,
                 kMostUnpacked);
  data::Inflater inflater(bytes, data::Wrapping::gzip, path);
  std::string text = inflater.take(size);
  inflater.finish();
  return text;
}

}  // namespace

std::string clip_merges(const std::string& path) {
  const MappedFile file(path);
  const std::string_view bytes = file.bytes();
  const bool packed = bytes.starts_with("\x1f\x8b") && bytes.size() >= 18;
  std::string text = packed ? unpacked(bytes, path) : std::string(bytes);
  const std::string_view first = std::string_view(text).substr(0, text.find('\n'));
  if (first.find("#version") != std::string_view::npos) text.erase(0, first.size() + 1);
  std::size_t end = 0;
  for (std::size_t line = 0; line < kMerges && end < text.size(); ++line) {
    end = std::min(text.find('\n', end), text.size() - 1) + 1;
  }
  text.resize(end);
  return text;
}

std::string installed_clip_vocabulary() {
  const char* named = std::getenv(kVariable);
  if (named != nullptr && *named != '\0') {
    GRADATIM_CHECK(fs::exists(named), UsageError, 1221,
                   "{} names '{}', which is not there; name the file {}, or unset it", kVariable,
                   named, kFile);
    return named;
  }
  for (const char* package : {"open_clip", "clip"}) {
    const fs::path file = library_folder().parent_path() / package / kFile;
    if (fs::exists(file)) return file.string();
  }
  return "";
}

}  // namespace gradatim::neural
