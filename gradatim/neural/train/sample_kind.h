// SampleKind: what the samples look like that a network learned from; the model file keeps it
// beside its card.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradatim/core/safetensors.h"
#include "gradatim/data/samples.h"
#include "gradatim/neural/network.h"
#include "gradatim/process/path.h"

namespace gradatim::neural {

struct SampleKind {
  std::vector<std::int64_t> shape;  // {dims}, or {channels, height, width}
  std::vector<std::string> classes, columns;
  bool bytes = false, source = false;
  bool captions = false;                // whether they came with captions, which stand for labels
  std::vector<std::string> given = {};  // names of the numbers that each sample is given

  static SampleKind of(const data::Samples& samples);
  std::int64_t dims() const;
  /// DataError GRD-2090 where samples have another shape.
  void check(const data::Samples& samples) const;

  /// Where the samples' classes are among these. DataError GRD-2026 for one that is not.
  std::vector<std::int64_t> places_of(const data::Samples& samples) const;

  void store(SafetensorsWriter& file) const;
  /// ModelError GRD-3006 where it is damaged.
  static SampleKind load(const SafetensorsFile& file);
};

/// What a network for these samples is to fit: neither labels nor scores yet.
NetworkShape network_shape(const SampleKind& kind, const process::Path& path, std::uint64_t seed);

}  // namespace gradatim::neural
