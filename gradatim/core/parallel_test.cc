#include "gradatim/core/parallel.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <csignal>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gradatim/core/error.h"

namespace gradatim {
namespace {

using Blocks = std::multiset<std::pair<std::int64_t, std::int64_t>>;

Blocks blocks_of(int threads, std::int64_t count, std::int64_t grain) {
  const ThreadScope scope(threads);
  std::mutex mutex;
  Blocks blocks;
  parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
    const std::lock_guard lock(mutex);
    blocks.emplace(begin, end);
  });
  return blocks;
}

TEST(ParallelFor, BlockBoundariesDoNotDependOnThreads) {
  const Blocks expected = {{0, 3}, {3, 6}, {6, 9}, {9, 10}};
  for (const int threads : {1, 2, 4}) EXPECT_EQ(blocks_of(threads, 10, 3), expected) << threads;
  for (const std::int64_t count : {1, 2, 999, 1000, 1001}) {
    const Blocks serial = blocks_of(1, count, 10);
    EXPECT_EQ(blocks_of(2, count, 10), serial);
    EXPECT_EQ(blocks_of(4, count, 10), serial);
  }
}

TEST(ParallelFor, NothingIsCalledForAnEmptyRange) {
  EXPECT_TRUE(blocks_of(4, 0, 3).empty());
  EXPECT_TRUE(blocks_of(4, -1, 3).empty());
}

TEST(ParallelFor, ASingleBlockRunsOnTheCaller) {
  const ThreadScope scope(4);
  std::thread::id ran;
  parallel_for(5, 5, [&](std::int64_t, std::int64_t) { ran = std::this_thread::get_id(); });
  EXPECT_EQ(ran, std::this_thread::get_id());
}

TEST(ParallelTasks, EveryTaskRunsOnce) {
  for (const int threads : {1, 2, 4}) {
    const ThreadScope scope(threads);
    std::vector<std::atomic<int>> runs(1000);
    parallel_tasks(1000, [&](std::int64_t task) { ++runs[static_cast<std::size_t>(task)]; });
    for (const auto& count : runs) ASSERT_EQ(count, 1);
  }
}

TEST(ParallelTasks, OneThreadRunsInOrderOnTheCaller) {
  const ThreadScope scope(1);
  std::vector<std::int64_t> order;
  parallel_tasks(4, [&](std::int64_t task) { order.push_back(task); });
  EXPECT_EQ(order, (std::vector<std::int64_t>{0, 1, 2, 3}));
}

TEST(ParallelTasks, AsManyThreadsRunAsWereAsked) {
  // Four tasks that wait for each other end only where four threads run, however few processors.
  const ThreadScope scope(4);
  std::barrier meeting(4);
  std::atomic<int> met{0};
  parallel_tasks(4, [&](std::int64_t) {
    meeting.arrive_and_wait();
    ++met;
  });
  EXPECT_EQ(met, 4);
}

TEST(ParallelTasks, AnExceptionReachesTheCaller) {
  for (const int threads : {1, 2, 4}) {
    const ThreadScope scope(threads);
    try {
      parallel_tasks(100, [](std::int64_t task) {
        if (task == 57) throw DataError(2001, "task 57");
      });
      FAIL() << threads;
    } catch (const DataError& error) {
      EXPECT_EQ(error.message(), "task 57");
    }
    EXPECT_EQ(current_threads(), threads);
    std::atomic<int> done{0};
    parallel_tasks(100, [&](std::int64_t) { ++done; });
    EXPECT_EQ(done, 100) << "the pool works after an exception";
  }
}

TEST(ParallelTasks, NestedCallsRunOnTheirOwnThread) {
  const ThreadScope scope(4);
  std::atomic<int> inner{0};
  std::atomic<int> strangers{0};
  parallel_tasks(8, [&](std::int64_t) {
    const auto self = std::this_thread::get_id();
    if (current_threads() != 1) ++strangers;
    parallel_for(100, 10, [&](std::int64_t begin, std::int64_t end) {
      if (std::this_thread::get_id() != self) ++strangers;
      inner += static_cast<int>(end - begin);
    });
  });
  EXPECT_EQ(inner, 800);
  EXPECT_EQ(strangers, 0);
  EXPECT_EQ(current_threads(), 4) << "the caller's scope is as it was";
}

TEST(ThreadScope, TheInnermostCounts) {
  const ThreadScope outer(3);
  EXPECT_EQ(current_threads(), 3);
  {
    const ThreadScope inner(2);
    EXPECT_EQ(current_threads(), 2);
  }
  EXPECT_EQ(current_threads(), 3);
  const ThreadScope automatic(0);
  EXPECT_EQ(current_threads(), available_threads());
}

TEST(AvailableThreads, AreAtLeastOneAndAtMostTheAffinityMask) {
  cpu_set_t set;
  ASSERT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
  EXPECT_GE(available_threads(), 1);
  EXPECT_LE(available_threads(), CPU_COUNT(&set));
}

TEST(AvailableThreads, FollowTheAffinityMask) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  int first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  const int threads = available_threads();
  ASSERT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
  EXPECT_EQ(threads, 1);
}

TEST(Interrupt, IsThrownOnceAndReachesTheCallerOfAParallelLoop) {
  clear_interrupt();
  EXPECT_NO_THROW(check_interrupt());
  request_interrupt();
  EXPECT_THROW(check_interrupt(), Interrupted);
  EXPECT_NO_THROW(check_interrupt());
  request_interrupt();
  clear_interrupt();
  EXPECT_NO_THROW(check_interrupt());

  const ThreadScope scope(4);
  request_interrupt();
  EXPECT_THROW(parallel_tasks(100, [](std::int64_t) { check_interrupt(); }), Interrupted);
  EXPECT_NO_THROW(check_interrupt());
}

TEST(Interrupt, MayBeRequestedFromASignalHandler) {
  clear_interrupt();
  const auto before = std::signal(SIGUSR1, [](int) { request_interrupt(); });
  std::raise(SIGUSR1);
  std::signal(SIGUSR1, before);
  EXPECT_THROW(check_interrupt(), Interrupted);
}

// Runs `body` in a forked child, which must return true and end within its alarm.
void expect_in_child(bool (*body)()) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::alarm(60);              // a child that waits for lost threads is killed, and the test fails
    ::_exit(body() ? 0 : 1);  // as multiprocessing does: see parallel.h
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Fork, AChildOfAProcessThatUsedThePoolRunsSerially) {
  const ThreadScope scope(4);
  std::atomic<int> parent{0};
  parallel_tasks(100, [&](std::int64_t) { ++parent; });
  ASSERT_EQ(parent, 100);
  expect_in_child([] {
    const ThreadScope inside(4);
    const auto self = std::this_thread::get_id();
    int done = 0;
    bool same = true;
    parallel_tasks(100, [&](std::int64_t) {
      ++done;
      same = same && std::this_thread::get_id() == self;
    });
    return done == 100 && same && current_threads() == 1;
  });
  parallel_tasks(100, [&](std::int64_t) { ++parent; });
  EXPECT_EQ(parent, 200) << "the parent keeps its pool";
  EXPECT_EQ(current_threads(), 4);
}

TEST(Fork, AChildOfABusyParentRunsSerially) {
  const ThreadScope scope(4);
  // Forks while other tasks of the pool wait: their threads do not exist in the child.
  std::barrier meeting(4);
  parallel_tasks(4, [&](std::int64_t task) {
    meeting.arrive_and_wait();
    if (task == 0) {
      expect_in_child([] {
        int done = 0;
        parallel_for(100, 1, [&](std::int64_t, std::int64_t) { ++done; });
        return done == 100;
      });
    }
    meeting.arrive_and_wait();
  });
}

}  // namespace
}  // namespace gradatim
