#include "gradatim/data/samples.h"

#include <gtest/gtest.h>

#include <string>

#include "gradatim/data/samples/testing.h"

namespace gradatim::data {
namespace {

using namespace testing;
using Shape = std::vector<std::int64_t>;

void expect_equal(const Samples& a, const Samples& b) {
  EXPECT_EQ(a.shape, b.shape);
  EXPECT_EQ(a.count, b.count);
  EXPECT_EQ(a.bytes, b.bytes);
  EXPECT_EQ(a.numbers, b.numbers);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.classes, b.classes);
}

Samples grey_images() {
  return {.shape = {1, 2, 2}, .count = 2, .bytes = {0, 1, 2, 3, 250, 251, 252, 255}};
}

TEST(Samples, AnArchiveReadsBackAsItWasWritten) {
  const TemporaryFolder folder;
  Samples samples = grey_images();
  auto round_trip = [&] {
    write_samples(samples, folder.path("t.npz"));
    return read_samples(folder.path("t.npz"));
  };
  expect_equal(round_trip(), samples);
  samples.labels = {1, 0};
  samples.classes = {"-4", "12"};
  expect_equal(round_trip(), samples);
  samples.classes = {"cat", "Übergröße \U0001F600"};
  expect_equal(round_trip(), samples);
  samples = {.shape = {3, 2, 2}, .count = 1, .numbers = std::vector<float>(12, 0.1F)};
  expect_equal(round_trip(), samples);
  samples = {.shape = {3}, .count = 2, .numbers = {1, 2, 3, 4, 5, 6.5F}};
  expect_equal(round_trip(), samples);
}

TEST(Samples, AnArrayIsWrittenWithoutLabels) {
  const TemporaryFolder folder;
  Samples samples = grey_images();
  samples.labels = {0, 0};
  samples.classes = {"a"};
  write_samples(samples, folder.path("t.npy"));
  const Samples again = read_samples(folder.path("t.npy"));
  EXPECT_EQ(again.bytes, samples.bytes);
  EXPECT_TRUE(again.labels.empty());
  EXPECT_EQ(error_of([&] { read_samples("t.npy", {.label = "y"}); }),
            "'t.npy' is a single array, which has no labels, but label is 'y'; save both by "
            "numpy.savez(file, x=samples, y=labels) (GRD-1152)");
}

TEST(Samples, ATableIsRowsOfNumbersWithTheirNames) {
  const TemporaryFolder folder;
  const std::string path = folder.write("t.csv", "a,kind,b,on\n1,x,0.5,true\n2,y,-1,false\n");
  const Samples samples = read_samples(path, {.label = "kind"});
  EXPECT_EQ(samples.shape, (Shape{3}));
  EXPECT_EQ(samples.columns, (Texts{"a", "b", "on"}));
  EXPECT_EQ(samples.numbers, (std::vector<float>{1, 0.5, 1, 2, -1, 0}));
  EXPECT_EQ(samples.classes, (Texts{"x", "y"}));
  write_samples(samples, folder.path("again.csv"));
  struct Listener final : Observer {
    void on_warning(const std::string& text) override { warning = text; }
    std::string warning;
  } listener;
  const Samples again = read_samples(folder.path("again.csv"), {.observer = &listener});
  expect_equal(again, samples);
  EXPECT_EQ(again.columns, samples.columns);
  EXPECT_EQ(listener.warning, "column 'label' of " + folder.path("again.csv") +
                                  " is taken for the labels; rename it if it is a number of the "
                                  "samples");
}

TEST(Samples, ATableThatIsNoRowsOfNumbersIsRefused) {
  const TemporaryFolder folder;
  auto fault = [&](const std::string& text, const std::string& label = {}) {
    const std::string path = folder.write("t.csv", text);
    std::string line = error_of([&] { read_samples(path, {.label = label}); });
    for (auto at = line.find(path); at != std::string::npos; at = line.find(path)) {
      line.replace(at, path.size(), "t.csv");
    }
    return line;
  };
  EXPECT_EQ(fault("a,b\n1,x\n"),
            "column 'b' of t.csv: it holds words, such as 'x', but samples are numbers; leave the "
            "column out, or name it as the label (GRD-2084)");
  EXPECT_EQ(fault("a,b\n1,2\n3,\n"),
            "column 'b' of t.csv, row 2: the cell is missing, but samples have all their numbers; "
            "fill it, or leave the row out (GRD-2076)");
  EXPECT_EQ(fault("a\n1\n-inf\n"),
            "column 'a' of t.csv, row 2: the cell is -inf, but samples hold finite numbers up to "
            "3.4e38; leave the row out or scale the column (GRD-2076)");
  EXPECT_EQ(fault("a,y\n1,2\n3,\n", "y"),
            "column 'y' of t.csv, row 2: the label is missing; write one, or leave the row out "
            "(GRD-2075)");
  EXPECT_EQ(fault("a,label\n1,0.5\n"),
            "column 'label' of t.csv, row 1: a label is a whole number or a word, not 0.5; if the "
            "column holds no labels, rename it, else round it (GRD-2075)");
  EXPECT_EQ(fault("y\n1\n", "y"),
            "t.csv has no column beside the labels; add columns of numbers (GRD-2084)");
  EXPECT_NE(fault("a,y\n1,2\n", "z").find("GRD-2004"), std::string::npos);
}

TEST(Samples, SamplesThatContradictThemselvesAreNotWritten) {
  const TemporaryFolder folder;
  Samples samples = grey_images();
  auto fault = [&] { return error_of([&] { write_samples(samples, folder.path("t.npz")); }); };
  samples.count = 3;
  EXPECT_EQ(fault(),
            "3 samples of 4 numbers need 12 in all, as bytes or as numbers, not 8; give all of at "
            "least one sample (GRD-1153)");
  samples = grey_images();
  samples.labels = {0, 1};
  samples.classes = {"a"};
  EXPECT_EQ(fault(),
            "2 labels of 1 classes do not suit 2 samples; give each the place of its class "
            "(GRD-1153)");
  samples = grey_images();
  samples.columns = {"a"};
  EXPECT_EQ(
      fault(),
      "1 names of columns do not suit samples of 4 numbers; give one each or none (GRD-1153)");
}

}  // namespace
}  // namespace gradatim::data
