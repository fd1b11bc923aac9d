#include "gradatim/core/parallel.h"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "gradatim/core/error.h"
#include "gradatim/core/stop_scope.h"

namespace gradatim {
namespace {

// cgroup v2: the tightest "quota period" of this process's group and its parents. v1: one pair.
double cgroup_limit() {
  double limit = 1e9;
  std::ifstream self("/proc/self/cgroup");
  std::string line;
  while (std::getline(self, line)) {
    if (line.rfind("0::", 0) != 0) continue;
    std::string group = line.substr(3);
    while (true) {
      std::ifstream file("/sys/fs/cgroup" + group + "/cpu.max");
      std::string quota;
      double period = 0.0;
      if (file >> quota >> period && quota != "max" && period > 0.0) {
        limit = std::min(limit, std::atof(quota.c_str()) / period);
      }
      const auto slash = group.rfind('/');
      if (group.empty() || slash == std::string::npos) break;
      group.resize(slash);
    }
  }
  double quota = -1.0;
  double period = 0.0;
  std::ifstream quota_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream period_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  if (quota_file >> quota && period_file >> period && quota > 0.0 && period > 0.0) {
    limit = std::min(limit, quota / period);
  }
  return limit;
}

constexpr int kMostThreads = 1024;
thread_local int scope_threads = 0;
thread_local const std::atomic<bool>* stop_flag = nullptr;
std::atomic<bool> interrupt_requested{false};
std::atomic<bool> pool_lost{false};  // this process was forked from one that had started the pool

// Arenas are kept: making one costs more than a small fit. They are never destroyed, since nobody
// would answer in a forked child. Before the first one, the process asks to be told of forks.
class Pool {
 public:
  static Pool& get() {
    static Pool& pool = *new Pool;
    return pool;
  }
  tbb::task_arena& arena(int threads) {
    const std::lock_guard lock(mutex_);
    if (threads > allowed_) {
      // By itself oneTBB starts no more threads than there are processors.
      allowed_ = threads;
      limit_.emplace(tbb::global_control::max_allowed_parallelism,
                     static_cast<std::size_t>(allowed_));
    }
    auto& slot = arenas_[threads];
    if (!slot) slot = std::make_unique<tbb::task_arena>(threads);
    return *slot;
  }

 private:
  Pool() : allowed_(tbb::info::default_concurrency()) {
    pthread_atfork(nullptr, nullptr, [] { pool_lost.store(true, std::memory_order_relaxed); });
  }

  std::mutex mutex_;
  int allowed_;
  std::optional<tbb::global_control> limit_;
  std::map<int, std::unique_ptr<tbb::task_arena>> arenas_;
};

}  // namespace

int available_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int affinity = tbb::info::default_concurrency();
  if (sched_getaffinity(0, sizeof(set), &set) == 0) affinity = CPU_COUNT(&set);
  const double limit = std::ceil(cgroup_limit());
  return std::max(1, static_cast<int>(std::min<double>(affinity, limit)));
}

ThreadScope::ThreadScope(int threads) : previous_(scope_threads) {
  scope_threads = threads > 0 ? std::min(threads, kMostThreads) : available_threads();
}
ThreadScope::~ThreadScope() { scope_threads = previous_; }

int current_threads() {
  if (pool_lost.load(std::memory_order_relaxed)) return 1;
  if (scope_threads == 0) scope_threads = available_threads();
  return scope_threads;
}

void parallel_for(std::int64_t count, std::int64_t grain,
                  const std::function<void(std::int64_t, std::int64_t)>& f) {
  if (count <= 0) return;
  const std::int64_t blocks = (count + grain - 1) / grain;
  parallel_tasks(
      blocks, [&](std::int64_t block) { f(block * grain, std::min(count, (block + 1) * grain)); });
}

void parallel_tasks(std::int64_t tasks, const std::function<void(std::int64_t)>& f) {
  const int threads = current_threads();
  if (tasks <= 1 || threads == 1) {
    for (std::int64_t task = 0; task < tasks; ++task) f(task);
    return;
  }
  Pool::get().arena(threads).execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<std::int64_t>(0, tasks, 1),
        [&](const tbb::blocked_range<std::int64_t>& range) {
          // Work inside a block runs on its own thread: no nested pools.
          const ThreadScope serial(1);
          for (std::int64_t task = range.begin(); task != range.end(); ++task) f(task);
        },
        tbb::simple_partitioner());
  });
}

void request_interrupt() { interrupt_requested.store(true, std::memory_order_relaxed); }
void clear_interrupt() { interrupt_requested.store(false, std::memory_order_relaxed); }
void check_interrupt() {
  if (interrupt_requested.load(std::memory_order_relaxed)) {
    clear_interrupt();
    throw Interrupted();
  }
  if (stop_flag != nullptr && stop_flag->load(std::memory_order_relaxed)) throw Interrupted();
}

StopScope::StopScope(const std::atomic<bool>& stopped) : before_(stop_flag) {
  stop_flag = &stopped;
}
StopScope::~StopScope() { stop_flag = before_; }

}  // namespace gradatim
