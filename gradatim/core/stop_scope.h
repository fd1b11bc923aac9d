// StopScope: work of this thread that nobody may want any more.
#pragma once

#include <atomic>

namespace gradatim {

/// While it lives, check_interrupt() (core/parallel.h) on this thread throws Interrupted where
/// `stopped` is set, too.
class StopScope {
 public:
  explicit StopScope(const std::atomic<bool>& stopped);
  ~StopScope();
  StopScope(const StopScope&) = delete;
  StopScope& operator=(const StopScope&) = delete;

 private:
  const std::atomic<bool>* before_;
};

}  // namespace gradatim
