#include "gradatim/core/byte_size.h"

#include <gtest/gtest.h>

#include "gradatim/core/error.h"

namespace gradatim {
namespace {

TEST(ByteSize, IsReadWithPowersOfTenAndOfTwo) {
  EXPECT_EQ(parse_byte_size("4096"), 4096);
  EXPECT_EQ(parse_byte_size("4GB"), 4'000'000'000);
  EXPECT_EQ(parse_byte_size("4G"), 4'000'000'000);
  EXPECT_EQ(parse_byte_size("1.5 KiB"), 1536);
  EXPECT_EQ(parse_byte_size("2MiB"), 2 << 20);
  EXPECT_EQ(parse_byte_size("1 TB"), 1'000'000'000'000);
}

TEST(ByteSize, OtherWordsAreRefused) {
  for (const char* text :
       {"", "GB", "0", "-1GB", "4XB", "4GiBB", "inf", "nan GB", "1e30GB", "4 4GB"}) {
    EXPECT_THROW(parse_byte_size(text), UsageError) << text;
  }
}

TEST(ByteSize, IsWrittenInThreeDigits) {
  EXPECT_EQ(byte_size_text(999), "999 B");
  EXPECT_EQ(byte_size_text(3'437'000'000), "3.44 GB");
  EXPECT_EQ(byte_size_text(999'999), "1 MB");
}

}  // namespace
}  // namespace gradatim
