#include "gradatim/api/write/writers.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "gradatim/api/toys_test.h"
#include "gradatim/api/write/words.h"

namespace gradatim::api {
namespace {

namespace fs = std::filesystem;

std::string text_of(const std::vector<GeneratedFile>& files, std::string_view path) {
  for (const auto& file : files) {
    if (file.path == path) return file.text;
  }
  return "missing";
}

void expect_within(const std::string& text, std::string_view wanted) {
  EXPECT_NE(text.find(wanted), std::string::npos) << wanted << "\nis not in\n" << text;
}

TEST(Wrapped, BreaksAtBlanksAndCountsCharactersNotBytes) {
  EXPECT_EQ(write::wrapped("one two three", 9, "  "), "  one two\n  three\n");
  EXPECT_EQ(write::wrapped("αβγ δεζ", 7, ""), "αβγ δεζ\n");
  EXPECT_EQ(write::wrapped("a longword b", 4, "  ", "- "), "- a\n  longword\n  b\n");
}

TEST(Help, SaysEverythingThatTheDeclarationSays) {
  const auto& registry = toys::registry();
  const auto text = help_text(registry.get("toy.loss.huber"), registry);
  for (const auto wanted :
       {"toy.loss.huber (toy.loss, since 0.1)", "Square near zero, absolute in the tails.",
        "Robust against outliers.", "also      toy.loss.pseudo_huber", "Nobody (2001), A toy",
        "label, score: [rows]", "GRD-2004 a label is not finite", "delta = 1",
        "real in (0, inf) [label]", "Residual at which the loss turns linear.", "Also: turn.",
        "gradatim/api/toys_test.cc:"}) {
    expect_within(text, wanted);
  }
  const auto model = help_text(registry.get("toy.boost"), registry);
  expect_within(model, "loss = auto\n      toy.loss: huber, squared\n      What is minimised.\n");
  expect_within(help_text(registry.get("toy.metric.bias"), registry),
                "bias(y_true, y_pred, sample_weight)");
  expect_within(help_text(registry.get("toy.learner.stump"), registry), "is deprecated since 0.3");
}

TEST(Schema, IsJsonThatKnowsTypesBoundsAndChoices) {
  const auto schema = nlohmann::json::parse(schema_text(toys::registry()));
  const auto& tree = schema["$defs"]["toy.learner.tree"]["properties"];
  EXPECT_EQ(tree["max_depth"]["type"], "integer");
  EXPECT_EQ(tree["max_depth"]["minimum"], 0);
  EXPECT_EQ(tree["grow_policy"]["enum"], (std::vector<std::string>{"depthwise", "lossguide"}));
  EXPECT_EQ(tree["monotone"]["maxItems"], 4);
  EXPECT_EQ(tree["monotone"]["default"], std::vector<int>{});
  const auto& huber = schema["$defs"]["toy.loss.huber"]["properties"];
  EXPECT_EQ(huber["delta"]["exclusiveMinimum"], 0.0);
  EXPECT_EQ(schema["anyOf"].size(), 1U);
  EXPECT_FALSE(schema["$defs"].contains("toy.metric.bias"));
}

TEST(Python, GivesComponentsAClassEach) {
  const auto text = text_of(python_files(toys::registry()), "python/gradatim/toy/loss.py");
  expect_within(text,
                "class Huber(Component):\n    \"\"\"Square near zero, absolute in the tails.\n");
  expect_within(text,
                "    delta : float, default=1.0\n"
                "        Residual at which the loss turns linear. In (0, inf). Unit: label.\n");
  expect_within(text, "    .. [1] Nobody (2001), A toy\n");
  expect_within(text, "        delta: float = 1.0,\n    ) -> None:\n        self.delta = delta\n");
}

TEST(Python, GivesFunctionsASignature) {
  const auto text = text_of(python_files(toys::registry()), "python/gradatim/toy/metric.py");
  expect_within(text,
                "def bias(\n    y_true: ArrayLike,\n    y_pred: ArrayLike,\n"
                "    sample_weight: ArrayLike | None = None,\n) -> float:\n");
  expect_within(text, "    return call_metric(\n        \"toy.metric.bias\",\n");
}

TEST(Python, GivesModelsAnEstimatorATask) {
  const auto files = python_files(toys::registry());
  const auto text = text_of(files, "python/gradatim/toy/_estimators.py");
  expect_within(text, "class ToyBoostingClassifier(BoostingClassifier):");
  expect_within(text, "class ToyBoostingRegressor(BoostingRegressor):");
  expect_within(text, "    _component = \"toy.boost\"\n");
  expect_within(text, "        \"bins\": \"learner.split.bins\",\n");
  expect_within(text,
                "        grow_policy: Literal[\"depthwise\", \"lossguide\"] = \"depthwise\",\n");
  expect_within(text, "        random_state: int | np.random.RandomState | None = None,\n");
  expect_within(text_of(files, "python/gradatim/toy/__init__.py"),
                "    \"ToyBoostingClassifier\",\n");
  expect_within(text_of(files, "python/gradatim/_names.py"), "    \"toy.gbdt\": \"toy.model\",\n");
}

TEST(Reference, ShowsTheCallInThreeLanguages) {
  const auto files = reference_files(toys::registry());
  const auto text = text_of(files, "docs/reference/toy/split/fast.md");
  expect_within(text, "    {\"learner.split.bins\", \"256\"},\n");
  expect_within(text, "gradatim train toy.boost --data train.csv --target y --learner tree");
  expect_within(text, "ToyBoostingClassifier(learner=Tree(split=Fast(bins=256))).fit(X, y)");
  expect_within(text_of(files, "docs/reference/index.md"), "(toy/split/fast.md)");
}

TEST(EveryWriter, NamesNoFileSoThatMovingOneChangesNothingPublic) {
  for (const auto& file : all_files(toys::registry())) {
    EXPECT_EQ(file.text.find("toys_test.cc"), std::string::npos) << file.path;
  }
}

TEST(EveryWriter, SaysThatTheFileIsGenerated) {
  for (const auto& file : all_files(toys::registry())) {
    EXPECT_LT(file.text.find(kGeneratedMark), 32U) << file.path;
    EXPECT_TRUE(file.text.ends_with("\n") && !file.text.ends_with("\n\n")) << file.path;
  }
}

TEST(WriteFiles, WritesWhatDiffersAndRemovesWhatIsStale) {
  const auto root = fs::path(testing::TempDir()) / "gradatim_write_files";
  fs::remove_all(root);
  fs::create_directories(root / "api/golden");
  std::ofstream(root / "api/golden/mine.txt") << "written by hand\n";
  const std::vector<GeneratedFile> files = golden_files(toys::registry());
  EXPECT_EQ(write_files(root.string(), files).changed.size(), files.size());
  EXPECT_TRUE(write_files(root.string(), files).changed.empty());
  const auto [changed, removed] = write_files(root.string(), std::span(files).subspan(1));
  EXPECT_TRUE(changed.empty());
  EXPECT_EQ(removed, std::vector<std::string>{files[0].path});
  EXPECT_TRUE(fs::exists(root / "api/golden/mine.txt"));
  fs::remove_all(root);
}

}  // namespace
}  // namespace gradatim::api
