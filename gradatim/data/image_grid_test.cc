#include <gtest/gtest.h>

#include <string>

#include "gradatim/data/image.h"
#include "gradatim/data/png.h"
#include "gradatim/data/samples/testing.h"

namespace gradatim::data {
namespace {

using namespace testing;
using Bytes = std::vector<std::uint8_t>;

TEST(ImageGrid, ImagesLieInRowsWithAPixelAround) {
  Samples samples{.shape = {1, 32, 32}, .count = 3, .bytes = Bytes(3 * 1024, 7)};
  samples.bytes[2 * 1024] = 200;
  const Image sheet = image_grid(samples, 2);
  EXPECT_EQ(sheet.width, 67);
  EXPECT_EQ(sheet.height, 67);
  auto at = [&](std::int64_t y, std::int64_t x) { return sheet.bytes[y * sheet.width + x]; };
  EXPECT_EQ(at(0, 0), 128);
  EXPECT_EQ(at(1, 1), 7);
  EXPECT_EQ(at(33, 5), 128);
  EXPECT_EQ(at(34, 1), 200) << "the third begins the second row";
  EXPECT_EQ(at(34, 34), 128) << "a place without an image";
}

TEST(ImageGrid, SmallImagesAreEnlargedByWholeFactors) {
  auto width = [](std::int64_t side) {
    return image_grid({.shape = {1, side, side},
                       .count = 1,
                       .bytes = Bytes(static_cast<std::size_t>(side * side))})
               .width -
           2;
  };
  EXPECT_EQ(width(8), 32);
  EXPECT_EQ(width(10), 30);
  EXPECT_EQ(width(28), 28);
  EXPECT_EQ(width(64), 64);
  const Image sheet = image_grid({.shape = {3, 1, 16}, .count = 1, .bytes = Bytes(48, 9)});
  EXPECT_EQ(sheet.width, 34);
  EXPECT_EQ(sheet.height, 4);
}

TEST(ImageGrid, EveryPixelOfASmallImageBecomesASquare) {
  const Image sheet = image_grid({.shape = {1, 2, 2}, .count = 1, .bytes = {1, 2, 3, 4}});
  ASSERT_EQ(sheet.width, 34);
  for (std::int64_t y = 0; y < 32; ++y) {
    for (std::int64_t x = 0; x < 32; ++x) {
      ASSERT_EQ(sheet.bytes[(y + 1) * 34 + x + 1], 1 + y / 16 * 2 + x / 16) << y << ' ' << x;
    }
  }
}

TEST(ImageGrid, ChannelsAreInterleaved) {
  Samples samples{.shape = {3, 1, 32}, .count = 1, .bytes = Bytes(96, 0)};
  for (std::size_t c = 0; c < 3; ++c) samples.bytes[32 * c] = static_cast<std::uint8_t>(c + 1);
  const Image sheet = image_grid(samples);
  const std::size_t first = static_cast<std::size_t>(sheet.width + 1) * 3;
  EXPECT_EQ(Bytes(sheet.bytes.begin() + first, sheet.bytes.begin() + first + 4),
            (Bytes{1, 2, 3, 0}));
}

TEST(ImageGrid, NumbersGoFromBlackToWhite) {
  const Image sheet =
      image_grid({.shape = {1, 1, 32}, .count = 1, .numbers = std::vector<float>(32, -1.0F)});
  EXPECT_EQ(sheet.bytes[35], 0) << "all are equal";
  std::vector<float> numbers(32, -1.0F);
  numbers[1] = 1.0F;
  numbers[2] = 0.0F;
  const Image other = image_grid({.shape = {1, 1, 32}, .count = 1, .numbers = numbers});
  EXPECT_EQ(Bytes(other.bytes.begin() + 35, other.bytes.begin() + 38), (Bytes{0, 255, 128}));
}

TEST(ImageGrid, APictureIsWrittenByItsEnding) {
  const TemporaryFolder folder;
  const Samples samples{.shape = {3, 8, 8}, .count = 5, .bytes = Bytes(5 * 192, 50)};
  write_samples(samples, folder.path("grid.png"));
  const Samples sheet = read_samples(folder.path("grid.png"));
  EXPECT_EQ(sheet.shape, (std::vector<std::int64_t>{3, 67, 100}));
  EXPECT_EQ(error_of([&] { write_samples(samples, folder.path("grid.jpg")); }),
            "files that end as '" + folder.path("grid.jpg") +
                "' does are only read; write .npz, .npy, .png or a table (GRD-2005)");
}

TEST(ImageGrid, WhatIsNoPictureIsRefused) {
  EXPECT_EQ(error_of([] {
              image_grid({.shape = {2}, .count = 3, .numbers = {1, 2, 3, 4, 5, 6}});
            }),
            "a picture shows grey or RGB images, but each of these 3 samples has shape [2]; write "
            "them to an .npz file or a table (GRD-1150)");
  EXPECT_NE(error_of([] {
              image_grid({.shape = {1, 2, 2}, .count = 1, .bytes = {1, 2}});
            }).find("GRD-1153"),
            std::string::npos);
  Samples many{.shape = {1, 1, 1}, .count = 100000, .bytes = Bytes(100000)};
  EXPECT_NE(error_of([&] { image_grid(many); }).find("draw fewer samples (GRD-1150)"),
            std::string::npos);
}

}  // namespace
}  // namespace gradatim::data
