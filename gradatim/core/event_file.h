// Event files: the logs that TensorBoard draws, scalars and pictures over steps.
//
// A file is a series of TFRecords (length, its checksum, data, its checksum), each an Event of
// TensorFlow's event.proto, written here by the wire format alone. A record is handed to the system
// whole as soon as it is made, so that a killed process loses none; numbering files by their order,
// not by time and host, makes equal runs write equal names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gradatim {

/// The Castagnoli checksum, 0xE3069283 of "123456789".
std::uint32_t crc32c(std::string_view bytes);

/// "FOLDER/events.out.tfevents.0000000001.gradatim", or the number above the greatest that the
/// folder has. TensorBoard reads the files of a folder in order of their names.
std::string next_event_file(const std::string& folder);

/// A whole PNG file and what it holds.
struct EncodedImage {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 1;  // 1 grey, 3 RGB
  std::string_view png;
};

class EventFile {
 public:
  /// Makes the file, which must not be there yet, and notes that a session starts at `step`:
  /// TensorBoard then forgets what an earlier file of the folder said of that step and later ones,
  /// as it should after a resumed run. Times are seconds since 1970. GRD-2002.
  EventFile(std::string path, double wall_time, std::int64_t step = 0);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  const std::string& path() const { return path_; }
  /// GRD-1154 for an empty tag, GRD-2002 where the disk is full.
  void scalar(std::string_view tag, std::int64_t step, double value, double wall_time);
  void image(std::string_view tag, std::int64_t step, const EncodedImage& image, double wall_time);

 private:
  void write_record(std::string_view event);

  std::string path_;
  int file_ = -1;
};

}  // namespace gradatim
