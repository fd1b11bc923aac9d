// IDX, the format of MNIST: two zero bytes, the element type, the number of dimensions, an extent
// of 32 bits each, then the cells; all numbers big-endian. May be compressed by gzip.
#include <fmt/format.h>

#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/data/message.h"
#include "gradatim/data/samples/inflate.h"
#include "gradatim/data/samples/parts.h"

namespace gradatim::data {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& name, std::string_view why) {
  throw DataError(2077, fmt::format("{}: {}; copy it again", name, why));
}

// NumPy's name of an element type; nothing where the byte is none.
std::optional<std::string> code_of(char type) {
  switch (type) {
    case 0x08: return "|u1";
    case 0x09: return "|i1";
    case 0x0B: return ">i2";
    case 0x0C: return ">i4";
    case 0x0D: return ">f4";
    case 0x0E: return ">f8";
    default: return std::nullopt;
  }
}

// The bytes of a file, plain or compressed, one piece after the other.
class Pieces {
 public:
  Pieces(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {
    if (bytes.substr(0, 2) == "\x1f\x8b") inflater_.emplace(bytes, Wrapping::gzip, name);
  }

  std::string take(std::size_t size, std::string_view what) {
    if (inflater_) return inflater_->take(size);
    if (size > bytes_.size()) {
      refuse(name_,
             fmt::format("the file ends within its {}, which need {} bytes, where {} are left",
                         what, size, bytes_.size()));
    }
    std::string piece(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return piece;
  }
  void finish() {
    if (inflater_) return inflater_->finish();
    if (!bytes_.empty()) {
      refuse(name_, counted(bytes_.size(), "byte") + " behind the cells that its header counts");
    }
  }

 private:
  std::string_view bytes_;
  const std::string& name_;
  std::optional<Inflater> inflater_;
};

std::int64_t extent_at(const std::string& bytes, std::size_t place) {
  std::int64_t extent = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    extent = extent << 8 | static_cast<unsigned char>(bytes[4 * place + i]);
  }
  return extent;
}

NumpyArray parse(std::string_view bytes, const std::string& name) {
  Pieces pieces(bytes, name);
  const std::string magic = pieces.take(4, "first four bytes");
  const auto code = code_of(magic[2]);
  if (magic[0] != 0 || magic[1] != 0 || !code || magic[3] < 1 || magic[3] > 4) {
    std::string seen;
    for (const char c : magic) seen += fmt::format(" {:02x}", static_cast<unsigned char>(c));
    refuse(name, "it begins with" + seen + ", as no IDX file of 1 to 4 dimensions does");
  }
  NumpyArray array{.name = name, .code = *code};
  const std::string extents = pieces.take(4U * static_cast<unsigned>(magic[3]), "extents");
  std::int64_t size = element_width(*code, name);
  for (std::size_t i = 0; i < static_cast<std::size_t>(magic[3]); ++i) {
    const std::int64_t extent = extent_at(extents, i);
    array.shape.push_back(extent);
    if (extent == 0 || size > std::numeric_limits<std::int64_t>::max() / extent) {
      refuse(name, fmt::format("axis {} has extent {}, as no samples have", i + 1, extent));
    }
    size *= extent;
  }
  const auto cells =
      std::make_shared<const std::string>(pieces.take(static_cast<std::size_t>(size), "cells"));
  pieces.finish();
  array.cells = *cells;
  array.owner = cells;
  return array;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// train-images-idx3-ubyte.gz -> train-labels-idx1-ubyte.gz, or the same without (or with) .gz.
std::optional<std::string> label_file_beside(const std::string& path) {
  const fs::path file(path);
  std::string name = file.filename().string();
  replace_all(name, "images", "labels");
  for (const std::string_view digit : {"idx2", "idx3", "idx4"}) replace_all(name, digit, "idx1");
  if (name == file.filename().string()) return std::nullopt;
  const std::string other = name.ends_with(".gz") ? name.substr(0, name.size() - 3) : name + ".gz";
  for (const auto& candidate : {name, other}) {
    const fs::path beside = file.parent_path() / candidate;
    std::error_code ignored;
    if (fs::exists(beside, ignored)) return beside.string();
  }
  return std::nullopt;
}

}  // namespace

Samples parse_idx(std::string_view bytes, const std::string& name) {
  const NumpyArray array = parse(bytes, name);
  GRADATIM_CHECK(array.shape.size() > 1, DataError, 2072,
                 "{}: an IDX file of one dimension holds labels; name the file of the images",
                 name);
  return samples_of(array);
}

Samples read_idx(const std::string& path, const SamplesOptions& options) {
  Samples samples = parse_idx(MappedFile(path).bytes(), path);
  const auto labels = options.label.empty() ? label_file_beside(path) : options.label;
  if (labels) {
    const MappedFile file(*labels);
    set_labels(samples, parse(file.bytes(), *labels));
  }
  return samples;
}

}  // namespace gradatim::data
