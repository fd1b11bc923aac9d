// SharedObserver: one observer of work that several threads do in equal parts of many steps. It is
// told on the thread that made it, the caller's, as observers are; steps of all threads count.
#pragma once

#include <atomic>
#include <thread>

#include "gradatim/core/observer.h"

namespace gradatim {

class SharedObserver final : public Observer {
 public:
  SharedObserver(Observer& observer, std::int64_t parts) : observer_(observer), parts_(parts) {}

  void on_step(const StepDone& step) override {
    const std::int64_t done = ++done_;
    if (std::this_thread::get_id() != caller_) return;
    observer_.on_step({.step = done, .steps = parts_ * step.steps, .seconds = step.seconds});
  }

 private:
  Observer& observer_;
  std::int64_t parts_;
  std::atomic<std::int64_t> done_ = 0;
  std::thread::id caller_ = std::this_thread::get_id();
};

}  // namespace gradatim
