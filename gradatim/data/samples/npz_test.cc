#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>

#include "gradatim/data/samples/parts.h"
#include "gradatim/data/samples/testing.h"

namespace gradatim::data {
namespace {

using namespace testing;
using Shape = std::vector<std::int64_t>;
using Bytes = std::vector<std::uint8_t>;
using Floats = std::vector<float>;

Bytes counting(std::size_t count) {
  Bytes bytes(count);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  return bytes;
}

Samples npy_samples(const std::string& bytes) { return parse_npy(bytes, "t.npy"); }
std::string npy_fault(const std::string& bytes) {
  return error_of([&] { npy_samples(bytes); });
}
std::string npz_fault(const std::string& bytes, const std::string& label = {}) {
  return error_of([&] { parse_npz(bytes, "t.npz", label); });
}

TEST(NpzSamples, ImagesOfBytesStayBytesAndLabelsAreSorted) {
  const std::string images = npy("|u1", {3, 2, 2}, counting(12));
  const std::string labels = npy("<i8", {3}, std::vector<std::int64_t>{10, 9, 10});
  for (const bool deflate : {false, true}) {
    for (const bool zip64 : {false, true}) {
      const std::string file = zip({{"x.npy", images}, {"y.npy", labels}, {"readme.txt", "hello"}},
                                   {.deflate = deflate, .zip64 = zip64, .comment = "a comment"});
      const Samples samples = parse_npz(file, "t.npz", "");
      EXPECT_EQ(samples.shape, (Shape{1, 2, 2}));
      EXPECT_EQ(samples.count, 3);
      EXPECT_EQ(samples.bytes, counting(12));
      EXPECT_TRUE(samples.numbers.empty());
      EXPECT_EQ(samples.classes, (Texts{"9", "10"}));
      EXPECT_EQ(samples.labels, (Shape{1, 0, 1}));
    }
  }
}

TEST(NpzSamples, TheLastAxisOfImagesIsMovedToTheFront) {
  const Samples last = npy_samples(npy("|u1", {1, 2, 2, 3}, counting(12)));
  EXPECT_EQ(last.shape, (Shape{3, 2, 2}));
  EXPECT_EQ(last.bytes, (Bytes{0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11}));
  const Samples first = npy_samples(npy("|u1", {1, 3, 2, 2}, counting(12)));
  EXPECT_EQ(first.shape, (Shape{3, 2, 2}));
  EXPECT_EQ(first.bytes, counting(12));
  const Samples numbers = npy_samples(npy("<f4", {1, 2, 1, 4}, Floats{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(numbers.shape, (Shape{4, 2, 1}));
  EXPECT_EQ(numbers.numbers, (Floats{0, 4, 1, 5, 2, 6, 3, 7}));
}

TEST(NpzSamples, ElementsOfEveryTypeBecomeNumbers) {
  const Floats wanted = {1, 0, 2, 3};
  auto numbers = [](const std::string& bytes) { return npy_samples(bytes).numbers; };
  EXPECT_EQ(numbers(npy("<f4", {2, 2}, wanted)), wanted);
  EXPECT_EQ(numbers(npy("<f8", {2, 2}, std::vector<double>{1, 0, 2, 3})), wanted);
  EXPECT_EQ(numbers(npy("|i1", {2, 2}, std::vector<std::int8_t>{1, 0, 2, 3})), wanted);
  EXPECT_EQ(numbers(npy("<i2", {2, 2}, std::vector<std::int16_t>{1, 0, 2, 3})), wanted);
  EXPECT_EQ(numbers(npy(">i2", {2, 2}, std::vector<std::int16_t>{256, 0, 512, 768})), wanted);
  EXPECT_EQ(numbers(npy("<i8", {2, 2}, std::vector<std::int64_t>{1, 0, 2, 3})), wanted);
  EXPECT_EQ(numbers(npy("<u4", {2, 2}, std::vector<std::uint32_t>{1, 0, 2, 3})), wanted);
  EXPECT_EQ(numbers(npy("|u1", {2, 2}, Bytes{1, 0, 2, 3})), wanted) << "rows are no images";
  EXPECT_EQ(numbers(npy("|b1", {2}, Bytes{1, 0})), (Floats{1, 0}));
  // Half floats: 1, 0, -2, the least subnormal, 1/3 rounded, the largest.
  const std::vector<std::uint16_t> halves = {0x3C00, 0, 0xC000, 1, 0x3555, 0x7BFF};
  EXPECT_EQ(numbers(npy("<f2", {6}, halves)),
            (Floats{1, 0, -2, std::ldexp(1.0F, -24), 0.333251953125F, 65504}));
}

TEST(NpzSamples, FortranOrderIsTurned) {
  std::string bytes = npy("|u1", {2, 3, 2}, counting(12));
  bytes.replace(bytes.find("False"), 5, "True ");
  // a[i, j, k] lies at i + 2 j + 6 k.
  EXPECT_EQ(npy_samples(bytes).bytes, (Bytes{0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11}));
}

TEST(NpzSamples, WordsBooleansAndWholeFloatsAreLabels) {
  const std::string x = npy("<f4", {3, 1}, Floats{1, 2, 3});
  auto labels = [&](const std::string& array) {
    const Samples samples = parse_npz(zip({{"data.npy", x}, {"target.npy", array}}), "t.npz", "");
    Texts words;
    for (const auto label : samples.labels) words.push_back(samples.classes[label]);
    return words;
  };
  const std::vector<std::uint32_t> letters = {'d', 'o', 'g', 0xE4, 0, 0, 0x1F600, 'a', 0};
  EXPECT_EQ(labels(npy("<U3", {3}, letters)), (Texts{"dog", "ä", "\U0001F600a"}));
  EXPECT_EQ(labels(npy("|S2", {3, 1}, std::vector<char>{'a', 0, 'b', 'c', 'd', 0})),
            (Texts{"a", "bc", "d"}));
  EXPECT_EQ(labels(npy("|b1", {3}, Bytes{1, 0, 1})), (Texts{"true", "false", "true"}));
  EXPECT_EQ(labels(npy("<f8", {3}, std::vector<double>{-1, 7, 0})), (Texts{"-1", "7", "0"}));
}

TEST(NpzSamples, ClassesAreSortedByValueOrByLetters) {
  Samples samples{.shape = {1}, .count = 4, .numbers = {1, 2, 3, 4}};
  set_labels(samples, {"10", "-3", "9", "10"}, "t");
  EXPECT_EQ(samples.classes, (Texts{"-3", "9", "10"}));
  EXPECT_EQ(samples.labels, (Shape{2, 0, 1, 2}));
  set_labels(samples, {"10", "x", "9", "9"}, "t");
  EXPECT_EQ(samples.classes, (Texts{"10", "9", "x"}));
  set_labels(samples, {"10", "010", "9", "9"}, "t");
  EXPECT_EQ(samples.classes, (Texts{"010", "10", "9"})) << "a code is a word";
}

TEST(NpzSamples, TheArraysAreFoundByNameOrByTheirDimensions) {
  const std::string rows = npy("<f4", {2, 2}, Floats{1, 2, 3, 4});
  const std::string line = npy("<i4", {2}, std::vector<std::int32_t>{5, 6});
  const Samples other = parse_npz(zip({{"digits.npy", rows}, {"who.npy", line}}), "t.npz", "who");
  EXPECT_EQ(other.numbers, (Floats{1, 2, 3, 4}));
  EXPECT_EQ(other.classes, (Texts{"5", "6"}));
  EXPECT_TRUE(
      parse_npz(zip({{"digits.npy", rows}, {"who.npy", line}}), "t.npz", "").labels.empty());
  EXPECT_EQ(
      npz_fault(zip({{"a.npy", rows}, {"b.npy", rows}})),
      "t.npz: which array holds the samples is not clear among a and b; call it x (GRD-2071)");
  EXPECT_EQ(npz_fault(zip({{"x.npy", rows}}), "z"),
            "t.npz: there is no array 'z' to take labels from; there are x (GRD-2071)");
  EXPECT_EQ(
      npz_fault(zip({{"x.txt", rows}})),
      "t.npz: the archive holds no array; write it by numpy.savez(file, x=samples) (GRD-2071)");
}

TEST(NpzSamples, ShapesWithoutARuleAreRefused) {
  EXPECT_EQ(npy_fault(npy("|u1", {1, 3, 2, 4}, counting(24))),
            "t.npy: images have shape [n, height, width, channels] or [n, channels, height, width] "
            "with 1, 3 or 4 channels, but of (1, 3, 2, 4) both the second and the last axis could "
            "be the channels; transpose or reshape the array (GRD-2072)");
  EXPECT_NE(npy_fault(npy("|u1", {1, 2, 2, 2}, counting(8))).find("neither the second nor the"),
            std::string::npos);
  EXPECT_NE(
      npy_fault(npy("|u1", {1, 1, 1, 1, 1}, counting(1))).find("has 5; reshape it (GRD-2072)"),
      std::string::npos);
  EXPECT_EQ(npy_fault(npy("|u1", {2, 0}, Bytes{})),
            "t.npy: the array of shape (2, 0) is empty; save samples (GRD-2072)");
  const std::string large = npy("<f8", {3037000500, 3037000500, 3037000500}, Floats{1, 2});
  EXPECT_EQ(npy_fault(large),
            "t.npy: the file ends within its cells; save it again by numpy.save or numpy.savez "
            "(GRD-2016)");
  EXPECT_EQ(npy_fault(npy("<f4", {2, 1}, Floats{1, 2, 3})),
            "t.npy: it holds 12 bytes of cells, but its shape (2, 1) needs 8; save it again by "
            "numpy.save or numpy.savez (GRD-2016)");
}

TEST(NpzSamples, CellsThatAreNoFiniteNumbersAreNamed) {
  EXPECT_EQ(npy_fault(npy("<f4", {2, 2, 2}, Floats{0, 0, 0, 0, 0, 0, NAN, 0})),
            "t.npy, row 2: the cell [1, 1, 0] is nan, but samples hold finite numbers up to "
            "3.4e38; leave the row out or scale the array (GRD-2076)");
  EXPECT_NE(npy_fault(npy("<f8", {1}, std::vector<double>{1e39})).find("[0] is inf"),
            std::string::npos);
  EXPECT_EQ(npy_fault(npy("|O", {1}, Floats{1, 2})),
            "t.npy: its elements are Python objects, which are not read; save numbers, or words by "
            ".astype(str) (GRD-2073)");
  EXPECT_EQ(npy_fault(npy("<c8", {1}, Floats{1, 2})),
            "t.npy: elements of type '<c8' are not read; save integers, floats or booleans "
            "(GRD-2073)");
  EXPECT_NE(npy_fault(npy("<U1", {1, 1}, Floats{1})).find("GRD-2073"), std::string::npos);
}

TEST(NpzSamples, LabelsThatDoNotSuitAreNamed) {
  const std::string x = npy("<f4", {2, 1}, Floats{1, 2});
  auto fault = [&](const std::string& y) { return npz_fault(zip({{"x.npy", x}, {"y.npy", y}})); };
  EXPECT_EQ(fault(npy("<i4", {3}, std::vector<std::int32_t>{1, 2, 3})),
            "t.npz, array 'y': there are 3 labels, but 2 samples; give one label a sample "
            "(GRD-2074)");
  EXPECT_NE(fault(npy("<f4", {2, 2}, Floats{1, 0, 0, 1})).find(".argmax(1) (GRD-2074)"),
            std::string::npos);
  EXPECT_EQ(fault(npy("<f4", {2}, Floats{1, 0.5})),
            "t.npz, array 'y', row 2: a label is a whole number or a word, not 0.5; if these are "
            "no labels, give the array another name, else round them (GRD-2075)");
  EXPECT_NE(fault(npy("<U1", {2}, std::vector<std::uint32_t>{'a', 0})).find("row 2: the label is"),
            std::string::npos);
  EXPECT_NE(fault(npy("<U1", {2}, std::vector<std::uint32_t>{'a', 0xD800})).find("GRD-2075"),
            std::string::npos);
}

TEST(NpzSamples, DamagedArchivesAreRefusedAtEveryLength) {
  const std::string x = npy("|u1", {2, 2, 2}, counting(8));
  for (const bool deflate : {false, true}) {
    for (const bool zip64 : {false, true}) {
      const std::string whole = zip({{"x.npy", x}}, {.deflate = deflate, .zip64 = zip64});
      ASSERT_EQ(parse_npz(whole, "t.npz", "").count, 2);
      for (std::size_t size = 0; size < whole.size(); ++size) {
        ASSERT_NE(npz_fault(whole.substr(0, size)), "no error") << size;
      }
    }
  }
  for (std::size_t size = 0; size < x.size(); ++size) {
    ASSERT_NE(npy_fault(x.substr(0, size)), "no error") << size;
  }
}

TEST(NpzSamples, EveryFlippedByteIsAnErrorOrReadsWhole) {
  const std::string x = npy("|u1", {2, 2, 2}, counting(8));
  const std::string whole = zip({{"x.npy", x}}, {.deflate = true, .zip64 = true});
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char mask : {'\x01', '\x80', '\xFF'}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ mask);
      try {
        EXPECT_EQ(parse_npz(damaged, "t.npz", "").bytes, counting(8)) << at;
      } catch (const DataError&) {
      }
    }
  }
}

TEST(NpzSamples, ArchivesSayWhatIsWrongWithThem) {
  const std::string x = npy("|u1", {2, 2, 2}, counting(8));
  const std::string remedy = "; copy it again, or write it by numpy.savez (GRD-2070)";
  EXPECT_EQ(npz_fault("PK"), "t.npz: no ZIP archive, or one that is cut off" + remedy);
  EXPECT_EQ(npz_fault(zip({{"x.npy", x}}, {.flags = 1})),
            "t.npz: the archive is encrypted, which is not read" + remedy);
  EXPECT_EQ(
      npz_fault(zip({{"x.npy", x}}, {.method = 12})),
      "t.npz, entry 'x.npy': compression 12 is not read, only stored and deflated entries are" +
          remedy);
  std::string flipped = zip({{"x.npy", x}});
  flipped[flipped.find('\n') + 1] = 'z';
  EXPECT_EQ(npz_fault(flipped), "t.npz, entry 'x.npy': its checksum is wrong" + remedy);
  EXPECT_EQ(npz_fault(zip({{"x.npy", x}}, {.size_error = 1})),
            "t.npz, entry 'x.npy': its sizes contradict" + remedy);
  EXPECT_NE(npz_fault(zip({{"x.npy", x}}, {.deflate = true, .size_error = 1})).find("cut off"),
            std::string::npos);
  EXPECT_NE(npz_fault(zip({{"x.npy", x}}, {.deflate = true, .size_error = -1})).find("holds more"),
            std::string::npos);
  EXPECT_NE(
      npz_fault(zip({{"x.npy", x}}, {.deflate = true, .size_error = 1000000000})).find("claims"),
      std::string::npos);
}

}  // namespace
}  // namespace gradatim::data
