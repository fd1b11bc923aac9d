// Promise 1 over ranks: the same bytes for any number of them, however the rows are dealt.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <numeric>

#include "gradatim/boost/ensemble/every_fit_test.h"
#include "gradatim/core/parallel.h"
#include "gradatim/dist/forwarding_testing.h"
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

// Fits that need all rows at once: exact splits, lines, and linear leaves.
bool of_one_process(const Case& c) {
  for (const auto& [name, value] : c.options) {
    if (name == "linear_tree") return true;
    if (name != "learner" || value.ends_with("tree") || value.ends_with("cart")) continue;
    return !value.ends_with("stump") || c.request.table.rows() <= 10000;
  }
  return false;
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
    if (of_one_process(c)) {
      EXPECT_EQ(code_of([&] { bytes_by_rank(c, 2); }), 5006);
      continue;
    }
    ++joined;
    const std::string alone = bytes_of(c);
    for (const int ranks : {2, 3}) {
      for (const std::string& bytes : bytes_by_rank(c, ranks)) EXPECT_EQ(bytes == alone, true);
    }
  }
  EXPECT_GT(joined, 50);
}

struct Operations {
  std::int64_t scatters = 0, gathers = 0, all_reductions = 0;
};

// Of two ranks' fit.
Operations operations_of(const Case& c) {
  Operations found;
  dist::run_ranks(2, [&](dist::Group& group) {
    const ThreadScope scope(1);
    dist::testing::Forwarding<> counting(group);
    fit(c.model, c.options, request_of(c.request, counting));
    if (group.rank() == 0) found = {counting.scatters, counting.gathers, counting.all_reductions};
  });
  return found;
}

// The sums that decide whether splits stand take no exchange of their own but the last level's.
TEST(Ranks, ALevelTakesTwoOperations) {
  constexpr int kDepth = 3, kTrees = 2;
  const auto of = [&](int trees) {
    Case c{"counted",
           "boost.newton",
           {{"n_estimators", std::to_string(trees)}, {"max_depth", std::to_string(kDepth)}},
           {}};
    c.request = testing::request_of(learnable({.rows = 4000, .numeric = 4}, Target::numbers, 1));
    return operations_of(c);
  };
  const auto one = of(1), more = of(1 + kTrees);
  EXPECT_EQ(more.scatters - one.scatters, kTrees * kDepth);
  EXPECT_EQ(more.gathers - one.gathers, kTrees * kDepth);
  EXPECT_EQ(more.all_reductions - one.all_reductions, kTrees * 3) << "leaves, a scale, a check";
}

// Least gains next to the largest of a model's splits, which are far above its leaves.
std::vector<double> gains_of(const Case& c) {
  constexpr int kMost = 8;
  auto gains = SafetensorsFile(bytes_of(c), "model").read<float>("tree.gain");
  std::ranges::sort(gains, std::greater());
  std::vector<double> near;
  for (int i = 0; i < kMost; ++i) {
    for (const double factor : {1.0 - 0x1p-20, 1.0 + 0x1p-20}) near.push_back(factor * gains[i]);
  }
  return near;
}

// A least gain among those of the splits: some rank well enough by coarse sums and do not stand,
// some stand against it, and their children are built afterwards.
TEST(Ranks, SplitsThatOnlySeemToStandOrToFallAreDecidedByFineSums) {
  for (const char* policy : {"depthwise", "lossguide"}) {
    Case c{policy,
           "boost.newton",
           {{"n_estimators", "6"},
            {"max_depth", "5"},
            {"max_leaves", "30"},
            {"gamma", "0"},
            {"grow_policy", policy}},
           {}};
    c.request = testing::request_of(learnable({.rows = 70000, .numeric = 3}, Target::numbers, 1));
    for (const double gamma : gains_of(c)) {
      c.options[3].second = fmt::format("{}", gamma);
      SCOPED_TRACE(fmt::format("{}, gamma {}", policy, gamma));
      const std::string alone = bytes_of(c);
      for (const std::string& bytes : bytes_by_rank(c, 2)) EXPECT_EQ(bytes == alone, true);
    }
  }
}

TEST(Ranks, ARankMayHaveNoRow) {
  Case c{"few", "boost.newton", {{"n_estimators", "3"}, {"min_child_weight", "0"}}, {}};
  c.request = testing::request_of(
      learnable({.rows = 5, .numeric = 2, .categorical = 1}, Target::numbers, 1));
  const std::string alone = bytes_of(c);
  for (const auto& [name, value] :
       Options{{"subsample", "0.5"}, {"learner", "cart"}, {"loss", "absolute"}}) {
    Case other = c;
    other.options = {{"n_estimators", "3"}, {name, value}};
    const std::string own = bytes_of(other);
    for (const std::string& bytes : bytes_by_rank(other, 8)) EXPECT_EQ(bytes == own, true) << name;
  }
  for (const std::string& bytes : bytes_by_rank(c, 8)) EXPECT_EQ(bytes == alone, true);
}

TEST(Ranks, ARankWithoutRowsKnowsThatTheOthersHaveWeights) {
  // A constant hessian counts rows, but only where no row of any rank has a weight.
  Case c{"weights", "boost.newton", {{"n_estimators", "3"}}, {}};
  c.request = testing::request_of(learnable({.rows = 6, .numeric = 2}, Target::numbers, 1, true));
  c.request.weight = "w";
  Case sampled{"goss", "boost.newton", {{"n_estimators", "3"}, {"sampling_method", "goss"}}, {}};
  sampled.request = testing::request_of(learnable({.rows = 6, .numeric = 2}, Target::numbers, 1));
  for (const Case& one : {c, sampled}) {
    SCOPED_TRACE(one.name);
    const std::string alone = bytes_of(one);
    for (const std::string& bytes : bytes_by_rank(one, 9)) EXPECT_EQ(bytes == alone, true);
  }
}

TEST(Ranks, GoOnFromACheckpointWhateverTheirNumber) {
  const std::string folder = ::testing::TempDir() + "ranks_checkpoint";
  std::filesystem::remove_all(folder);
  Case c = base_case("boost.newton", "boost.learner.tree", "weights");
  const std::string alone = bytes_of(c);
  c.request.resume = folder;
  c.request.checkpoint_seconds = 0.0;
  for (const std::string& bytes : bytes_by_rank(c, 3)) EXPECT_EQ(bytes == alone, true);
  for (const std::string& bytes : bytes_by_rank(c, 2)) EXPECT_EQ(bytes == alone, true);
  std::filesystem::remove_all(folder);
}

TEST(Ranks, WhatDiffersOrIsWrongOnOneRankEndsAll) {
  const Case c = base_case("boost.newton", "boost.learner.tree", "plain");
  const auto code_where = [&](const auto& change) {
    return code_of([&] {
      dist::run_ranks(3, [&](dist::Group& group) {
        auto request = request_of(c.request, group);
        Options options = c.options;
        if (group.rank() == 1) change(request, options);
        fit(c.model, options, request);
      });
    });
  };
  EXPECT_EQ(code_where([](auto& /*request*/, Options& options) {
              options.emplace_back("max_depth", "3");
            }),
            5004);
  EXPECT_EQ(code_where([](auto& request, auto&) { request.seed = 7; }), 5004);
  EXPECT_EQ(code_where([](auto& request, auto&) { request.valid_fraction = 0.3; }), 5004);
  EXPECT_EQ(code_where([](auto& request, auto&) { request.weight = "x0"; }), 5004);
  EXPECT_EQ(code_where([](auto& request, auto&) { request.table = request.table.without("x1"); }),
            5004);
  EXPECT_EQ(code_where([](auto& request, auto&) {
              std::vector<data::Column> columns(request.table.columns().begin(),
                                                request.table.columns().end());
              auto cells = numbers(columns[0]);
              cells[5] = kInfinity;
              columns[0] = data::numeric_column("x0", std::move(cells));
              request.table = data::Table(std::move(columns));
            }),
            2011);
}

}  // namespace
}  // namespace gradatim::boost
