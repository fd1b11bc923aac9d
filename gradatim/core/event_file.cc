#include "gradatim/core/event_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim {
namespace {

constexpr std::string_view kPrefix = "events.out.tfevents.";
constexpr std::string_view kSuffix = ".gradatim";

constexpr std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
    table[i] = crc;
  }
  return table;
}

// TFRecords keep checksums turned and shifted, since data may hold checksums itself.
std::uint32_t masked_crc(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xA282EAD8U;
}

template <class T>
void put(std::string& out, T value) {  // little-endian, as every machine that builds this
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

// A protocol buffer: fields of a number and a value, in four kinds.
class Message {
 public:
  Message& whole(std::uint32_t field, std::int64_t value) {
    key(field, 0);
    varint(static_cast<std::uint64_t>(value));
    return *this;
  }
  Message& real64(std::uint32_t field, double value) {
    key(field, 1);
    put(bytes_, value);
    return *this;
  }
  Message& real32(std::uint32_t field, float value) {
    key(field, 5);
    put(bytes_, value);
    return *this;
  }
  Message& text(std::uint32_t field, std::string_view value) {  // strings, bytes and messages
    key(field, 2);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void key(std::uint32_t field, std::uint32_t kind) { varint(field << 3 | kind); }
  void varint(std::uint64_t value) {
    for (; value >= 128; value >>= 7) bytes_ += static_cast<char>(value | 128);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

// Event: wall_time 1, step 2, file_version 3, summary 5, session_log 7.
Message event(std::int64_t step, double wall_time) {
  return std::move(Message().real64(1, wall_time).whole(2, step));
}

// Summary: value 1, of which tag 1, simple_value 2, image 4.
Message summary_value(std::string_view tag) {
  GRADATIM_CHECK(!tag.empty(), UsageError, 1154,
                 "what is logged needs a tag, but it is empty; name it, as in 'loss'");
  return std::move(Message().text(1, tag));
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = crc_table();
  std::uint32_t crc = ~0U;
  for (const char c : bytes) crc = crc >> 8 ^ kTable[(crc ^ static_cast<unsigned char>(c)) & 255U];
  return ~crc;
}

std::string next_event_file(const std::string& folder) {
  long long last = 0;
  std::error_code error;
  std::filesystem::directory_iterator at(folder, error);
  for (const std::filesystem::directory_iterator end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    const std::string_view rest = std::string_view(name).substr(kPrefix.size());
    last = std::max(last, parse_integer(rest.substr(0, rest.find('.'))).value_or(0));
  }
  return (std::filesystem::path(folder) / fmt::format("{}{:010}{}", kPrefix, last + 1, kSuffix))
      .string();
}

EventFile::EventFile(std::string path, double wall_time, std::int64_t step)
    : path_(std::move(path)),
      file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666)) {
  GRADATIM_CHECK(file_ >= 0, DataError, 2002, "cannot write '{}': {}", path_, std::strerror(errno));
  try {
    write_record(Message().real64(1, wall_time).text(3, "brain.Event:2").bytes());
    const Message start = std::move(Message().whole(1, 1));  // SessionLog: status 1 is START
    write_record(event(step, wall_time).text(7, start.bytes()).bytes());
  } catch (...) {  // a constructor that throws has no destructor
    ::close(file_);
    throw;
  }
}

EventFile::~EventFile() { ::close(file_); }

void EventFile::scalar(std::string_view tag, std::int64_t step, double value, double wall_time) {
  const Message entry = std::move(summary_value(tag).real32(2, static_cast<float>(value)));
  const Message summary = std::move(Message().text(1, entry.bytes()));
  write_record(event(step, wall_time).text(5, summary.bytes()).bytes());
}

void EventFile::image(std::string_view tag, std::int64_t step, const EncodedImage& image,
                      double wall_time) {
  GRADATIM_CHECK(image.height > 0 && image.width > 0 && !image.png.empty(), UsageError, 1154,
                 "the picture '{}' has {} x {} pixels in {} bytes; give its size and its PNG file",
                 tag, image.width, image.height, image.png.size());
  const Message picture = std::move(Message()
                                        .whole(1, image.height)
                                        .whole(2, image.width)
                                        .whole(3, image.channels)
                                        .text(4, image.png));
  const Message entry = std::move(summary_value(tag).text(4, picture.bytes()));
  const Message summary = std::move(Message().text(1, entry.bytes()));
  write_record(event(step, wall_time).text(5, summary.bytes()).bytes());
}

void EventFile::write_record(std::string_view event) {
  std::string record;
  put(record, std::uint64_t{event.size()});
  put(record, masked_crc(record));
  record += event;
  put(record, masked_crc(event));
  for (std::string_view rest = record; !rest.empty();) {
    const ssize_t written = ::write(file_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    GRADATIM_CHECK(written >= 0, DataError, 2002, "cannot write '{}': {}", path_,
                   std::strerror(errno));
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace gradatim
