// Meeting: the ranks find each other at the store, and find out there who is gone.
//
//  1. Each rank writes who it is; rank 0 waits for all, compares, and says that the work begins.
//  2. A thread of each rank waits at the store, at no cost, to be called.
//  3. A rank whose operation broke calls the roll: who does not answer is gone. The first text that
//     any rank finds is what all of them report. A rank that stops by itself leaves its words
//     there.
//
// Asking is done by threads that nobody waits for longer than is promised, since the store itself
// may be what hangs.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "gradatim/neural/dist/store.h"

namespace gradatim::neural {

class Meeting {
 public:
  /// Returns when all ranks are there. Errors are those of join().
  explicit Meeting(const dist::Launch& launch);
  Meeting(const Meeting&) = delete;
  Meeting& operator=(const Meeting&) = delete;
  ~Meeting();

  const dist::Launch& launch() const;
  c10::intrusive_ptr<c10d::Store> store() const;
  /// The address that the others reach this machine by.
  std::string own_address() const;
  /// How long the engine waits, so that time is left to find out why nothing came.
  std::chrono::milliseconds engine_timeout() const;

  /// Counts an operation. DistributedError GRD-5003 where it is known that a rank has stopped.
  void begun();
  /// Why an operation broke, after it waited so long: the engine's own words are told where nobody
  /// knows better.
  std::string why_broken(const std::string& engine, std::chrono::milliseconds waited);
  void fail(const std::string& why) noexcept;
  /// At the end: waits, but not for long, until all ranks are done with their last operation. False
  /// where the group broke.
  bool part() noexcept;

  struct State;

 private:
  std::shared_ptr<State> state_;
  std::thread watcher_;
};

}  // namespace gradatim::neural
