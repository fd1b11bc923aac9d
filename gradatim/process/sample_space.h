// SampleSpace: what the samples of a model look like that are drawn, or judged, by it.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace gradatim::process {

/// Rows [first, first + count).
struct RowRange {
  std::int64_t first = 0, count = 0;
};

class SampleSpace {
 public:
  virtual ~SampleSpace() = default;
  /// Of one sample: {dims}, or {channels, height, width}.
  virtual std::span<const std::int64_t> shape() const = 0;
  /// Words for the labels 0, 1, ...; empty where it knows none.
  virtual std::span<const std::string> classes() const = 0;
  /// Names of the numbers of a row, or empty.
  virtual std::span<const std::string> columns() const = 0;
  /// Whether samples are images of bytes.
  virtual bool holds_bytes() const = 0;
};

/// Numbers of an array of that shape.
inline std::int64_t extents_of(std::span<const std::int64_t> shape) {
  std::int64_t numbers = 1;
  for (const std::int64_t extent : shape) numbers *= extent;
  return numbers;
}

/// Numbers of one sample.
inline std::int64_t dims_of(const SampleSpace& space) { return extents_of(space.shape()); }

}  // namespace gradatim::process
