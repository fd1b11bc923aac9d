// SharedObserver: one observer of work that several threads do in equal parts of many steps. It is
// told on the thread that made it, the caller's, as observers are, after each step that this thread
// makes and at the end; steps of all threads count. Nothing but steps is told.
#pragma once

#include <algorithm>
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
    last_ = {.step = 0, .steps = parts_ * step.steps, .seconds = step.seconds};
    last_.step = std::min(done, last_.steps);
    observer_.on_step(last_);
  }

  /// Behind the work: tells the last step if nobody has.
  void finish() {
    if (last_.step == last_.steps) return;
    last_.step = last_.steps;
    observer_.on_step(last_);
  }

 private:
  Observer& observer_;
  std::int64_t parts_;
  StepDone last_;  // that was told
  std::atomic<std::int64_t> done_ = 0;
  std::thread::id caller_ = std::this_thread::get_id();
};

}  // namespace gradatim
