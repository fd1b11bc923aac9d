// Model files that were good until someone changed a number or a word: each is refused with a code
// of 3xxx, and nothing else happens.
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "gradatim/boost/model_parts_test.h"
#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;
using Json = nlohmann::json;

constexpr const char* kNewton = "boost.newton";
constexpr const char* kGradient = "boost.gradient";
constexpr const char* kVotes = "boost.adaboost";
constexpr const char* kMedian = "boost.adaboost_r2";

struct Good {
  const char* ensemble;
  const char* learner;
  Target target;
};
constexpr Good kGood[] = {
    {kNewton, "tree", Target::numbers},        {kNewton, "linear", Target::three_classes},
    {kGradient, "cart", Target::two_classes},  {kVotes, "stump", Target::three_classes},
    {kVotes, "linear", Target::three_classes}, {kMedian, "linear", Target::numbers},
    {kMedian, "cart", Target::numbers},
};

std::string good_bytes(const Good& good) {
  const TableShape shape{.rows = 60, .numeric = 2, .categorical = 1, .missing = 0.1};
  const auto table = learnable(shape, good.target, 9);
  return fit(good.ensemble, {{"learner", good.learner}, {"n_estimators", "3"}}, request_of(table))
      ->bytes();
}

int load_code(const std::string& bytes) {
  return code_of([&] { data::load_model_bytes(bytes, "model"); });
}

/// The code of loading a good file whose arrays were changed.
int after(const Good& good, const std::function<void(Parts&)>& change) {
  Parts parts(good_bytes(good));
  change(parts);
  return load_code(parts.bytes());
}

/// The same of its description.
int after_card(const Good& good, const std::function<void(Json&)>& change) {
  return after(good, [&](Parts& parts) {
    Json card = parts.card();
    change(card);
    parts.description = card.dump();
  });
}

/// Leaves no tree.
void empty_forest(Parts& parts) {
  for (const char* name : {"tree.first", "tree.first_category_word"}) {
    parts.set(name, std::vector<std::int64_t>{0});
  }
  for (const char* name : {"tree.feature", "tree.left", "tree.first_word", "tree.words"}) {
    parts.set(name, std::vector<std::int32_t>());
  }
  for (const char* name : {"tree.threshold", "tree.cover"}) {
    parts.set(name, std::vector<double>());
  }
  for (const char* name : {"tree.value", "tree.gain"}) parts.set(name, std::vector<float>());
  parts.set("tree.flags", std::vector<std::uint8_t>());
  parts.set("tree.count", std::vector<std::int64_t>());
  parts.set("tree.category_words", std::vector<std::uint32_t>());
}

void expect_refused(int code, const std::string& what) {
  EXPECT_GE(code, 3000) << what;
  EXPECT_LT(code, 4000) << what;
}

void expect_refused_everywhere(const std::string& what, const std::function<void(Json&)>& change) {
  for (const Good& good : kGood) {
    expect_refused(after_card(good, change),
                   fmt::format("{} {}: {}", good.ensemble, good.learner, what));
  }
}

TEST(HostileModel, AFileTakenApartAndPutTogetherLoads) {
  for (const Good& good : kGood) {
    EXPECT_EQ(after(good, [](Parts&) {}), 0) << good.ensemble << " " << good.learner;
    EXPECT_EQ(after_card(good, [](Json&) {}), 0) << good.ensemble << " " << good.learner;
  }
}

TEST(HostileModel, AComponentThatIsNoModelIsRefused) {
  for (const char* name : {"boost.loss.squared", "boost.metric.auc", "boost.learner.tree",
                           "boost.learner.linear", "boost.no_such_model", ""}) {
    expect_refused_everywhere(name, [&](Json& card) { card["settings"] = {{"component", name}}; });
  }
  expect_refused_everywhere("a list", [](Json& card) { card["settings"] = Json::array(); });
  expect_refused_everywhere("a number", [](Json& card) { card["settings"] = 3; });
}

TEST(HostileModel, APartOfAnotherKindIsRefused) {
  expect_refused_everywhere("a loss as the learner", [](Json& card) {
    card["settings"]["learner"] = {{"component", "boost.loss.squared"}};
  });
  expect_refused_everywhere("a model as the learner", [](Json& card) {
    card["settings"]["learner"] = {{"component", "boost.adaboost"}};
  });
  expect_refused(after_card(kGood[0],
                            [](Json& card) {
                              card["settings"]["loss"] = {{"component", "boost.learner.tree"}};
                            }),
                 "a learner as the loss");
}

// Members of one learner are no members of another: the arrays have other names.
TEST(HostileModel, AnotherLearnerThanTheFilesIsRefused) {
  for (const Good& good : kGood) {
    const bool linear = std::string_view(good.learner) == "linear";
    const char* other = linear ? "boost.learner.tree" : "boost.learner.linear";
    expect_refused(after_card(good,
                              [&](Json& card) {
                                card["settings"]["learner"] = {{"component", other}};
                              }),
                   other);
  }
}

TEST(HostileModel, ClassesThatAreNoneAreRefused) {
  for (const Good& good : kGood) {
    if (good.target == Target::numbers) continue;
    const auto with = [&](const Json& classes) {
      return after_card(good, [&](Json& card) { card["classes"] = classes; });
    };
    expect_refused(with(Json::array()), "none");
    expect_refused(with({"a"}), "one");
    expect_refused(with({"a", "a"}), "twice the same");
    expect_refused(with({"a", "b", "a"}), "twice the same of three");
    expect_refused(with({1, 2, 3}), "numbers");
    expect_refused(with("abc"), "a word");
    expect_refused(with(nullptr), "null");
  }
}

TEST(HostileModel, AnotherNumberOfClassesThanTheMembersIsRefused) {
  const Json two = {"a", "b"};
  const Json four = {"a", "b", "c", "d"};
  for (const Json& classes : {two, four}) {
    const auto change = [&](Json& card) { card["classes"] = classes; };
    EXPECT_EQ(after_card({kVotes, "linear", Target::three_classes}, change), 3010) << classes;
    EXPECT_EQ(after_card({kNewton, "linear", Target::three_classes}, change), 3010) << classes;
    EXPECT_EQ(after_card({kNewton, "tree", Target::three_classes}, change), 3010) << classes;
  }
  EXPECT_EQ(after_card({kVotes, "stump", Target::three_classes},
                       [&](Json& card) { card["classes"] = two; }),
            3010)
      << "a leaf votes for the third";
}

// A regression that is called a classification has no classes to name its columns by, and the other
// way round.
TEST(HostileModel, ATaskThatTheModelDoesNotSolveIsRefused) {
  for (const Good& good : kGood) {
    const bool numbers = good.target == Target::numbers;
    const auto change = [&](Json& card, const Json& classes) {
      card["classification"] = numbers;
      card["classes"] = classes;
    };
    for (const Json& classes : {Json::array(), Json({"a", "b"}), Json({"a", "b", "c"})}) {
      // Where the loss is left to the task, a score for numbers and one for two classes have the
      // same shape: that is another sound model.
      const bool one_score = numbers ? std::string_view(good.ensemble) == kNewton
                                     : std::string_view(good.ensemble) == kGradient;
      const bool sound = one_score && classes.size() == (numbers ? 2U : 0U);
      if (sound) continue;
      expect_refused(after_card(good, [&](Json& card) { change(card, classes); }),
                     fmt::format("{} {} {}", good.ensemble, good.learner, classes.dump()));
    }
  }
  const auto with_loss = [](const char* loss, bool classification, const Json& classes) {
    return after_card(kGood[0], [&](Json& card) {
      card["settings"]["loss"] = {{"component", loss}};
      card["classification"] = classification;
      card["classes"] = classes;
    });
  };
  expect_refused(with_loss("boost.loss.huber", true, {"a", "b"}), "Huber on classes");
  expect_refused(with_loss("boost.loss.logistic", false, Json::array()), "logistic on numbers");
  expect_refused(with_loss("boost.loss.logistic", true, {"a", "b", "c"}), "logistic on three");
  expect_refused(with_loss("boost.loss.softmax", false, Json::array()), "softmax on numbers");
}

TEST(HostileModel, RoundsThatTheMembersDoNotMakeAreRefused) {
  for (const Json& rounds :
       {Json(std::int64_t{1} << 62), Json((std::int64_t{1} << 62) + 1), Json(-1), Json(0), Json(2),
        Json(4), Json(3.5), Json(std::uint64_t{1} << 63), Json(1e300), Json("3"), Json(nullptr)}) {
    expect_refused_everywhere(rounds.dump(), [&](Json& card) { card["rounds"] = rounds; });
  }
  // outputs * rounds is what there is, modulo 2^64.
  const auto wrapped = (std::int64_t{3074457345618258602}) + 3;  // 2^64 / 6 and the real rounds
  EXPECT_EQ(after_card(kGood[1], [&](Json& card) { card["rounds"] = wrapped; }), 3010);
}

// 2^19 classes and 2^13 members of each a round are 2^32, of which an int keeps 0.
TEST(HostileModel, MoreMembersARoundThanAnIntCountsAreRefused) {
  const auto classes = std::size_t{1} << 19;
  const auto code = [&](std::int64_t parallel) {
    return after({kNewton, "tree", Target::three_classes}, [&](Parts& p) {
      Json card = p.card();
      card["settings"]["num_parallel_tree"] = parallel;
      card["classes"] = Json::array();
      for (std::size_t k = 0; k < classes; ++k) card["classes"].push_back(std::to_string(k));
      card["rounds"] = 0;
      card["history"] = Json::object();
      p.description = card.dump();
      p.set("base_score", std::vector<double>(classes));
      empty_forest(p);
    });
  };
  EXPECT_EQ(code(1), 0) << "a model of no rounds";
  EXPECT_EQ(code(1 << 13), 3010);
}

TEST(HostileModel, AnEmptyForestIsNoThreeRounds) {
  const Good trees{kNewton, "tree", Target::numbers};
  EXPECT_EQ(after(trees, [](Parts& p) { empty_forest(p); }), 3010);
  for (const int parallel : {0, -1, 2, 10001}) {
    EXPECT_GE(
        after_card(trees, [&](Json& card) { card["settings"]["num_parallel_tree"] = parallel; }),
        3000)
        << parallel;
  }
}

// The text is put together by hand, for the JSON library itself writes by recursion.
TEST(HostileModel, JsonNestedADeepWayIsRefused) {
  constexpr int kDepth = 100000;
  const std::string lists = std::string(kDepth, '[') + std::string(kDepth, ']');
  std::string objects;
  for (int i = 0; i < kDepth; ++i) objects += R"({"loss":)";
  objects += "1" + std::string(kDepth, '}');
  std::string learners;
  for (int i = 0; i < kDepth; ++i) {
    learners += R"({"component":"boost.newton","learner":)";
  }
  learners += "1" + std::string(kDepth, '}');
  const std::vector<std::string> values = {
      lists,
      objects,
      learners,
      R"({"columns":)" + lists + "}",
      R"({"columns":[{"name":"x","type":)" + lists + "}]}",
      R"({"columns":[{"name":"x","type":"categorical","categories":)" + lists + "}]}",
      R"({"component":"boost.newton","learner":)" + learners + "}",
      std::string(kDepth, '[')};
  const char* keys[] = {"settings", "features", "classes", "rounds",
                        "history",  "notes",    "format",  "unknown"};
  const std::string bytes = good_bytes(kGood[0]);
  for (const char* key : keys) {
    for (const std::string& value : values) {
      Parts parts(bytes);
      Json card = parts.card();
      card[key] = "HERE";
      parts.description = card.dump();
      parts.description.replace(parts.description.find(R"("HERE")"), 6, value);
      expect_refused(load_code(parts.bytes()), fmt::format("{} {}", key, value.substr(0, 30)));
    }
  }
  Parts parts(bytes);
  parts.description = lists;
  expect_refused(load_code(parts.bytes()), "nothing else");
}

TEST(HostileModel, ADamagedSchemaIsRefused) {
  const auto refused = [](const std::string& what, const std::function<void(Json&)>& change) {
    expect_refused_everywhere(what, [&](Json& card) { change(card["features"]); });
  };
  refused("null", [](Json& f) { f = nullptr; });
  refused("a number", [](Json& f) { f = 5; });
  refused("no columns", [](Json& f) { f.erase("columns"); });
  refused("columns a number", [](Json& f) { f["columns"] = 5; });
  refused("no name", [](Json& f) { f["columns"][0].erase("name"); });
  refused("no type", [](Json& f) { f["columns"][0].erase("type"); });
  refused("an unknown type", [](Json& f) { f["columns"][0]["type"] = "complex"; });
  refused("twice the same", [](Json& f) { f["columns"][1] = f["columns"][0]; });
  refused("a column a word", [](Json& f) { f["columns"][0] = "x0"; });
  refused("words of a number", [](Json& f) { f["columns"][0]["categories"] = {"a"}; });
  refused("words that are numbers", [](Json& f) { f["columns"][2]["categories"] = {1, 2}; });
  refused("words twice", [](Json& f) { f["columns"][2]["categories"] = {"a", "a"}; });
}

TEST(HostileModel, ASchemaOfOtherWeightsIsRefused) {
  for (const Good& good : kGood) {
    if (std::string_view(good.learner) != "linear") continue;
    const auto change = [&](const std::function<void(Json&)>& f) {
      return after_card(good, [&](Json& card) { f(card["features"]["columns"]); });
    };
    EXPECT_EQ(change([](Json& columns) { columns = Json::array(); }), 3010);
    EXPECT_EQ(change([](Json& columns) { columns.erase(0); }), 3010);
    EXPECT_EQ(change([](Json& columns) { columns[2]["categories"].push_back("more"); }), 3010);
    EXPECT_EQ(change([](Json& columns) { columns[2].erase("categories"); }), 3010);
  }
}

TEST(HostileModel, AMissingOrMistakenEntryIsRefused) {
  for (const char* key : {"format", "settings", "features", "target", "classification", "classes",
                          "rounds", "history"}) {
    expect_refused_everywhere(key, [&](Json& card) { card.erase(key); });
    expect_refused_everywhere(key, [&](Json& card) {
      card[key] = {{"a", {{"b", Json::array()}}}};
    });
  }
  expect_refused_everywhere("notes", [](Json& card) { card["notes"] = {{"a", 1}}; });
  expect_refused_everywhere("history", [](Json& card) { card["history"] = {{"a", {"b"}}}; });
  expect_refused_everywhere("format", [](Json& card) { card["format"] = 99; });
}

TEST(HostileModel, ANumberThatHistoryCouldNotBeIsNoObstacle) {
  for (const Good& good : kGood) {
    const int code = after_card(good, [](Json& card) {
      card["history"]["valid.auc"] = {0.5, nullptr};
    });
    EXPECT_EQ(code, 0) << "NaN is written as null";
  }
}

TEST(HostileModel, ABaseScoreOfAnotherSizeOrNoneIsRefused) {
  for (const Good& good : kGood) {
    if (std::string_view(good.ensemble) == kVotes) continue;
    const std::string what = fmt::format("{} {}", good.ensemble, good.learner);
    for (const std::size_t size : {0, 2, 4, 1000}) {
      const auto change = [&](Parts& p) { p.set("base_score", std::vector<double>(size)); };
      expect_refused(after(good, change), what);
    }
    for (const double bad : {kNaN, kInfinity, -kInfinity}) {
      const auto change = [&](Parts& p) {
        auto base = p.get<double>("base_score");
        base.back() = bad;
        p.set("base_score", base);
      };
      EXPECT_EQ(after(good, change), 3010) << what;
    }
    EXPECT_EQ(after(good, [](Parts& p) { p.set<float>("base_score", {0}); }), 3003) << what;
    EXPECT_EQ(after(good, [](Parts& p) { p.erase("base_score"); }), 3002) << what;
  }
}

TEST(HostileModel, VotesThatAreNoNumbersOrTooFewAreRefused) {
  for (const Good& good : kGood) {
    const bool votes = std::string_view(good.ensemble) == kVotes;
    if (!votes && std::string_view(good.ensemble) != kMedian) continue;
    const std::string name = votes ? "alpha" : "weight";
    const auto with = [&](const std::function<void(std::vector<double>&)>& change) {
      return after(good, [&](Parts& p) {
        auto values = p.get<double>(name);
        change(values);
        p.set(name, values);
      });
    };
    EXPECT_EQ(with([](auto& v) { v[0] = kNaN; }), 3010) << name;
    EXPECT_EQ(with([](auto& v) { v.back() = kInfinity; }), 3010) << name;
    EXPECT_EQ(with([](auto& v) { v.pop_back(); }), 3010) << name;
    EXPECT_EQ(with([](auto& v) { v.push_back(1.0); }), 3010) << name;
    EXPECT_EQ(with([](auto& v) { v.clear(); }), 3010) << name;
  }
}

// Trees with a value for each of several outputs, where prediction has room for one.
TEST(HostileModel, VectorsInLeavesThatWantOneValueAreRefused) {
  for (const Good& good : kGood) {
    if (std::string_view(good.learner) == "linear") continue;
    const auto change = [](Parts& p) {
      p.add("tree.vectors", std::vector<float>(2 * p.get<float>("tree.value").size()));
    };
    EXPECT_EQ(after(good, change), 3010) << good.ensemble << " " << good.learner;
  }
}

// The slopes fit their tree, whose leaves vote for classes.
TEST(HostileModel, SlopesInLeavesThatVoteAreRefused) {
  EXPECT_EQ(after({kVotes, "stump", Target::three_classes},
                  [](Parts& p) {
                    const std::size_t nodes = p.get<float>("tree.value").size();
                    const std::size_t trees = p.get<std::int64_t>("tree.first").size() - 1;
                    std::vector<std::int64_t> first(nodes + 1, 1);
                    first.front() = first[1] = 0;
                    p.add("tree.first_slope", first);
                    p.add("tree.slope_feature", std::vector<std::int32_t>{0});
                    p.add("tree.slope", std::vector<double>{100.0});
                    p.add("tree.intercept", std::vector<double>(nodes));
                    p.add("tree.step", std::vector<double>(trees));
                  }),
            3010);
}

TEST(HostileModel, LinearArraysThatDoNotFitAreRefused) {
  for (const Good& good : kGood) {
    if (std::string_view(good.learner) != "linear") continue;
    const auto with = [&](const std::string& name,
                          const std::function<void(std::vector<double>&)>& change) {
      return after(good, [&](Parts& p) {
        auto values = p.get<double>(name);
        change(values);
        p.set(name, values);
      });
    };
    for (const char* name : {"linear.weights", "linear.bias", "linear.step"}) {
      EXPECT_EQ(with(name, [](auto& v) { v[0] = kNaN; }), 3010) << name;
      EXPECT_EQ(with(name, [](auto& v) { v.pop_back(); }), 3010) << name;
      EXPECT_EQ(with(name, [](auto& v) { v.push_back(0.0); }), 3010) << name;
      EXPECT_EQ(with(name, [](auto& v) { v.clear(); }), 3010) << name;
    }
    EXPECT_EQ(with("linear.step", [](auto& v) { v[0] = -1.0; }), 3010);
  }
}

// The arrays fit each other, but a member has two outputs where the ensemble wants one, or three.
TEST(HostileModel, LinearMembersOfAnotherNumberOfOutputsAreRefused) {
  for (const Good& good : kGood) {
    if (std::string_view(good.learner) != "linear") continue;
    const bool votes = std::string_view(good.ensemble) == kVotes;
    for (const std::size_t outputs : {1, 2, 4, 5}) {
      if (outputs == (votes ? 3U : 1U)) continue;
      const auto change = [&](Parts& p) {
        const std::size_t members = p.get<double>("linear.step").size();
        const std::size_t each =
            p.get<double>("linear.weights").size() / p.get<double>("linear.bias").size();
        p.set("linear.bias", std::vector<double>(members * outputs));
        p.set("linear.weights", std::vector<double>(members * outputs * each));
      };
      EXPECT_EQ(after(good, change), 3010) << good.ensemble << " " << outputs;
    }
  }
}

// Room for one number a row would be written beyond.
TEST(HostileModel, TreesOfSeveralOutputsWhereOneIsWantedAreRefused) {
  for (const Good& good :
       {Good{kVotes, "stump", Target::three_classes}, Good{kMedian, "cart", Target::numbers}}) {
    const auto change = [](Parts& p) {
      p.add("tree.vectors", std::vector<float>(3 * p.get<float>("tree.value").size()));
    };
    EXPECT_EQ(after(good, change), 3010) << good.ensemble;
  }
}

}  // namespace
}  // namespace gradatim::boost
