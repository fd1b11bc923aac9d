#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "gradatim/data/png.h"
#include "gradatim/data/samples/jpeg_testing.h"
#include "gradatim/data/samples/parts.h"
#include "gradatim/data/samples/testing.h"

namespace gradatim::data {
namespace {

using namespace testing;
using Bytes = std::vector<std::uint8_t>;
using Shape = std::vector<std::int64_t>;

std::string grey(std::uint8_t level, std::int64_t width = 2) {
  return encode_png({.height = 1,
                     .width = width,
                     .channels = 1,
                     .bytes = Bytes(static_cast<std::size_t>(width), level)});
}
std::string rgb(std::uint8_t level) {
  return encode_png({.height = 1, .width = 2, .channels = 3, .bytes = {level, 1, 2, level, 1, 2}});
}

class ImageFolder : public ::testing::Test {
 protected:
  void add(const std::string& name, const std::string& bytes) {
    std::filesystem::create_directories(std::filesystem::path(folder_.path(name)).parent_path());
    folder_.write(name, bytes);
  }
  Samples read(const std::string& label = {}) {
    return read_samples(folder_.path(""), {.label = label});
  }
  std::string fault(const std::string& label = {}) {
    std::string line = error_of([&] { read(label); });
    const std::string base = folder_.path("");
    for (auto at = line.find(base); at != std::string::npos; at = line.find(base)) {
      line.erase(at, base.size());
    }
    return line;
  }

  TemporaryFolder folder_;
};

TEST_F(ImageFolder, FoldersAreLabelsAndFilesAreInOrderOfNames) {
  add("10/a.png", grey(1));
  add("9/b/deep.PNG", grey(2));
  add("9/a.png", grey(3));
  add(".hidden/c.png", "junk");
  add("9/notes.txt", "junk");
  const Samples samples = read();
  EXPECT_EQ(samples.shape, (Shape{1, 1, 2}));
  EXPECT_EQ(samples.bytes, (Bytes{1, 1, 3, 3, 2, 2}));
  EXPECT_EQ(samples.classes, (Texts{"9", "10"}));
  EXPECT_EQ(samples.labels, (Shape{1, 0, 0}));
}

TEST_F(ImageFolder, AListGivesLabels) {
  add("a.png", grey(1));
  add("sub/b.png", grey(2));
  add("labels.csv", "label,file\n1,sub/b.png\nNo,a.png\n");
  EXPECT_EQ(read().classes, (Texts{"1", "No"}));
  EXPECT_EQ(read().labels, (Shape{1, 0}));
  add("other.csv", "file,label\na.png,x\nsub/b.png,x\n");
  EXPECT_EQ(read(folder_.path("other.csv")).classes, (Texts{"x"}));
}

TEST_F(ImageFolder, ListsThatDoNotSuitTheFilesAreRefused) {
  add("a.png", grey(1));
  add("b.png", grey(2));
  auto with = [&](const std::string& rows) {
    add("labels.csv", "file,label\n" + rows);
    return fault();
  };
  EXPECT_EQ(with("a.png,x\n"),
            "labels.csv: the image 'b.png' has no row; add one, or take the image away (GRD-2083)");
  EXPECT_EQ(
      with("a.png,x\nc.png,y\n"),
      "labels.csv, row 2: there is no image 'c.png' in the folder; correct the name, or leave "
      "the row out (GRD-2083)");
  EXPECT_EQ(with("a.png,x\na.png,y\n"),
            "labels.csv, row 2: the image 'a.png' has a label already; leave one of the rows out "
            "(GRD-2083)");
  EXPECT_EQ(with("a.png,\nb.png,y\n"),
            "labels.csv, row 1: the label of 'a.png' is missing; write one (GRD-2083)");
  add("labels.csv", "name,label\na.png,x\n");
  EXPECT_NE(fault().find("GRD-2004"), std::string::npos);
}

TEST_F(ImageFolder, ImagesWithoutFoldersHaveNoLabels) {
  add("a.png", grey(1));
  EXPECT_TRUE(read().labels.empty());
  add("x/b.png", grey(1));
  EXPECT_EQ(
      fault(),
      ": images lie in folders, which are their labels, but 'a.png' lies beside them; move it "
      "into one, or list all labels in labels.csv (GRD-2082)");
}

TEST_F(ImageFolder, GreyAmongRgbBecomesRgb) {
  add("a.png", grey(5));
  add("b.png", rgb(9));
  add("c.png", grey(6));
  const Samples samples = read();
  EXPECT_EQ(samples.shape, (Shape{3, 1, 2}));
  EXPECT_EQ(samples.bytes, (Bytes{5, 5, 5, 5, 5, 5, 9, 9, 1, 1, 2, 2, 6, 6, 6, 6, 6, 6}));
}

TEST_F(ImageFolder, JpegFilesAreReadUnderEveryName) {
  const Image flat{.height = 8, .width = 8, .channels = 1, .bytes = Bytes(64, 100)};
  add("a.jpg", jpeg(flat));
  add("b.JPEG", jpeg(flat));
  add("c.png", jpeg(flat));
  const Samples samples = read();
  EXPECT_EQ(samples.count, 3);
  EXPECT_EQ(samples.bytes, Bytes(192, 100));
}

TEST_F(ImageFolder, SizesThatDifferAndDamagedFilesAreNamed) {
  add("a.png", grey(1));
  add("b.png", grey(1, 3));
  EXPECT_EQ(
      fault(),
      "b.png: the image has 3 x 1 pixels, but a.png has 2 x 1 pixels; bring all images to one "
      "size (GRD-2081)");
  add("b.png", grey(1).substr(0, 50));
  EXPECT_EQ(fault(), "b.png: the file is cut off; write the file again as PNG (GRD-2078)");
}

TEST_F(ImageFolder, AFolderWithoutImagesIsATable) {
  add("a.csv", "a,b\n1,2\n");
  EXPECT_EQ(read().shape, (Shape{2}));
  EXPECT_EQ(error_of([&] { read_samples("t.png", {.label = "y"}); }),
            "'t.png' is a single image, which has no labels, but label is 'y'; name a folder of "
            "images (GRD-1152)");
}

}  // namespace
}  // namespace gradatim::data
