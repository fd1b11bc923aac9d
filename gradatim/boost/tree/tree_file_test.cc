#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "gradatim/boost/predict/forest.h"
#include "gradatim/boost/testing.h"
#include "gradatim/boost/tree/tree_member.h"

namespace gradatim::boost {
namespace {

using namespace testing;

// x0 < 1.5 ? 1 : (c0 in {1, 2} ? 2 : 3), and a second tree of a single leaf.
Members two_trees() {
  Tree tree;
  tree.nodes.resize(5);
  tree.nodes[0] = {.feature = 0,
                   .left = 1,
                   .threshold = 1.5,
                   .missing_left = true,
                   .gain = 2.0F,
                   .cover = 9.0,
                   .count = 9};
  tree.nodes[1] = {.value = 1.0F, .cover = 4.0, .count = 4};
  tree.nodes[2] = {.feature = 1,
                   .left = 3,
                   .categorical = true,
                   .first_word = 0,
                   .words = 1,
                   .gain = 1.0F,
                   .cover = 5.0,
                   .count = 5};
  tree.nodes[3] = {.value = 2.0F, .cover = 2.0, .count = 2};
  tree.nodes[4] = {.value = 3.0F, .cover = 3.0, .count = 3};
  tree.category_words = {0b110};
  Members members;
  members.push_back(std::make_unique<TreeMember>(tree));
  Tree leaf;
  leaf.nodes.push_back({.value = 0.5F});
  members.push_back(std::make_unique<TreeMember>(leaf));
  return members;
}

std::vector<FeatureBins> two_features() {
  std::vector<FeatureBins> features(2);
  features[0].bins = 2;
  features[1].type = data::ColumnType::categorical;
  features[1].bins = 4;
  return features;
}

/// The arrays of a file, to be changed before it is written again.
struct Arrays {
  std::vector<std::int64_t> first, count, first_category_word;
  std::vector<std::int32_t> feature, left, first_word, words;
  std::vector<double> threshold, cover;
  std::vector<float> value, gain;
  std::vector<std::uint8_t> flags;
  std::vector<std::uint32_t> category_words;

  template <class File, class F>
  void each(File& file, F f) {
    f(file, "tree.first", first);
    f(file, "tree.feature", feature);
    f(file, "tree.left", left);
    f(file, "tree.threshold", threshold);
    f(file, "tree.value", value);
    f(file, "tree.flags", flags);
    f(file, "tree.gain", gain);
    f(file, "tree.cover", cover);
    f(file, "tree.count", count);
    f(file, "tree.first_word", first_word);
    f(file, "tree.words", words);
    f(file, "tree.first_category_word", first_category_word);
    f(file, "tree.category_words", category_words);
  }
};

std::string bytes_of(const Members& members) {
  SafetensorsWriter writer;
  store_trees(members, writer);
  return writer.bytes();
}

Members load(const std::string& bytes) {
  const SafetensorsFile file(bytes, "model");
  return load_trees(file, two_features());
}

/// Loads two trees after `change`.
void load_after(const std::function<void(Arrays&)>& change) {
  const std::string bytes = bytes_of(two_trees());
  const SafetensorsFile file(bytes, "model");
  Arrays arrays;
  arrays.each(file, [](const SafetensorsFile& in, const char* name, auto& array) {
    array = in.read<typename std::remove_reference_t<decltype(array)>::value_type>(name);
  });
  change(arrays);
  SafetensorsWriter writer;
  arrays.each(writer, [](SafetensorsWriter& out, const char* name, const auto& array) {
    out.add(name, std::span(array));
  });
  load(writer.bytes());
}

int code_after(const std::function<void(Arrays&)>& change) {
  return code_of([&] { load_after(change); });
}

TEST(TreeFile, TreesSurviveTheRoundTrip) {
  const std::string bytes = bytes_of(two_trees());
  const Members loaded = load(bytes);
  EXPECT_EQ(bytes_of(loaded), bytes);
  ASSERT_EQ(loaded.size(), 2U);
  const double rows[] = {1, 0, 2, 0, 2, 1, 2, 2, kNaN, 0, 2, kNaN, 2, 31};
  double out[7];
  loaded[0]->predict({rows, 7, 2}, out);
  EXPECT_EQ(std::vector<double>(out, out + 7), (std::vector<double>{1, 3, 2, 2, 1, 3, 3}));
}

TEST(TreeFile, UnchangedArraysLoad) {
  EXPECT_EQ(code_after([](Arrays&) {}), 0);
}

TEST(TreeFile, AnIndexOutsideItsArrayIsRefused) {
  EXPECT_EQ(code_after([](Arrays& a) { a.feature[0] = 2; }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.feature[2] = 0; }), 3010) << "of another type";
  EXPECT_EQ(code_after([](Arrays& a) { a.flags[0] = 3; }), 3010) << "of another type";
  EXPECT_EQ(code_after([](Arrays& a) { a.left[0] = 0; }), 3010) << "a cycle";
  EXPECT_EQ(code_after([](Arrays& a) { a.left[2] = 1; }), 3010) << "before its parent";
  EXPECT_EQ(code_after([](Arrays& a) { a.left[0] = -1; }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.left[2] = 4; }), 3010) << "in the next tree";
  EXPECT_EQ(code_after([](Arrays& a) { a.left[2] = 0x7FFFFFFF; }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.first_word[2] = -1; }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.first_word[2] = 1; }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.words[2] = 2; }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.words[2] = -1; }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.first_word[2] = a.words[2] = 0x7FFFFFFF; }), 3010);
}

// x0 < 1.5 ? (x0 < 1.5 ? node 5 : leaf) : (x0 < 1.5 ? node 5 : leaf), and so on: every walk ends,
// but a node of two parents has two depths, and of 80 such nodes there are 2^79 walks.
TEST(TreeFile, ANodeIsTheChildOfOneOther) {
  const auto code = [](const std::vector<std::int32_t>& left) {
    Tree tree;
    for (const std::int32_t child : left) {
      tree.nodes.push_back({.feature = child > 0 ? 0 : -1, .left = child, .threshold = 1.5});
    }
    Members members;
    members.push_back(std::make_unique<TreeMember>(std::move(tree)));
    return code_of([&] { load(bytes_of(members)); });
  };
  EXPECT_EQ(code({1, 3, 0, 0, 0}), 0);
  EXPECT_EQ(code({1, 3, 3, 0, 0}), 3010) << "twins";
  EXPECT_EQ(code({1, 2, 0, 0}), 3010) << "a child that is its own sister";
  EXPECT_EQ(code({1, 0, 0, 0}), 3010) << "a node of no parent";
  std::vector<std::int32_t> many(600);  // so many parents that a byte would not count them
  std::fill_n(many.begin(), 257, 598);
  EXPECT_EQ(code(many), 3010);
}

TEST(TreeFile, ANumberThatIsNoneIsRefused) {
  const float nan = std::nanf("");
  EXPECT_EQ(code_after([&](Arrays& a) { a.value[1] = nan; }), 3010);
  EXPECT_EQ(code_after([&](Arrays& a) { a.value[1] = HUGE_VALF; }), 3010);
  EXPECT_EQ(code_after([&](Arrays& a) { a.threshold[0] = kNaN; }), 3010);
  EXPECT_EQ(code_after([&](Arrays& a) { a.gain[0] = nan; }), 3010);
  EXPECT_EQ(code_after([&](Arrays& a) { a.cover[0] = kInfinity; }), 3010);
  EXPECT_EQ(code_after([&](Arrays& a) { a.count[0] = -1; }), 3010);
}

TEST(TreeFile, OffsetsThatDoNotRiseToTheEndAreRefused) {
  EXPECT_EQ(code_after([](Arrays& a) { a.first = {0, 5}; }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.first = {1, 5, 6}; }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.first = {0, 6, 6}; }), 3010) << "a tree without a root";
  EXPECT_EQ(code_after([](Arrays& a) { a.first = {0, 7, 6}; }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.first = {0, -1, 6}; }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.first = {}; }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.first_category_word = {0, 1}; }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.first_category_word = {0, 2, 1}; }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.first_category_word = {0, 0, 1}; }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.first_category_word = {}; }), 3010);
}

TEST(TreeFile, ArraysOfDifferentLengthAreRefused) {
  EXPECT_EQ(code_after([](Arrays& a) { a.feature.pop_back(); }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.left.pop_back(); }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.threshold.push_back(0); }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.value.pop_back(); }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.flags.pop_back(); }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.gain.pop_back(); }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.cover.pop_back(); }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.count.pop_back(); }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.first_word.pop_back(); }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.words.pop_back(); }), 3010);
  EXPECT_EQ(code_after([](Arrays& a) { a.category_words.clear(); }), 3010);
}

// The first tree with slopes: x0 < 1.5 ? 5 + 2 x0 : (c0 in {1, 2} ? 2 : 7 - x0).
Members sloped_trees() {
  Members members = two_trees();
  Slopes& slopes = static_cast<TreeMember&>(*members[0]).tree().slopes;
  slopes.first = {0, 0, 1, 1, 1, 2};
  slopes.all = {{0, 2.0}, {0, -1.0}};
  slopes.intercept = {0.0, 5.0, 0.0, 0.0, 7.0};
  slopes.step = 0.25;
  return members;
}

struct SlopeArrays {
  std::vector<std::int64_t> first;
  std::vector<std::int32_t> feature;
  std::vector<double> slope, intercept, step;

  template <class File, class F>
  void each(File& file, F f) {
    f(file, "tree.first_slope", first);
    f(file, "tree.slope_feature", feature);
    f(file, "tree.slope", slope);
    f(file, "tree.intercept", intercept);
    f(file, "tree.step", step);
  }
};

/// Loads the trees with slopes after `change`, and with vectors of so many outputs.
void load_slopes(const std::function<void(SlopeArrays&)>& change, std::size_t outputs = 0) {
  const std::string bytes = bytes_of(sloped_trees());
  const SafetensorsFile file(bytes, "model");
  Arrays arrays;
  SlopeArrays slopes;
  SafetensorsWriter writer;
  const auto read = [](const SafetensorsFile& in, const char* name, auto& array) {
    array = in.read<typename std::remove_reference_t<decltype(array)>::value_type>(name);
  };
  const auto write = [](SafetensorsWriter& out, const char* name, const auto& array) {
    out.add(name, std::span(array));
  };
  arrays.each(file, read);
  slopes.each(file, read);
  change(slopes);
  arrays.each(writer, write);
  slopes.each(writer, write);
  const std::vector<float> vectors(6 * outputs);
  if (outputs > 0) writer.add("tree.vectors", std::span(vectors));
  load(writer.bytes());
}

int code_of_slopes(const std::function<void(SlopeArrays&)>& change, std::size_t outputs = 0) {
  return code_of([&] { load_slopes(change, outputs); });
}

TEST(TreeFile, SlopesSurviveTheRoundTrip) {
  const std::string bytes = bytes_of(sloped_trees());
  const Members loaded = load(bytes);
  EXPECT_EQ(bytes_of(loaded), bytes);
  EXPECT_TRUE(loaded[0]->needs_values());
  EXPECT_FALSE(loaded[1]->needs_values());
  const double rows[] = {1, 0, 1.1, 0, 2, 1, 2, 0, kNaN, 0};
  double out[5];
  loaded[0]->predict({rows, 5, 2}, out);
  EXPECT_EQ(std::vector<double>(out, out + 5), (std::vector<double>{7, 7.25, 2, 5, 1}));
}

TEST(TreeFile, SlopesThatDoNotFitAreRefused) {
  EXPECT_EQ(code_of_slopes([](SlopeArrays&) {}), 0);
  EXPECT_EQ(code_of_slopes([](SlopeArrays& a) { a.slope[0] = kNaN; }), 3010);
  EXPECT_EQ(code_of_slopes([](SlopeArrays& a) { a.intercept[1] = kInfinity; }), 3010);
  EXPECT_EQ(code_of_slopes([](SlopeArrays& a) { a.step[0] = -1.0; }), 3010);
  EXPECT_EQ(code_of_slopes([](SlopeArrays& a) { a.step[1] = kNaN; }), 3010);
  EXPECT_EQ(code_of_slopes([](SlopeArrays& a) { a.feature[0] = -1; }), 3010);
  EXPECT_EQ(code_of_slopes([](SlopeArrays& a) { a.feature[0] = 2; }), 3010);
  EXPECT_EQ(code_of_slopes([](SlopeArrays& a) { a.feature[1] = 1; }), 3010) << "a category";
  EXPECT_EQ(code_of_slopes([](SlopeArrays& a) { a.first[1] = 1; }), 3010) << "of a split";
  EXPECT_EQ(code_of_slopes([](SlopeArrays& a) { a.first[0] = -1; }), 3010);
  EXPECT_EQ(code_of_slopes([](SlopeArrays& a) { a.first.back() = 3; }), 3010);
  EXPECT_EQ(code_of_slopes([](SlopeArrays& a) { a.first[3] = 9; }), 3010);
  EXPECT_EQ(code_of_slopes([](SlopeArrays& a) { a.first.pop_back(); }), 3010);
  EXPECT_EQ(code_of_slopes([](SlopeArrays& a) { a.first.clear(); }), 3010);
  EXPECT_EQ(code_of_slopes([](SlopeArrays& a) { a.slope.pop_back(); }), 3010);
  EXPECT_EQ(code_of_slopes([](SlopeArrays& a) { a.feature.push_back(0); }), 3010);
  EXPECT_EQ(code_of_slopes([](SlopeArrays& a) { a.intercept.pop_back(); }), 3010);
  EXPECT_EQ(code_of_slopes([](SlopeArrays& a) { a.step.clear(); }), 3010);
  EXPECT_EQ(code_of_slopes([](SlopeArrays&) {}, 2), 3010) << "of several outputs";
}

TEST(TreeFile, OffsetsThatFallAreNamed) {
  const auto says = [](const std::function<void()>& f, const char* words) {
    try {
      f();
      FAIL() << "it loads";
    } catch (const ModelError& error) {
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  };
  says([] { load_after([](Arrays& a) { a.first = {0, 6, 6}; }); }, "no root in tree 1");
  says([] { load_after([](Arrays& a) { a.first_category_word = {0, 2, 1}; }); }, "words end");
  says([] { load_slopes([](SlopeArrays& a) { a.first[3] = 9; }); }, "slopes end");
}

TEST(TreeFile, AMissingArrayIsNamed) {
  SafetensorsWriter writer;
  EXPECT_EQ(code_of([&] { load(writer.bytes()); }), 3002);
}

// What members add up to on these rows is what a forest does, of a strip and row by row.
void expect_forest_of(const Members& members, const std::vector<double>& rows) {
  constexpr int kFeatures = 2;
  const int count = static_cast<int>(rows.size()) / kFeatures;
  std::vector<double> wanted(count);
  std::vector<double> values(count);
  std::vector<const Tree*> trees;
  for (const auto& member : members) {
    member->predict({rows.data(), count, kFeatures}, values.data());
    for (int i = 0; i < count; ++i) wanted[i] += values[i];
    trees.push_back(&static_cast<const TreeMember&>(*member).tree());
  }
  const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  const Forest forest(trees);
  for (const int strip_rows : {count, 1}) {
    Strip strip(kFeatures);
    strip.rows = strip_rows;
    for (int i = 0; i < strip_rows * kFeatures; ++i) {
      strip.column(i % kFeatures)[i / kFeatures] = rows[i];
    }
    std::vector<double> sums(forest.sums(1));
    Forest::Scratch scratch;
    forest.add(strip, 0, forest.trees(), 1, sums.data(), scratch);
    for (int i = 0; i < strip_rows; ++i) EXPECT_TRUE(same(sums[forest.at(i, 0)], wanted[i])) << i;
  }
  for (int i = 0; i < count; ++i) {
    double sum = 0.0;
    forest.each_of_row(rows.data() + i * kFeatures, 0, forest.trees(),
                       [&](std::int64_t, const auto* value) { sum += double{*value}; });
    EXPECT_TRUE(same(sum, wanted[i])) << i;
  }
}

// Whatever a byte is turned into, the file loads and predicts, by members and as a forest both of
// many rows and of one, or it is refused.
TEST(TreeFile, NoDamagedByteGetsPastTheChecks) {
  const std::string whole = bytes_of(sloped_trees());
  Random r(1);
  int refused = 0;
  std::vector<double> rows;
  for (int i = 0; i < 8; ++i) {
    for (const double x : {1.0, 0.0, 2.0, 3.0, kNaN, kNaN, kInfinity, 3.0}) rows.push_back(x);
  }
  expect_forest_of(load(whole), rows);
  for (int trial = 0; trial < 5000; ++trial) {
    std::string bytes = whole;
    bytes[static_cast<std::size_t>(r.below(static_cast<std::int64_t>(bytes.size())))] =
        static_cast<char>(r.below(256));
    try {
      const Members members = load(bytes);
      expect_forest_of(members, rows);
    } catch (const ModelError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace gradatim::boost
