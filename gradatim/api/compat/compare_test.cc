#include "gradatim/api/compat/compare.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "gradatim/api/compat/check.h"
#include "gradatim/api/toys_test.h"
#include "gradatim/api/write/writers.h"

namespace gradatim::api::compat {
namespace {

constexpr std::string_view kOld =
    "m.x : m   since 0.1\n"
    "  aliases: m.y\n"
    "  rate : real in (0, 1] = 0.1  alias eta\n"
    "  depth : integer in [0, 10] = 6\n"
    "  grow : one of a, b = a\n"
    "  levels : list of at most 3 reals in (0, 1) = 0.5\n"
    "  old : flag = false  deprecated 0.1\n"
    "  part loss : l = auto\n";

// The changes after `from` became `to` in kOld: "!" before the sentences of breaking ones.
std::vector<std::string> changes(std::string_view from, std::string_view to,
                                 std::string_view changelog = {}) {
  std::string fresh(kOld);
  const auto at = fresh.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  fresh.replace(at, from.size(), to);
  const Surface old_surface[] = {read_surface(kOld, "old")};
  const Surface new_surface[] = {read_surface(fresh, "new")};
  auto found = compare(old_surface, new_surface);
  excuse(found, changelog);
  std::vector<std::string> lines;
  for (const auto& change : found) {
    lines.push_back((change.excused ? "excused " : change.breaking ? "! " : "") + change.sentence);
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST(Compare, FindsNothingWhereNothingChanged) { EXPECT_EQ(changes("m.x", "m.x"), Lines{}); }

TEST(Compare, AdditionsAreCompatible) {
  EXPECT_EQ(changes("  part loss", "  more : integer = 3\n  part loss"),
            Lines{"m.x: setting 'more' was added"});
  EXPECT_EQ(changes("  part loss", "  part other : o = auto\n  part loss"),
            Lines{"m.x: part 'other' was added"});
  EXPECT_EQ(changes("m.y", "m.y m.z"), Lines{"m.x: the name 'm.z' was added"});
  EXPECT_EQ(changes("alias eta", "alias eta e"),
            Lines{"m.x: alias 'e' of setting 'rate' was added"});
}

TEST(Compare, WideningIsCompatible) {
  EXPECT_EQ(changes("[0, 10]", "[0, inf)"),
            Lines{"m.x: setting 'depth' was widened from [0, 10] to [0, inf)"});
  EXPECT_EQ(changes("(0, 1] = 0.1", "[0, 1] = 0.1"),
            Lines{"m.x: setting 'rate' was widened from (0, 1] to [0, 1]"});
  EXPECT_EQ(changes("a, b = a", "a, b, c = a"),
            Lines{"m.x: setting 'grow' was widened from a, b to a, b, c"});
  EXPECT_EQ(changes("at most 3", "at most 4"),
            Lines{"m.x: setting 'levels' was widened from at most 3 to at most 4"});
}

TEST(Compare, NarrowingIsBreaking) {
  EXPECT_EQ(changes("[0, 10]", "[1, 12]"),
            Lines{"! m.x: setting 'depth' was narrowed from [0, 10] to [1, 12]"});
  EXPECT_EQ(changes("(0, 1] = 0.1", "(0, 1) = 0.1"),
            Lines{"! m.x: setting 'rate' was narrowed from (0, 1] to (0, 1)"});
  EXPECT_EQ(changes("a, b = a", "a, c = a"),
            Lines{"! m.x: setting 'grow' was narrowed from a, b to a, c"});
}

TEST(Compare, AnotherTypeDefaultOrUnitIsBreaking) {
  EXPECT_EQ(changes("integer in [0, 10]", "real in [0, 10]"),
            Lines{"! m.x: setting 'depth' was of type integer and is of type real"});
  EXPECT_EQ(changes("= 6", "= 7"), Lines{"! m.x: the default of setting 'depth' was 6 and is 7"});
  EXPECT_EQ(changes("= 6", "= 6  [levels]"),
            Lines{"! m.x: the unit of setting 'depth' was '' and is 'levels'"});
  EXPECT_EQ(changes("l = auto", "l = l.a"),
            Lines{"! m.x: the default of part 'loss' was auto and is l.a"});
}

TEST(Compare, TellsARenamedSettingFromARemovedOne) {
  EXPECT_EQ(changes("  rate :", "  speed :"),
            Lines{"! m.x: setting 'rate' was renamed to 'speed'"});
  EXPECT_EQ(changes("  depth : integer in [0, 10] = 6\n", ""),
            Lines{"! m.x: setting 'depth' was removed"});
}

TEST(Compare, RemovedNamesAreBreaking) {
  EXPECT_EQ(changes("  aliases: m.y\n", ""), Lines{"! m.x: the name 'm.y' was removed"});
  EXPECT_EQ(changes("  alias eta", ""), Lines{"! m.x: alias 'eta' of setting 'rate' was removed"});
  EXPECT_EQ(changes("  part loss : l = auto\n", ""), Lines{"! m.x: part 'loss' was removed"});
}

TEST(Compare, ARemovedExportIsBreakingAndARenamedOneToo) {
  const Surface old_surface[] = {read_surface(kOld, "old")};
  auto found = compare(old_surface, std::span<const Surface>{});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].sentence, "m.x: was removed");
  EXPECT_FALSE(found[0].name_kept);
  Surface fresh = old_surface[0];
  fresh.name = "m.y";
  fresh.aliases = {"m.x"};
  found = compare(old_surface, std::span(&fresh, 1));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].sentence, "m.x: was renamed to m.y");
  EXPECT_TRUE(found[0].name_kept);
}

TEST(Compare, FunctionsMayGainOptionalArgumentsOnly) {
  const auto one = [](std::string arguments) {
    Surface surface{.name = "f", .kind = "k", .since = "0.1"};
    for (const auto& word : {std::string("a"), arguments}) {
      if (!word.empty()) surface.arguments.push_back(word);
    }
    return surface;
  };
  EXPECT_FALSE(compare(one(""), one("sample_weight")).at(0).breaking);
  EXPECT_FALSE(compare(one(""), one("b=None")).at(0).breaking);
  EXPECT_TRUE(compare(one(""), one("b")).at(0).breaking);
  EXPECT_TRUE(compare(one("b"), one("")).at(0).breaking);
}

TEST(Excuse, NeedsALineThatBeginsWithBreakingAndNamesIt) {
  EXPECT_EQ(changes("= 6", "= 7", "## [0.2]\n\n- BREAKING m.x: depth is 7 by default\n")[0],
            "excused m.x: the default of setting 'depth' was 6 and is 7");
  EXPECT_EQ(changes("= 6", "= 7", "## [0.2]\n- m.x: depth is 7 by default\n")[0][0], '!');
  EXPECT_EQ(changes("= 6", "= 7", "## [0.2]\nBREAKING m.x: max_depth is 7\n")[0][0], '!');
  EXPECT_EQ(changes("= 6", "= 7", "## [0.2]\nBREAKING m.x.z: depth is 7\n")[0][0], '!');
  EXPECT_EQ(changes("= 6", "= 7", "## [0.2]\n\n## [0.1]\nBREAKING m.x: depth\n")[0][0], '!');
}

TEST(Excuse, NeedsTheOldNameToWork) {
  constexpr std::string_view kLog = "## [0.2]\nBREAKING m.x: rate is now speed, old is gone\n";
  EXPECT_EQ(changes("  rate :", "  speed :", kLog)[0][0], '!');
  EXPECT_EQ(changes("  rate : real in (0, 1] = 0.1  alias eta",
                    "  speed : real in (0, 1] = 0.1  alias eta rate", kLog)[0],
            "excused m.x: setting 'rate' was renamed to 'speed'");
  EXPECT_EQ(changes("  old : flag = false  deprecated 0.1\n", "", kLog)[0],
            "excused m.x: setting 'old' was removed");
}

TEST(Check, ComparesAFolderWithTheRegistry) {
  const auto root = std::filesystem::path(testing::TempDir()) / "gradatim_check";
  std::filesystem::remove_all(root);
  auto files = golden_files(toys::registry());
  write_files(root.string(), files);
  const auto folder = (root / "api/golden").string();
  EXPECT_TRUE(check(toys::registry(), folder, "").current());
  for (auto& file : files) {
    const auto at = file.text.find("  delta :");
    if (at != std::string::npos) file.text.replace(at, 9, "  width :");
  }
  write_files(root.string(), files);
  const auto verdict = check(toys::registry(), folder, "");
  EXPECT_FALSE(verdict.compatible());
  EXPECT_EQ(
      verdict.report(),
      "breaking: toy.loss.huber: setting 'width' was renamed to 'delta'; keep the old name as "
      "an alias, or deprecate it first, and add a line of CHANGELOG.md that begins with "
      "BREAKING and names toy.loss.huber and 'width'\n"
      "the public API breaks what others depend on\n");
  std::filesystem::remove(folder + "/toy.boost.txt");
  std::filesystem::remove(folder + "/toy.loss.huber.txt");
  const auto added = check(toys::registry(), folder, "");
  EXPECT_TRUE(added.compatible());
  EXPECT_EQ(added.report(),
            "compatible: toy.boost: was added\ncompatible: toy.loss.huber: was added\n"
            "golden files are out of date: run 'make api'\n");
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace gradatim::api::compat
