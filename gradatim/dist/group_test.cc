// Every operation of a group of threads, alone(), and what is built on them.
#include "gradatim/dist/group.h"

#include <gtest/gtest.h>

#include <numeric>

#include "gradatim/core/error.h"
#include "gradatim/dist/collectives.h"
#include "gradatim/dist/ring.h"
#include "gradatim/dist/threads.h"

namespace gradatim::dist {
namespace {

template <class T>
std::vector<T> numbers_of(int rank, std::int64_t count) {
  std::vector<T> values(count);
  for (std::int64_t k = 0; k < count; ++k) values[k] = static_cast<T>((rank + 2) * (k % 17) + rank);
  return values;
}

TEST(Group, AllReduceAddsAndTakesTheLargest) {
  run_ranks(4, [](Group& group) {
    auto whole = numbers_of<std::int64_t>(group.rank(), 100);
    auto largest = numbers_of<double>(group.rank(), 100);
    group.all_reduce(std::span(whole), Reduction::sum);
    group.all_reduce(std::span(largest), Reduction::max);
    for (int k = 0; k < 100; ++k) {
      EXPECT_EQ(whole[k], (2 + 3 + 4 + 5) * (k % 17) + 6);
      EXPECT_EQ(largest[k], 5 * (k % 17) + 3);
    }
  });
}

TEST(Group, TheRingGivesWhatTheEngineGives) {
  for (const int ranks : {1, 2, 3, 4}) {
    for (const std::int64_t count : {0, 1, 3, 1000}) {
      run_ranks(ranks, [&](Group& group) {
        auto ring = numbers_of<float>(group.rank(), count), engine = ring;
        ring_all_reduce(group, std::span(ring));
        group.all_reduce(std::span(engine), Reduction::sum);
        EXPECT_EQ(ring, engine) << ranks << " ranks, " << count;  // small integers, so exact
      });
    }
  }
}

TEST(Group, ReduceScatterGivesEachRankItsPartOfTheSum) {
  run_ranks(3, [](Group& group) {
    const auto all = numbers_of<std::int64_t>(group.rank(), 10);
    const std::vector<std::int64_t> counts{5, 0, 5};
    std::vector<std::int64_t> mine(counts[group.rank()]);
    group.reduce_scatter(all, counts, mine);
    const int first = group.rank() == 0 ? 0 : 5;
    for (std::size_t k = 0; k < mine.size(); ++k) {
      EXPECT_EQ(mine[k], (2 + 3 + 4) * (first + static_cast<int>(k)) + 3);
    }
  });
}

TEST(Group, TextsOfAnyLengthAreGatheredInTheOrderOfRanks) {
  run_ranks(3, [](Group& group) {
    const std::string mine(group.rank() * 3, static_cast<char>('a' + group.rank()));
    EXPECT_EQ(gather(group, mine), (std::vector<std::string>{"", "bbb", "cccccc"}));
    EXPECT_EQ(from_first(group, group.rank() == 0 ? "first" : "x"), "first");
    const std::vector<int> some(group.rank(), group.rank());
    EXPECT_EQ(gather_values<int>(group, some), (std::vector{1, 2, 2}));
    EXPECT_EQ(sum_before(group, 10 + group.rank()), group.rank() == 0   ? 0
                                                    : group.rank() == 1 ? 10
                                                                        : 21);
  });
}

TEST(Group, SentBytesAreReceivedInOrder) {
  run_ranks(2, [](Group& group) {
    std::vector<std::int64_t> values{1, 2, 3};
    const auto bytes = std::as_writable_bytes(std::span(values));
    if (group.rank() == 0) {
      group.send(bytes.first(8), 1);
      group.send(bytes.last(16), 1);
    } else {
      values.assign(3, 0);
      group.receive(bytes.first(8), 0);
      group.receive(bytes.last(16), 0);
      EXPECT_EQ(values, (std::vector<std::int64_t>{1, 2, 3}));
    }
  });
}

TEST(Group, SeveralReductionsMayBeUnderWay) {
  run_ranks(2, [](Group& group) {
    std::vector<float> a{1.0F}, b{static_cast<float>(group.rank())};
    const auto first = group.start_all_reduce(std::span(a));
    const auto second = group.start_all_reduce(std::span(b));
    first->wait();
    second->wait();
    EXPECT_EQ(a[0], 2.0F);
    EXPECT_EQ(b[0], 1.0F);
  });
}

TEST(Group, ARankThatDiffersIsNamed) {
  try {
    run_ranks(3, [](Group& group) {
      require_equal(group, "setting", group.rank() == 2 ? "depth 7" : "depth 6");
    });
    FAIL();
  } catch (const DistributedError& error) {
    EXPECT_EQ(error.code(), 5004);
    EXPECT_NE(error.message().find("rank 2 has another setting than rank 0: depth 7, not depth 6"),
              std::string::npos)
        << error.what();
  }
}

TEST(Group, AnErrorOfOneRankEndsTheWorkOfAll) {
  std::vector<std::string> words(3);
  EXPECT_THROW(run_ranks(3,
                         [&](Group& group) {
                           try {
                             together(group, [&] {
                               if (group.rank() == 1) throw DataError(2021, "no target");
                             });
                           } catch (const Error& error) {
                             words[group.rank()] = error.message();
                             throw;
                           }
                         }),
               DataError);
  EXPECT_EQ(words[1], "no target");
  EXPECT_EQ(words[0], "rank 1 stopped: no target (GRD-2021)");
}

TEST(Group, ARankThatIsGoneEndsTheOperationsOfTheOthers) {
  std::string words;
  EXPECT_THROW(run_ranks(2,
                         [&](Group& group) {
                           if (group.rank() == 1) throw std::runtime_error("out of paper");
                           try {
                             group.barrier();
                           } catch (const DistributedError& error) {
                             words = error.message();
                             throw;
                           }
                         }),
               std::runtime_error);
  EXPECT_EQ(words, "rank 1 stopped: out of paper");
}

TEST(Group, ARankThatNeverComesIsNotWaitedForForEver) {
  EXPECT_THROW(run_ranks(
                   2,
                   [](Group& group) {
                     if (group.rank() == 0) group.barrier();
                   },
                   std::chrono::milliseconds(50)),
               DistributedError);
}

TEST(Group, AloneHasNobodyToAsk) {
  std::vector<std::int64_t> values{3, 4}, mine(2);
  alone().all_reduce(std::span(values), Reduction::sum);
  alone().reduce_scatter(values, std::vector<std::int64_t>{2}, mine);
  EXPECT_EQ(mine, (std::vector<std::int64_t>{3, 4}));
  EXPECT_EQ(gather(alone(), "me"), std::vector<std::string>{"me"});
}

}  // namespace
}  // namespace gradatim::dist
