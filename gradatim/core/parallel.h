// Threads: one pool (oneTBB), sized by the caller, the container's CPU limit and the affinity mask.
//
// Block boundaries never depend on the number of threads, so results that are combined in block
// order do not either. Exceptions of a block are rethrown on the caller's thread.
//
// Fork is safe: a child of a process that has used the pool (Python's multiprocessing) has no
// worker threads and cannot start any, so everything runs serially there, with the same results.
// The child should leave by _exit, as multiprocessing does: exit runs oneTBB's own finalizer, which
// may wait for ever for a lock that a worker held at the fork.
#pragma once

#include <cstdint>
#include <functional>

namespace gradatim {

/// Processors that this process may really use: the smallest of the affinity mask and the cgroup
/// quota, rounded up; at least 1.
int available_threads();

/// `threads` threads for everything that runs inside the scope; 0 means available_threads(), and a
/// larger number is taken as asked. Scopes nest; the innermost counts.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int previous_;
};

/// The number of threads of the current scope; 1 inside a block, and in a forked child.
int current_threads();

/// Calls `f(begin, end)` over [0, count) in blocks of `grain` >= 1; a single block runs on the
/// caller.
void parallel_for(std::int64_t count, std::int64_t grain,
                  const std::function<void(std::int64_t begin, std::int64_t end)>& f);

/// Calls `f(task)` for task in [0, tasks), one at a time per thread, in no order.
void parallel_tasks(std::int64_t tasks, const std::function<void(std::int64_t task)>& f);

/// Asks running work to stop: the next check throws Interrupted. Safe in a signal handler.
void request_interrupt();
void clear_interrupt();
/// Throws Interrupted when it was asked for; called once a round or step, never in a row loop.
void check_interrupt();

}  // namespace gradatim
