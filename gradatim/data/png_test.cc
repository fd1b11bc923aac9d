#include "gradatim/data/png.h"

#include <gtest/gtest.h>

#include <string>

#include "gradatim/data/samples/testing.h"

namespace gradatim::data {
namespace {

using namespace testing;
using namespace std::string_view_literals;
using Bytes = std::vector<std::uint8_t>;

std::string fault(const std::string& bytes) {
  return error_of([&] { decode_png(bytes, "t.png"); });
}

void expect_image(const std::string& bytes, std::int64_t channels, const Bytes& pixels) {
  const Image image = decode_png(bytes, "t.png");
  EXPECT_EQ(image.channels, channels);
  EXPECT_EQ(image.bytes, pixels);
}

TEST(Png, WhatIsWrittenIsRead) {
  for (const std::int64_t channels : {1, 3}) {
    Image image{.height = 5, .width = 7, .channels = channels, .bytes = {}};
    for (std::int64_t i = 0; i < 35 * channels; ++i) {
      image.bytes.push_back(static_cast<std::uint8_t>(i * 37));
    }
    const std::string bytes = encode_png(image);
    const Image again = decode_png(bytes, "t.png");
    EXPECT_EQ(again.height, 5);
    EXPECT_EQ(again.width, 7);
    EXPECT_EQ(again.channels, channels);
    EXPECT_EQ(again.bytes, image.bytes);
    EXPECT_EQ(encode_png(again), bytes);
  }
}

TEST(Png, EveryKindOfPixelBecomesEightBits) {
  // Header: bits, colour (0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA), 0, 0, interlaced.
  expect_image(png(2, 1, "\x10\x00\0\0\0"sv, "\0\x80\x00\xFF\xFF"sv), 1, {128, 255});
  expect_image(png(4, 1, "\x02\x00\0\0\0"sv, "\0\x1B"sv), 1, {0, 85, 170, 255});
  expect_image(png(2, 1, "\x08\x03\0\0\0"sv, "\0\x01\x00"sv, {{"PLTE", {1, 2, 3, 4, 5, 6}}}), 3,
               {4, 5, 6, 1, 2, 3});
  expect_image(png(2, 1, "\x08\x04\0\0\0"sv, "\0\x07\xFF\x09\xFF"sv), 1, {7, 9});
  expect_image(png(1, 1, "\x08\x06\0\0\0"sv, "\0\x01\x02\x03\xFF"sv), 3, {1, 2, 3});
  expect_image(png(1, 1, "\x10\x06\0\0\0"sv, "\0\x01\x00\x02\x00\x03\x00\xFF\xFF"sv), 3, {1, 2, 3});
}

TEST(Png, InterlacedRowsAreSorted) {
  // Adam7 of 2 x 2 pixels: the first, then the second, then the last row.
  expect_image(png(2, 2, "\x08\x00\0\0\x01"sv, "\0\x01\0\x02\0\x03\x04"sv), 1, {1, 2, 3, 4});
}

TEST(Png, FiltersAreUndone) {
  // Sub adds the pixel on the left, Up the one above.
  expect_image(png(2, 2, "\x08\x00\0\0\0"sv, "\x01\x05\x06\x02\x01\x01"sv), 1, {5, 11, 6, 12});
}

TEST(Png, OnlyOpaqueImagesAreRead) {
  EXPECT_EQ(fault(png(2, 2, "\x08\x04\0\0\0"sv, "\0\x01\xFF\x01\xFF\0\x01\xFF\x01\xFE"sv)),
            "t.png: the pixel at column 2, row 2 is transparent (alpha 254 of 255), and what lies "
            "behind is not known; lay the image on a background (GRD-2085)");
  // A transparent colour (tRNS) that no pixel has, and one that a pixel has.
  expect_image(png(1, 1, "\x08\x00\0\0\0"sv, "\0\x05"sv, {{"tRNS", {0, 6}}}), 1, {5});
  EXPECT_NE(fault(png(1, 1, "\x08\x00\0\0\0"sv, "\0\x05"sv, {{"tRNS", {0, 5}}})).find("GRD-2085"),
            std::string::npos);
}

TEST(Png, DamagedFilesAreRefusedAtEveryLengthAndByte) {
  const std::string whole = png(2, 2, "\x08\x00\0\0\0"sv, "\0\x01\x02\0\x03\x04"sv);
  expect_image(whole, 1, {1, 2, 3, 4});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(fault(whole.substr(0, size)), "no error") << size;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_NE(fault(damaged), "no error") << at;
  }
}

TEST(Png, FilesSayWhatIsWrongWithThem) {
  const std::string remedy = "; write the file again as PNG (GRD-2078)";
  EXPECT_EQ(fault("GIF89a"), "t.png: not a PNG file" + remedy);
  const std::string whole = png(2, 2, "\x08\x00\0\0\0"sv, "\0\x01\x02\0\x03\x04"sv);
  EXPECT_EQ(fault(whole.substr(0, 60)), "t.png: the file is cut off" + remedy);
  EXPECT_EQ(fault(png(2, 2, "\x08\x00\0\0\0"sv, "\0\x01\x02\0"sv)),
            "t.png: Not enough image data" + remedy);
  EXPECT_EQ(fault(png(8192, 8192, "\x08\x00\0\0\0"sv, "")),
            "t.png: its 65 bytes cannot hold 8192 x 8192 pixels" + remedy);
  EXPECT_EQ(fault(png(8193, 8192, "\x08\x00\0\0\0"sv, "")),
            "t.png: it claims 8193 x 8192 pixels, but at most 67108864 are read; make the image "
            "smaller (GRD-2080)");
  EXPECT_NE(fault(png(0xFFFFFFFF, 0xFFFFFFFF, "\x08\x00\0\0\0"sv, "")).find("GRD-2080"),
            std::string::npos);
  EXPECT_NE(fault(png(0, 1, "\x08\x00\0\0\0"sv, "")).find("GRD-2078"), std::string::npos);
}

TEST(Png, OnlyImagesAreWritten) {
  EXPECT_EQ(error_of([] {
              encode_png({.height = 2, .width = 2, .channels = 1, .bytes = {1, 2, 3}});
            }),
            "3 bytes are no image of 2 x 2 pixels and 1 channels; give all, of 1 or 3 channels "
            "(GRD-1150)");
}

}  // namespace
}  // namespace gradatim::data
