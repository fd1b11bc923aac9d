#include "gradatim/api/registry.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "gradatim/api/toys_test.h"
#include "gradatim/core/error.h"

namespace gradatim::api {
namespace {

struct Thing {
  static constexpr std::string_view kKind = "toy.thing";
  virtual ~Thing() = default;
};
struct Plain : Thing {
  using Interface = Thing;
};

constexpr Entry entry(std::string_view name, std::string_view file, int line,
                      std::span<const Part> parts = {}) {
  Entry made;
  made.text = {.name = name, .summary = "A thing.", .source = "Nobody"};
  made.kind = "toy.thing";
  made.parts = parts;
  made.file = file;
  made.line = line;
  return made;
}

std::string refusal(std::vector<const Entry*> entries) {
  try {
    Registry{entries};
  } catch (const std::logic_error& error) {
    return error.what();
  }
  return "accepted";
}

std::string message(std::string_view name, std::string_view kind) {
  try {
    toys::registry().get(name, kind);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "found";
}

TEST(Registry, FindsAnExportByEveryName) {
  const auto& registry = toys::registry();
  ASSERT_NE(registry.find("toy.loss.huber"), nullptr);
  EXPECT_EQ(registry.find("toy.loss.huber"), registry.find("toy.loss.pseudo_huber"));
  EXPECT_EQ(registry.find("huber"), nullptr);
}

TEST(Registry, CompletesAShortNameByItsKind) {
  const auto& registry = toys::registry();
  EXPECT_EQ(registry.get("huber", "toy.loss").text.name, "toy.loss.huber");
  EXPECT_EQ(registry.get("mart", "toy.model").text.name, "toy.boost");
  EXPECT_EQ(registry.get("toy.gbdt").text.name, "toy.boost");
}

TEST(Registry, RefusesAnUnknownNameWithTheNearest) {
  EXPECT_EQ(message("hubr", "toy.loss"),
            "there is no toy.loss named 'hubr'; did you mean 'huber'? (GRD-1001)");
  EXPECT_EQ(message("toy.bost", {}),
            "there is no component named 'toy.bost'; did you mean 'toy.boost'? (GRD-1001)");
  EXPECT_EQ(message("quantile", "toy.loss"),
            "there is no toy.loss named 'quantile'; 'gradatim list toy.loss' shows them "
            "(GRD-1001)");
}

TEST(Registry, RefusesANameOfAnotherKind) {
  EXPECT_EQ(message("toy.boost", "toy.loss"),
            "'toy.boost' is a toy.model, but a toy.loss is wanted here (GRD-1001)");
}

TEST(Registry, ListsKindsAndEntriesInOrder) {
  const auto& registry = toys::registry();
  EXPECT_EQ(registry.kinds(), (std::vector<std::string>{"toy.learner", "toy.loss", "toy.metric",
                                                        "toy.model", "toy.split"}));
  const auto losses = registry.list("toy.loss");
  ASSERT_EQ(losses.size(), 2U);
  EXPECT_EQ(losses[0]->text.name, "toy.loss.huber");
  EXPECT_EQ(registry.list().size(), toys::entries().size());
  EXPECT_EQ(registry.names("toy.model"),
            (std::vector<std::string>{"toy.boost", "toy.gbdt", "toy.mart"}));
}

TEST(Registry, TellsAliasesAndDeprecatedNames) {
  const auto& registry = toys::registry();
  EXPECT_EQ(registry.notice("toy.boost"), "");
  EXPECT_EQ(registry.notice("toy.gbdt"), "toy.gbdt is another name of toy.boost");
  EXPECT_EQ(registry.notice("toy.learner.stump"),
            "toy.learner.stump is deprecated since 0.3; use toy.learner.tree with max_depth 1");
}

TEST(Registry, NamesBothPlacesOfADuplicate) {
  const Entry a = entry("toy.thing.a", "gradatim/toy/a.cc", 7);
  const Entry b = entry("toy.thing.a", "gradatim/toy/b.cc", 9);
  EXPECT_EQ(refusal({&a, &b}),
            "'toy.thing.a' is exported twice: at gradatim/toy/a.cc:7 and at gradatim/toy/b.cc:9");
}

TEST(Registry, NamesBothPlacesOfANameInAnotherSpace) {
  const Entry a = entry("toy.thing.a", "gradatim/toy/a.cc", 7);
  const Entry b = entry("toy.thing.b", "gradatim/other/b.cc", 9);
  EXPECT_EQ(refusal({&a, &b}),
            "'toy.thing.b', declared at gradatim/other/b.cc:9, lies in the space of 'toy.', which "
            "belongs to toy.thing.a (declared at gradatim/toy/a.cc:7)");
}

TEST(Registry, RefusesPartsThatDoNotExist) {
  static constexpr Part kNoKind[] = {{"loss", "toy.loss", "auto", "A loss."}};
  static constexpr Part kNoDefault[] = {{"inner", "toy.thing", "toy.thing.z", "A thing."}};
  static constexpr Part kTwice[] = {{"inner", "toy.thing", "auto", "A thing."},
                                    {"inner", "toy.thing", "auto", "A thing."}};
  const Entry a = entry("toy.thing.a", "gradatim/toy/a.cc", 7, kNoKind);
  EXPECT_EQ(refusal({&a}),
            "toy.thing.a: part 'loss' wants a toy.loss, but nothing of that kind is "
            "exported; declared at gradatim/toy/a.cc:7");
  const Entry b = entry("toy.thing.b", "gradatim/toy/b.cc", 8, kNoDefault);
  EXPECT_EQ(refusal({&b}),
            "toy.thing.b: part 'inner' defaults to 'toy.thing.z', which is no "
            "canonical name of a toy.thing; declared at gradatim/toy/b.cc:8");
  const Entry c = entry("toy.thing.c", "gradatim/toy/c.cc", 9, kTwice);
  EXPECT_EQ(refusal({&c}),
            "toy.thing.c declares 'inner' twice among its settings and parts, at "
            "gradatim/toy/c.cc:9");
}

TEST(Export, MakesAFunctionCallable) {
  const Entry& entry = toys::registry().get("bias", "toy.metric");
  EXPECT_EQ(entry.signature, "y_true y_pred sample_weight");
  const auto made = entry.make(entry, {}, {});
  const auto metric = std::static_pointer_cast<const toys::Metric>(made);
  EXPECT_EQ(metric->formula({1.0, 3.0}), 2.0);
}

TEST(Export, KnowsItsFileAndLine) {
  constexpr Entry kHere = component<Plain, NoSettings>(
      {.name = "toy.thing.here", .summary = "A thing.", .source = "Nobody"});
  EXPECT_EQ(kHere.file, "gradatim/api/registry_test.cc");
  EXPECT_GT(kHere.line, 100);
  EXPECT_EQ(kHere.kind, "toy.thing");
}

}  // namespace
}  // namespace gradatim::api
