// Ahead: makes the next item on a thread of its own while the caller works on this one.
//
// Items are pure functions of their number, so nothing depends on how far ahead the thread is. An
// exception of an item is thrown by the next() that would have given it. The thread uses one
// processor: what it calls of core/parallel.h runs serially. An item in the making that nobody will
// take ends at its next check_interrupt().
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "gradatim/core/parallel.h"
#include "gradatim/core/stop_scope.h"

namespace gradatim {

template <class T>
class Ahead {
 public:
  /// Items number first, first + 1, ..., last - 1.
  Ahead(std::function<T(std::int64_t)> make, std::int64_t first, std::int64_t last)
      : make_(std::move(make)), thread_([this, first, last] { work(first, last); }) {}
  ~Ahead() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;

  T next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return item_ || failure_; });
    if (!item_) std::rethrow_exception(failure_);
    T item = std::move(*item_);
    item_.reset();
    lock.unlock();
    changed_.notify_all();
    return item;
  }

 private:
  void work(std::int64_t first, std::int64_t last) {
    const ThreadScope serial(1);
    const StopScope unwanted(stopped_);
    try {
      for (std::int64_t number = first; number < last; ++number) {
        T made = make_(number);
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !item_ || stopped_; });
        if (stopped_) return;
        item_ = std::move(made);
        lock.unlock();
        changed_.notify_all();
      }
    } catch (...) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !item_ || stopped_; });
      failure_ = std::current_exception();
      lock.unlock();
      changed_.notify_all();
    }
  }

  std::function<T(std::int64_t)> make_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<T> item_;
  std::exception_ptr failure_;
  std::atomic<bool> stopped_ = false;
  std::thread thread_;
};

}  // namespace gradatim
