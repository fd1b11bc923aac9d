// Promise 1 over ranks: the same bytes for any number of them, however the rows are dealt.
#include <gtest/gtest.h>

#include <memory>
#include <numeric>

#include "gradatim/boost/ensemble/every_fit_test.h"
#include "gradatim/core/parallel.h"
#include "gradatim/dist/threads.h"

namespace gradatim::boost {
namespace {

using namespace testing;

std::string bytes_of(const Case& c) {
  const ThreadScope scope(1);
  return fit(c.model, c.options, c.request)->bytes();
}

// Part r of a table cut unevenly: the first part is the largest, the last may be empty.
data::Table part(const data::Table& table, int rank, int ranks) {
  const auto cut = [&](int r) {
    const double share = 1.0 - std::pow(1.0 - static_cast<double>(r) / ranks, 1.5);
    return static_cast<std::int64_t>(share * static_cast<double>(table.rows()));
  };
  std::vector<std::int64_t> rows(cut(rank + 1) - cut(rank));
  std::iota(rows.begin(), rows.end(), cut(rank));
  return table.take(rows);
}

data::FitRequest request_of(const data::FitRequest& whole, dist::Group& group) {
  data::FitRequest request = whole;
  request.table = part(whole.table, group.rank(), group.size());
  if (whole.valid) request.valid = part(*whole.valid, group.rank(), group.size());
  request.group = std::shared_ptr<dist::Group>(&group, [](dist::Group*) {});
  return request;
}

std::vector<std::string> bytes_by_rank(const Case& c, int ranks) {
  std::vector<std::string> bytes(ranks);
  dist::run_ranks(ranks, [&](dist::Group& group) {
    const ThreadScope scope(1);
    bytes[group.rank()] = fit(c.model, c.options, request_of(c.request, group))->bytes();
  });
  return bytes;
}

TEST(Ranks, BytesAreTheSameOnAnyNumberOfRanks) {
  int joined = 0;
  for (const Case& c : every_case()) {
    SCOPED_TRACE(c.name);
    const int code = code_of([&] { bytes_by_rank(c, 2); });
    if (code == 5006) continue;  // of one process, and it says so
    ASSERT_EQ(code, 0);
    ++joined;
    const std::string alone = bytes_of(c);
    for (const int ranks : {2, 3}) {
      for (const std::string& bytes : bytes_by_rank(c, ranks)) EXPECT_EQ(bytes == alone, true);
    }
  }
  EXPECT_GT(joined, 50);
}

}  // namespace
}  // namespace gradatim::boost
