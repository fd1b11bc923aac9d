#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "gradatim/data/samples/parts.h"
#include "gradatim/data/samples/testing.h"

namespace gradatim::data {
namespace {

using namespace testing;
using Shape = std::vector<std::int64_t>;

std::string idx(int type, const std::vector<std::uint32_t>& extents, std::string_view cells) {
  std::string bytes(2, '\0');
  bytes += static_cast<char>(type);
  bytes += static_cast<char>(extents.size());
  for (const auto extent : extents) {
    for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(extent >> shift);
  }
  return bytes += cells;
}

const std::string kImages = idx(8, {2, 1, 3}, "abcdef");
const std::string kLabels = idx(8, {2}, "\x07\x03");

Samples parse(const std::string& bytes) { return parse_idx(bytes, "t.idx"); }
std::string fault(const std::string& bytes) {
  return error_of([&] { parse(bytes); });
}

TEST(IdxSamples, ImagesAreReadPlainAndCompressed) {
  const std::string two_members =
      deflated(kImages.substr(0, 9), 31) + deflated(kImages.substr(9), 31);
  for (const auto& bytes : {kImages, deflated(kImages, 31), two_members}) {
    const Samples samples = parse(bytes);
    EXPECT_EQ(samples.shape, (Shape{1, 1, 3}));
    EXPECT_EQ(samples.count, 2);
    EXPECT_EQ(samples.bytes, (std::vector<std::uint8_t>{'a', 'b', 'c', 'd', 'e', 'f'}));
  }
}

TEST(IdxSamples, NumbersAreBigEndian) {
  using Floats = std::vector<float>;
  const std::string_view one_and_two("\x00\x01\xFF\xFE", 4);
  EXPECT_EQ(parse(idx(0x0B, {1, 2}, one_and_two)).numbers, (Floats{1, -2}));
  EXPECT_EQ(parse(idx(0x0C, {1, 1}, std::string_view("\x00\x01\x00\x00", 4))).numbers,
            (Floats{65536}));
  EXPECT_EQ(parse(idx(0x0D, {1, 1}, std::string_view("\x3F\xC0\x00\x00", 4))).numbers,
            (Floats{1.5}));
  EXPECT_EQ(parse(idx(0x0E, {1, 1}, std::string_view("\x3F\xF8\0\0\0\0\0\0", 8))).numbers,
            (Floats{1.5}));
  EXPECT_EQ(parse(idx(0x09, {1, 1}, "\xFF")).numbers, (Floats{-1}));
}

TEST(IdxSamples, LabelsLieInTheFileBesideOrWhereTheOptionSays) {
  const TemporaryFolder folder;
  const std::string images = folder.write("train-images-idx3-ubyte", kImages);
  EXPECT_TRUE(read_samples(images).labels.empty());
  folder.write("train-labels-idx1-ubyte.gz", deflated(kLabels, 31));
  const Samples samples = read_samples(images);
  EXPECT_EQ(samples.classes, (Texts{"3", "7"}));
  EXPECT_EQ(samples.labels, (Shape{1, 0}));
  const std::string other = folder.write("other", idx(8, {2}, "\x01\x01"));
  EXPECT_EQ(read_samples(images, {.label = other}).classes, (Texts{"1"}));
  folder.write("train-labels-idx1-ubyte", idx(8, {3}, "\x01\x01\x01"));
  EXPECT_NE(error_of([&] { read_samples(images); }).find("3 labels, but 2 samples"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              read_samples(folder.path("train-labels-idx1-ubyte"));
            }).find("holds labels; name the file of the images (GRD-2072)"),
            std::string::npos);
}

TEST(IdxSamples, DamagedFilesAreRefusedAtEveryLength) {
  for (const auto& whole : {kImages, deflated(kImages, 31)}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      ASSERT_NE(fault(whole.substr(0, size)), "no error") << size;
    }
  }
  const std::string zipped = deflated(kImages, 31);
  std::string wrong_sum = zipped;
  wrong_sum[zipped.size() - 8] ^= 1;
  EXPECT_EQ(
      fault(wrong_sum),
      "t.idx: its compressed data is damaged: incorrect data check; copy it again (GRD-2070)");
}

TEST(IdxSamples, HeadersThatCannotBeAreNamed) {
  EXPECT_EQ(fault("PK\x03\x04"),
            "t.idx: it begins with 50 4b 03 04, as no IDX file of 1 to 4 dimensions does; copy it "
            "again (GRD-2077)");
  EXPECT_EQ(fault(idx(8, {2, 2, 3}, "abcdef")),
            "t.idx: the file ends within its cells, which need 12 bytes, where 6 are left; copy it "
            "again (GRD-2077)");
  EXPECT_EQ(fault(kImages + "g"),
            "t.idx: 1 byte behind the cells that its header counts; copy it again (GRD-2077)");
  EXPECT_EQ(fault(idx(8, {2, 0}, "")),
            "t.idx: axis 2 has extent 0, as no samples have; copy it again (GRD-2077)");
  const std::uint32_t most = 0xFFFFFFFF;
  EXPECT_NE(fault(idx(8, {most, most, most}, "abcdef")).find("axis 2 has"), std::string::npos);
  EXPECT_NE(fault(deflated(idx(8, {most, 9}, "abcdef"), 31)).find("it claims 38654705655 bytes"),
            std::string::npos);
}

}  // namespace
}  // namespace gradatim::data
