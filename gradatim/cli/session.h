// What the common options ask for, in force as long as the Session lives.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "gradatim/cli/cli.h"
#include "gradatim/cli/progress.h"
#include "gradatim/core/parallel.h"
#include "gradatim/dist/group.h"

namespace gradatim::cli {

class Session {
 public:
  /// `unit` is what the verb's progress counts ("round"). Joins the group of a verb that may run in
  /// several processes; only its rank 0 then tells of its progress.
  Session(const Arguments& arguments, std::string_view unit);

  /// Null where this process is by itself.
  const std::shared_ptr<dist::Group>& group() const { return group_; }
  std::uint64_t seed() const { return seed_; }
  /// Where networks compute.
  const std::string& device() const { return device_; }
  /// UsageError GRD-1163 where one was named and there is no network to compute on it.
  void check_no_device(std::string_view why = "networks compute, and there is none here") const;
  Progress& progress() { return progress_; }

 private:
  ThreadScope threads_;
  std::shared_ptr<dist::Group> group_;
  std::uint64_t seed_;
  std::string device_;
  Progress progress_;
};

/// GRD-2002 now rather than after an hour of work: `path` is a folder, or lies in a folder that is
/// not there or may not be written.
void check_writable(const std::string& path);
/// Atomically, or where `out` is "-" to stdout, wherever that leads.
void write_result(const std::string& out, std::string_view bytes);

}  // namespace gradatim::cli
