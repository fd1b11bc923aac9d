#include "gradatim/data/jpeg.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "gradatim/data/samples/jpeg_testing.h"
#include "gradatim/data/samples/testing.h"

namespace gradatim::data {
namespace {

using namespace testing;

// Slopes, which JPEG keeps within a few levels at quality 100.
Image slope(std::int64_t channels, std::int64_t side = 16) {
  Image image{.height = side, .width = side, .channels = channels, .bytes = {}};
  for (std::int64_t i = 0; i < side * side; ++i) {
    for (std::int64_t c = 0; c < channels; ++c) {
      image.bytes.push_back(
          static_cast<std::uint8_t>(40 + 3 * (i / side) + 4 * (i % side) + 30 * c));
    }
  }
  return image;
}

std::string fault(const std::string& bytes) {
  return error_of([&] { decode_jpeg(bytes, "t.jpg"); });
}

TEST(Jpeg, GreyAndRgbAreReadBaselineAndProgressive) {
  for (const std::int64_t channels : {1, 3}) {
    for (const bool progressive : {false, true}) {
      const Image image = slope(channels);
      const Image again = decode_jpeg(jpeg(image, {.progressive = progressive}), "t.jpg");
      ASSERT_EQ(again.channels, channels);
      ASSERT_EQ(again.height, 16);
      ASSERT_EQ(again.width, 16);
      ASSERT_EQ(again.bytes.size(), image.bytes.size());
      for (std::size_t i = 0; i < image.bytes.size(); ++i) {
        EXPECT_LE(std::abs(again.bytes[i] - image.bytes[i]), 8) << i;
      }
    }
  }
}

TEST(Jpeg, DamagedFilesAreRefusedAtEveryLength) {
  for (const bool progressive : {false, true}) {
    const std::string whole = jpeg(slope(1), {.progressive = progressive});
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_NE(fault(whole.substr(0, size)), "no error") << size;
    }
  }
}

TEST(Jpeg, FilesSayWhatIsWrongWithThem) {
  const std::string remedy = "; write the file again as JPEG or PNG (GRD-2079)";
  EXPECT_EQ(fault("GIF89a"), "t.jpg: not a JPEG file" + remedy);
  const std::string whole = jpeg(slope(1));
  EXPECT_EQ(fault(whole.substr(0, whole.size() - 2)), "t.jpg: Premature end of JPEG file" + remedy);
  EXPECT_EQ(fault(jpeg(slope(4), {.space = JCS_CMYK})),
            "t.jpg: it has 4 channels, such as CMYK, which is not read" + remedy);
  std::string large = whole;
  const auto frame = large.find("\xFF\xC0");  // then length, bits, height and width
  for (std::size_t i = 5; i < 9; ++i) large[frame + i] = '\x7F';
  EXPECT_EQ(fault(large),
            "t.jpg: it claims 32639 x 32639 pixels, but at most 67108864 are read; make the image "
            "smaller (GRD-2080)");
}

TEST(Jpeg, AFileOfEndlesslyManyScansIsRefused) {
  const std::string whole = jpeg(slope(1, 8), {.two_scans = true});
  // The last scan, from its marker to the end of the image, over and over.
  const auto last = whole.rfind("\xFF\xDA");
  const std::string scan = whole.substr(last, whole.size() - 2 - last);
  auto repeated = [&](int times) {
    std::string bytes = whole.substr(0, whole.size() - 2);
    for (int i = 0; i < times; ++i) bytes += scan;
    return bytes + "\xFF\xD9";
  };
  EXPECT_EQ(fault(repeated(400)), "no error");
  EXPECT_EQ(fault(repeated(600)),
            "t.jpg: it has more than 500 scans; write the file again as JPEG or PNG (GRD-2079)");
}

}  // namespace
}  // namespace gradatim::data
