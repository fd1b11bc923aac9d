// Model files of score algorithms that were good until someone changed them.
#include <gtest/gtest.h>

#include <functional>

#include "gradatim/boost/model_parts_test.h"
#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;
using Json = nlohmann::json;

std::string good(const char* algorithm, Target target) {
  const auto table = learnable({.rows = 60, .categorical = 1}, target, 1);
  return fit("boost.adaboost", {{"algorithm", algorithm}, {"n_estimators", "3"}}, request_of(table))
      ->bytes();
}

int after(const std::string& bytes, const std::function<void(Parts&, Json&)>& change) {
  Parts parts(bytes);
  Json card = parts.card();
  change(parts, card);
  parts.description = card.dump();
  return code_of([&] { data::load_model_bytes(parts.bytes(), "model"); });
}

constexpr const char* kAlgorithms[] = {"samme_r", "real", "gentle", "logitboost"};

TEST(HostileScores, AFileTakenApartAndPutTogetherLoads) {
  for (const char* algorithm : kAlgorithms) {
    for (const Target target : {Target::two_classes, Target::three_classes}) {
      EXPECT_EQ(after(good(algorithm, target), [](Parts&, Json&) {}), 0) << algorithm;
    }
  }
}

TEST(HostileScores, RoundsThatTheMembersDoNotMakeAreRefused) {
  for (const char* algorithm : kAlgorithms) {
    for (const Target target : {Target::two_classes, Target::three_classes}) {
      for (const std::int64_t rounds : {std::int64_t{0}, std::int64_t{2}, std::int64_t{4},
                                        std::int64_t{-3}, (std::int64_t{1} << 62) + 1}) {
        const auto change = [&](Parts&, Json& card) { card["rounds"] = rounds; };
        EXPECT_EQ(after(good(algorithm, target), change), 3010) << algorithm << " " << rounds;
      }
    }
  }
}

TEST(HostileScores, AnotherNumberOfClassesIsRefused) {
  for (const char* algorithm : kAlgorithms) {
    const auto with = [&](Target target, const Json& classes) {
      return after(good(algorithm, target), [&](Parts&, Json& card) { card["classes"] = classes; });
    };
    EXPECT_EQ(with(Target::three_classes, {"a", "b", "c", "d"}), 3010) << algorithm;
    EXPECT_EQ(with(Target::three_classes, {"a", "b"}), 3010) << algorithm;
    EXPECT_EQ(with(Target::two_classes, {"a", "b", "c", "d"}), 3010) << algorithm;
  }
}

TEST(HostileScores, MembersOfAnotherWidthAreRefused) {
  for (const char* algorithm : kAlgorithms) {
    const auto widen = [](Parts& parts, Json&) {
      parts.add("tree.vectors", std::vector<float>(2 * parts.get<float>("tree.value").size()));
    };
    EXPECT_EQ(after(good(algorithm, Target::two_classes), widen), 3010) << algorithm;
    EXPECT_EQ(after(good(algorithm, Target::three_classes), widen), 3010) << algorithm;
  }
}

TEST(HostileScores, AnUnknownAlgorithmOrOneOfAnotherKindIsRefused) {
  for (const char* name : {"boost.algorithm.none", "boost.learner.tree"}) {
    const auto change = [&](Parts&, Json& card) {
      card["settings"]["algorithm"] = {{"component", name}};
    };
    EXPECT_EQ(after(good("gentle", Target::two_classes), change), 3006) << name;
  }
}

}  // namespace
}  // namespace gradatim::boost
