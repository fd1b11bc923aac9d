// safetensors: the one file format of everything that gradatim saves.
//
// Eight bytes with the length of a JSON header, the header ({"name": {"dtype", "shape",
// "data_offsets"}, "__metadata__": {...}}), then the arrays, little-endian, back to back. Every
// offset, shape and dtype is checked before an array is handed out; nothing in a file can run code.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gradatim {

static_assert(std::endian::native == std::endian::little, "arrays are copied as they lie in files");

/// Element types by the format's names (BOOL, U8, I8, ...); no others are read or written.
enum class DType { boolean, u8, i8, u16, i16, f16, bf16, u32, i32, f32, u64, i64, f64 };
std::size_t size_of(DType dtype);
/// The format's name, such as "F32".
std::string_view name_of(DType dtype);

/// The element type of std::uint8_t to std::uint64_t, std::int8_t to std::int64_t, float, double.
template <class T>
constexpr DType dtype_of() {
  constexpr bool kSigned = std::is_signed_v<T>;
  if constexpr (std::is_floating_point_v<T>) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "not an element type");
    return sizeof(T) == 4 ? DType::f32 : DType::f64;
  } else {
    static_assert(std::is_integral_v<T> && !std::is_same_v<T, bool>, "not an element type");
    if constexpr (sizeof(T) == 1) return kSigned ? DType::i8 : DType::u8;
    if constexpr (sizeof(T) == 2) return kSigned ? DType::i16 : DType::u16;
    if constexpr (sizeof(T) == 4) return kSigned ? DType::i32 : DType::u32;
    if constexpr (sizeof(T) == 8) return kSigned ? DType::i64 : DType::u64;
  }
}

/// Collects arrays, then writes them all at once. ModelError GRD-3004 where something cannot be
/// written so that it reads back: a name given twice, a shape of another size than the elements,
/// text that is not UTF-8, a header above the format's 100 MB.
class SafetensorsWriter {
 public:
  /// Copies the elements. Without a shape: one dimension of as many elements.
  template <class T>
  void add(const std::string& name, std::span<const T> elements,
           std::vector<std::int64_t> shape = {}) {
    if (shape.empty()) shape = {static_cast<std::int64_t>(elements.size())};
    std::string bytes(elements.size_bytes(), '\0');
    if (!elements.empty()) std::memcpy(bytes.data(), elements.data(), bytes.size());
    add_bytes(name, dtype_of<T>(), std::move(shape), std::move(bytes));
  }
  /// An empty shape is a scalar here.
  void add_bytes(const std::string& name, DType dtype, std::vector<std::int64_t> shape,
                 std::string bytes);
  /// A text of the header's metadata.
  void set_metadata(const std::string& key, const std::string& text);
  /// The whole file: arrays from the largest element size to the smallest, then by name, so that
  /// equal content is equal bytes and every array is aligned.
  std::string bytes() const;
  /// Atomically (core/file.h).
  void write(const std::string& path) const;

 private:
  struct Array {
    DType dtype;
    std::vector<std::int64_t> shape;
    std::string bytes;
  };
  using Named = std::map<std::string, Array>::value_type;
  std::vector<const Named*> in_order() const;
  std::string head(const std::vector<const Named*>& order) const;

  std::map<std::string, Array> arrays_;
  std::map<std::string, std::string> metadata_;
};

/// A file's arrays, through a memory map. ModelError GRD-3001 (not a safetensors file, with the
/// reason and the byte), GRD-3002 (no such array), GRD-3003 (another dtype or size than asked for).
/// Stricter than the format in one point: at most 64 dimensions, whose product without the zeros
/// times the element size fits an int64, so that no later product of a shape can overflow.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::string& path);
  /// Over bytes that the caller keeps; `source` names them in messages.
  SafetensorsFile(std::string_view bytes, std::string source);
  ~SafetensorsFile();
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;

  struct View {
    DType dtype;
    std::vector<std::int64_t> shape;
    std::string_view bytes;
  };
  const std::string& source() const { return source_; }
  const std::map<std::string, View>& arrays() const { return views_; }
  bool has(const std::string& name) const { return views_.count(name) != 0; }
  const View& view(const std::string& name) const;
  /// The elements, copied (which also makes them aligned); the dtype must be T's, and their number
  /// `size` where that is not negative.
  template <class T>
  std::vector<T> read(const std::string& name, std::int64_t size = -1) const {
    const std::string_view bytes = checked(name, dtype_of<T>(), size).bytes;
    std::vector<T> elements(bytes.size() / sizeof(T));
    if (!bytes.empty()) std::memcpy(elements.data(), bytes.data(), bytes.size());
    return elements;
  }
  /// A text of the metadata, or empty.
  std::string metadata(const std::string& key) const;

 private:
  void parse(std::string_view bytes);
  const View& checked(const std::string& name, DType dtype, std::int64_t size) const;

  std::string source_;
  std::shared_ptr<const void> mapping_;
  std::map<std::string, View> views_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace gradatim
