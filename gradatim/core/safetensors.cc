#include "gradatim/core/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <tuple>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/core/safetensors_head.h"
#include "gradatim/core/text.h"

namespace gradatim {
namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMostHeader = 100'000'000;  // the format's own limit
constexpr std::size_t kMostDimensions = 64;
constexpr const char* kMetadata = "__metadata__";

struct Kind {
  std::string_view name;
  std::size_t size;
};
constexpr std::array<Kind, 13> kKinds = {{{"BOOL", 1},
                                          {"U8", 1},
                                          {"I8", 1},
                                          {"U16", 2},
                                          {"I16", 2},
                                          {"F16", 2},
                                          {"BF16", 2},
                                          {"U32", 4},
                                          {"I32", 4},
                                          {"F32", 4},
                                          {"U64", 8},
                                          {"I64", 8},
                                          {"F64", 8}}};
static_assert(static_cast<std::size_t>(DType::f64) + 1 == kKinds.size());

std::optional<DType> dtype_named(std::string_view name) {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i].name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

// Names come from the file: quoted, and short enough for one line.
std::string in_quotes(std::string_view name) {
  constexpr std::size_t kMost = 80;
  if (name.size() <= kMost) return fmt::format("'{}'", name);
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  return fmt::format("'{}...'", name.substr(0, end));
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

// Bytes of the array; nothing where a dimension is negative or a product, zeros left out,
// overflows.
std::optional<std::int64_t> byte_count(DType dtype, const std::vector<std::int64_t>& shape) {
  auto bytes = static_cast<std::int64_t>(size_of(dtype));
  bool empty = false;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) return std::nullopt;
    if (dimension == 0) empty = true;
    if (__builtin_mul_overflow(bytes, std::max<std::int64_t>(dimension, 1), &bytes)) {
      return std::nullopt;
    }
  }
  return empty ? 0 : bytes;
}

std::uint64_t read_length(std::string_view bytes) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  return length;
}

struct Entry {
  std::optional<DType> dtype;
  std::optional<std::vector<std::int64_t>> shape;
  std::optional<std::vector<std::int64_t>> offsets;
};

// The header, read event by event. The grammar is three levels deep and every event must fit it, so
// nesting, repeated keys and unknown fields end the parse where they stand: no tree is built, and a
// header takes memory in proportion to its arrays. Methods return false to stop, with `problem`.
class HeaderReader {
 public:
  std::map<std::string, Entry> entries;
  std::map<std::string, std::string> metadata;
  std::string problem;

  // The interface that nlohmann's parser calls.
  bool null() { return unexpected("null"); }
  bool boolean(bool /*value*/) { return unexpected("true or false"); }
  bool number_integer(std::int64_t value) { return unexpected(fmt::format("number {}", value)); }
  bool number_float(double /*value*/, const std::string& text) {
    return unexpected("number " + text.substr(0, 40));
  }
  bool binary(const std::vector<std::uint8_t>& /*value*/) { return unexpected("binary"); }
  bool number_unsigned(std::uint64_t value) {
    if (place_ != Place::list) return unexpected(fmt::format("number {}", value));
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return stop(fmt::format("{}: {} is above 2^63 - 1", field_name(), value));
    }
    const std::size_t most = field_ == "shape" ? kMostDimensions : 2;
    if (list().size() == most) return stop(field_name() + ": too many numbers");
    list().push_back(static_cast<std::int64_t>(value));
    return true;
  }
  bool string(std::string& value) {
    if (place_ == Place::metadata) {
      metadata[field_] = std::move(value);
      return true;
    }
    if (place_ != Place::entry || field_ != "dtype") return unexpected("text " + in_quotes(value));
    entry_->dtype = dtype_named(value);
    if (!entry_->dtype) {
      return stop(
          fmt::format("array {}: dtype {} is not one of BOOL, U8, I8, U16, I16, F16, BF16, "
                      "U32, I32, F32, U64, I64, F64",
                      in_quotes(name_), in_quotes(value)));
    }
    return true;
  }
  bool start_object(std::size_t /*size*/) {
    if (place_ == Place::before) {
      place_ = Place::root;
    } else if (place_ == Place::root) {
      place_ = name_ == kMetadata ? Place::metadata : Place::entry;
      fields_.clear();
      field_.clear();
    } else {
      return unexpected("an object");
    }
    return true;
  }
  bool key(std::string& value) {
    if (place_ == Place::root) {
      name_ = std::move(value);
      if (name_ == kMetadata) return !has_metadata_++ || stop("'__metadata__' is there twice");
      const auto [at, fresh] = entries.try_emplace(name_);
      entry_ = &at->second;
      return fresh || stop(fmt::format("array {} is there twice", in_quotes(name_)));
    }
    field_ = std::move(value);
    if (place_ == Place::entry && field_ != "dtype" && field_ != "shape" &&
        field_ != "data_offsets") {
      return stop(fmt::format("array {}: unknown field {}", in_quotes(name_), in_quotes(field_)));
    }
    return fields_.insert(field_).second || stop(field_name() + " is there twice");
  }
  bool end_object() {
    if (place_ == Place::entry && !(entry_->dtype && entry_->shape && entry_->offsets)) {
      return stop(fmt::format("array {} lacks its dtype, shape or data_offsets", in_quotes(name_)));
    }
    place_ = Place::root;
    return true;
  }
  bool start_array(std::size_t /*size*/) {
    if (place_ != Place::entry || field_ == "dtype") return unexpected("a list");
    place_ = Place::list;
    (field_ == "shape" ? entry_->shape : entry_->offsets).emplace();
    return true;
  }
  bool end_array() {
    if (field_ == "data_offsets" && list().size() != 2) {
      return stop(field_name() + ": two numbers are wanted");
    }
    place_ = Place::entry;
    return true;
  }
  bool parse_error(std::size_t at, const std::string& /*last*/, const nlohmann::json::exception&) {
    return stop(fmt::format("not JSON near byte {}", kLengthBytes + at));
  }

 private:
  enum class Place { before, root, metadata, entry, list };

  bool stop(std::string why) {
    problem = std::move(why);
    return false;
  }
  bool unexpected(const std::string& what) { return stop(field_name() + ": unexpected " + what); }
  std::string field_name() const {
    return place_ == Place::before || place_ == Place::root
               ? "header " + in_quotes(name_)
               : fmt::format("array {}, field {}", in_quotes(name_), in_quotes(field_));
  }
  std::vector<std::int64_t>& list() {
    return *(field_ == "shape" ? entry_->shape : entry_->offsets);
  }

  Place place_ = Place::before;
  std::string name_;   // of the array
  std::string field_;  // of the array or of the metadata
  std::set<std::string> fields_;
  Entry* entry_ = nullptr;
  int has_metadata_ = 0;
};

}  // namespace

std::size_t size_of(DType dtype) { return kKinds[static_cast<std::size_t>(dtype)].size; }
std::string_view name_of(DType dtype) { return kKinds[static_cast<std::size_t>(dtype)].name; }

void check_array(const std::string& name, DType dtype, const std::vector<std::int64_t>& shape,
                 std::size_t bytes) {
  GRADATIM_CHECK(name != kMetadata, ModelError, 3004, "an array cannot be called '{}'", name);
  GRADATIM_CHECK(!invalid_utf8(name), ModelError, 3004, "an array's name must be UTF-8; got {}",
                 in_quotes(name));
  const auto count = byte_count(dtype, shape);
  GRADATIM_CHECK(
      shape.size() <= kMostDimensions && count && static_cast<std::uint64_t>(*count) == bytes,
      ModelError, 3004, "array {}: shape {} of {} is not {} bytes", in_quotes(name),
      shape_text(shape), name_of(dtype), bytes);
}

void check_metadata(const std::string& key, const std::string& text) {
  GRADATIM_CHECK(!invalid_utf8(key) && !invalid_utf8(text), ModelError, 3004,
                 "metadata {} must be UTF-8", in_quotes(key));
}

void SafetensorsWriter::add_bytes(const std::string& name, DType dtype,
                                  std::vector<std::int64_t> shape, std::string bytes) {
  check_array(name, dtype, shape, bytes.size());
  const bool fresh =
      arrays_.try_emplace(name, Array{dtype, std::move(shape), std::move(bytes)}).second;
  GRADATIM_CHECK(fresh, ModelError, 3004, "array {} is added twice", in_quotes(name));
}

void SafetensorsWriter::set_metadata(const std::string& key, const std::string& text) {
  check_metadata(key, text);
  metadata_[key] = text;
}

std::vector<const SafetensorsWriter::Named*> SafetensorsWriter::in_order() const {
  std::vector<const Named*> order;
  for (const Named& named : arrays_) order.push_back(&named);
  std::stable_sort(order.begin(), order.end(), [](const Named* a, const Named* b) {
    return size_of(a->second.dtype) > size_of(b->second.dtype);
  });
  return order;
}

std::string safetensors_head(std::span<const ArrayHead> arrays,
                             const std::map<std::string, std::string>& metadata,
                             std::size_t alignment) {
  std::string header = "{";
  if (!metadata.empty()) {
    header += fmt::format("\"{}\":{}", kMetadata, nlohmann::json(metadata).dump());
  }
  std::size_t begin = 0;
  for (const ArrayHead& array : arrays) {
    const std::size_t end = begin + array.bytes;
    if (header.size() > 1) header += ',';
    header += fmt::format("{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}",
                          nlohmann::json(array.name).dump(), name_of(array.dtype),
                          fmt::join(array.shape, ","), begin, end);
    begin = end;
  }
  header += '}';
  const std::size_t whole = kLengthBytes + header.size() + alignment - 1;
  header.resize(whole / alignment * alignment - kLengthBytes, ' ');
  GRADATIM_CHECK(header.size() <= kMostHeader, ModelError, 3004,
                 "the header of names and metadata must be at most {} bytes; it has {}",
                 kMostHeader, header.size());
  const std::uint64_t length = header.size();
  std::string bytes(kLengthBytes, '\0');
  std::memcpy(bytes.data(), &length, kLengthBytes);
  return bytes + header;
}

std::string SafetensorsWriter::head(const std::vector<const Named*>& order) const {
  std::vector<ArrayHead> heads;
  for (const Named* named : order) {
    const Array& array = named->second;
    heads.push_back({named->first, array.dtype, array.shape, array.bytes.size()});
  }
  return safetensors_head(heads, metadata_);
}

std::string SafetensorsWriter::bytes() const {
  const auto order = in_order();
  std::string bytes = head(order);
  for (const Named* named : order) bytes += named->second.bytes;
  return bytes;
}

void SafetensorsWriter::write(const std::string& path) const {
  const auto order = in_order();
  const std::string start = head(order);
  std::vector<std::string_view> parts = {start};
  for (const Named* named : order) parts.emplace_back(named->second.bytes);
  write_atomically(path, parts);
}

SafetensorsFile::SafetensorsFile(const std::string& path) : source_(path) {
  const auto file = std::make_shared<MappedFile>(path);
  mapping_ = file;
  parse(file->bytes());
}
SafetensorsFile::SafetensorsFile(std::string_view bytes, std::string source)
    : source_(std::move(source)) {
  parse(bytes);
}
SafetensorsFile::~SafetensorsFile() = default;

void SafetensorsFile::parse(std::string_view bytes) {
  auto require = [&](bool good, auto&& reason) {
    GRADATIM_CHECK(good, ModelError, 3001, "'{}' is not a valid safetensors file: {}", source_,
                   reason());
  };
  require(bytes.size() >= kLengthBytes, [&] {
    return fmt::format("{} bytes are too few for the length of a header", bytes.size());
  });
  const std::uint64_t length = read_length(bytes);
  require(!bytes.starts_with("version https://git-lfs"),
          [] { return "it is git-lfs's pointer to the file; 'git lfs pull' fetches the file"; });
  require(length <= kMostHeader && length <= bytes.size() - kLengthBytes, [&] {
    return fmt::format("byte 0: a header of {} bytes in a file of {} (at most {})", length,
                       bytes.size(), kMostHeader);
  });
  const std::string_view header = bytes.substr(kLengthBytes, length);
  const std::string_view data = bytes.substr(kLengthBytes + length);
  require(!header.empty() && header.front() == '{',
          [&] { return fmt::format("byte {}: the header must begin with '{{'", kLengthBytes); });
  // The JSON parser takes a zero byte for the end and would let anything follow it.
  const auto bad = std::min(header.find('\0'), invalid_utf8(header).value_or(header.npos));
  require(bad == header.npos, [&] {
    return fmt::format("byte {}: the header must be UTF-8 text", kLengthBytes + bad);
  });

  HeaderReader reader;
  const bool parsed = nlohmann::json::sax_parse(header.begin(), header.end(), &reader);
  require(parsed, [&] { return reader.problem; });

  std::vector<const std::pair<const std::string, Entry>*> order;
  for (const auto& named : reader.entries) order.push_back(&named);
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return std::tie(*a->second.offsets, a->first) < std::tie(*b->second.offsets, b->first);
  });
  std::int64_t covered = 0;
  for (const auto* named : order) {
    const std::string& name = named->first;
    const Entry& entry = named->second;
    const std::int64_t begin = (*entry.offsets)[0];
    const std::int64_t end = (*entry.offsets)[1];
    require(begin == covered && end >= begin && end <= static_cast<std::int64_t>(data.size()), [&] {
      return fmt::format(
          "array {}: data_offsets [{}, {}] must begin at {}, where the array before ends, and end "
          "in the {} bytes of data",
          in_quotes(name), begin, end, covered, data.size());
    });
    const auto count = byte_count(*entry.dtype, *entry.shape);
    require(count == end - begin, [&] {
      return fmt::format("array {}: shape {} of {} is not {} bytes", in_quotes(name),
                         shape_text(*entry.shape), name_of(*entry.dtype), end - begin);
    });
    views_[name] = {*entry.dtype, *entry.shape,
                    data.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(*count))};
    covered = end;
  }
  require(static_cast<std::size_t>(covered) == data.size(), [&] {
    return fmt::format("byte {}: {} bytes after the last array",
                       kLengthBytes + length + static_cast<std::uint64_t>(covered),
                       data.size() - static_cast<std::size_t>(covered));
  });
  metadata_ = std::move(reader.metadata);
}

const SafetensorsFile::View& SafetensorsFile::view(const std::string& name) const {
  const auto at = views_.find(name);
  GRADATIM_CHECK(at != views_.end(), ModelError, 3002, "'{}' has no array {}", source_,
                 in_quotes(name));
  return at->second;
}

const SafetensorsFile::View& SafetensorsFile::checked(const std::string& name, DType dtype,
                                                      std::int64_t size) const {
  const View& found = view(name);
  GRADATIM_CHECK(found.dtype == dtype, ModelError, 3003,
                 "'{}': array {} must be {}; the file has {}", source_, in_quotes(name),
                 name_of(dtype), name_of(found.dtype));
  const auto elements = static_cast<std::int64_t>(found.bytes.size() / size_of(dtype));
  GRADATIM_CHECK(size < 0 || elements == size, ModelError, 3003,
                 "'{}': array {} must have {} elements; the file has {}", source_, in_quotes(name),
                 size, elements);
  return found;
}

std::string SafetensorsFile::metadata(const std::string& key) const {
  const auto at = metadata_.find(key);
  return at == metadata_.end() ? "" : at->second;
}

}  // namespace gradatim
