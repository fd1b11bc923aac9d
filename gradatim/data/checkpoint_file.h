// CheckpointFile: the one file of a fit that can go on, DIR/checkpoint.safetensors, written
// atomically. What is in it is the fit's business; whom it belongs to, when it is written and what
// a killed process left behind is the same for all.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "gradatim/core/safetensors.h"

namespace gradatim::data {

/// What two fits must have in common to share a checkpoint: (what, its text), in order.
using Identity = std::vector<std::pair<std::string, std::string>>;

class CheckpointFile {
 public:
  /// Makes the folder; an empty name stands for no checkpoint. DataError GRD-2002 where the folder
  /// cannot be used.
  CheckpointFile(const std::string& folder, double seconds);

  bool wanted() const { return !path_.empty(); }
  const std::string& path() const { return path_; }

  /// Hands what the folder holds to `read`; false where it holds nothing. UsageError GRD-1035 where
  /// it belongs to another fit, ModelError GRD-3011 where it is damaged.
  using Read = std::function<void(const SafetensorsFile& file, const nlohmann::json& state)>;
  bool load(const Identity& identity, const Read& read) const;

  /// So many seconds after the last one, and fifty times as long as that took, so that checkpoints
  /// cost less than a fiftieth of the fit.
  bool due() const;
  void write(const Identity& identity, nlohmann::json state, SafetensorsWriter& file);

 private:
  std::string path_;
  bool there_ = false;  // whether the folder holds one already
  double seconds_;
  double written_ = 0.0;  // when
  double cost_ = 0.0;     // of the last one, in seconds
};

}  // namespace gradatim::data
