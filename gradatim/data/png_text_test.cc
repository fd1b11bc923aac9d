#include "gradatim/data/png_text.h"

#include <gtest/gtest.h>

#include "gradatim/data/png.h"
#include "gradatim/data/png_chunk.h"
#include "gradatim/data/samples/testing.h"

namespace gradatim::data {
namespace {

using namespace testing;
using namespace std::string_literals;
using namespace std::string_view_literals;
using Texts = std::vector<PngText>;

const Image kDot = {.height = 1, .width = 2, .channels = 1, .bytes = {7, 9}};
constexpr auto kGrey = "\x08\x00\0\0\0"sv;

// Chunks before the pixels of a file by hand.
std::string with_chunks(const std::vector<std::pair<std::string, std::string>>& chunks) {
  return png(2, 1, kGrey, "\0\x07\x09"sv, chunks);
}

Texts texts_of(const std::vector<std::pair<std::string, std::string>>& chunks) {
  return png_texts(with_chunks(chunks), "t.png");
}

std::string fault(const std::string& bytes) {
  return error_of([&] { png_texts(bytes, "t.png"); });
}

std::string unwritable(const std::string& key, const std::string& text) {
  return error_of([&] { encode_png(kDot, Texts{{key, text}}); });
}

TEST(PngText, WhatIsWrittenIsReadAndTheImageToo) {
  const Texts texts = {{"parameters", "a cat\nSteps: 20, Seed: 7"},
                       {"gradatim", "{\"prompt\": \"\u732B \U0001F600\"}"},
                       {"Title", "caf\u00E9 \u00FF"},
                       {"Title", ""}};
  const std::string bytes = encode_png(kDot, texts);
  EXPECT_EQ(png_texts(bytes, "t.png"), texts);
  EXPECT_EQ(decode_png(bytes, "t.png").bytes, kDot.bytes);
  EXPECT_EQ(encode_png(kDot, {}), encode_png(kDot));
  EXPECT_EQ(png_texts(encode_png(kDot), "t.png"), Texts{});
}

TEST(PngText, IsLatin1WhereThatHasAllCharacters) {
  EXPECT_NE(encode_png(kDot, Texts{{"k", "caf\u00E9"}}).find("tEXtk\0caf\xE9"sv),
            std::string::npos);
  EXPECT_NE(encode_png(kDot, Texts{{"k", "\u0100"}}).find("iTXtk\0\0\0\0\0\xC4\x80"sv),
            std::string::npos);
}

TEST(PngText, ThoseOfOtherProgramsAreRead) {
  const std::string packed = deflated("caf\xE9"sv, 15), packed_utf8 = deflated("\u732B", 15);
  EXPECT_EQ(texts_of({{"tEXt", "a\0b"s},
                      {"zTXt", "c\xFC\0\0"s + packed},
                      {"iTXt", "d\0\0\0de\0Schl\xC3\xBCssel\0e"s},
                      {"iTXt", "f\0\x01\0\0\0"s + packed_utf8},
                      {"tIME", "anything"}}),
            (Texts{{"a", "b"}, {"c\u00FC", "caf\u00E9"}, {"d", "e"}, {"f", "\u732B"}}));
  // Behind the pixels, too.
  std::string late = with_chunks({});
  std::string chunk;
  put_png_chunk(chunk, "tEXt", "late\0x"sv);
  late.insert(late.size() - 12, chunk);
  EXPECT_EQ(png_texts(late, "t.png"), (Texts{{"late", "x"}}));
}

TEST(PngText, OnlyWhatAChunkCanHoldIsWritten) {
  for (const std::string& key :
       {""s, std::string(80, 'a'), " a"s, "a "s, "a  b"s, "a\nb"s, "\u00E9"s}) {
    EXPECT_NE(unwritable(key, "x").find("GRD-1219"), std::string::npos) << key;
  }
  EXPECT_EQ(unwritable("k", "ab\xC0"),
            "the text 'k' of a PNG file is no UTF-8 without zeros: byte 2 is 0xc0 (GRD-1219)");
  EXPECT_EQ(unwritable("k", "a\0b"s),
            "the text 'k' of a PNG file is no UTF-8 without zeros: byte 1 is 0x00 (GRD-1219)");
  EXPECT_EQ(unwritable("k", std::string(kMostTextBytes + 1, 'a')),
            "the text 'k' of a PNG file has 1048577 bytes; it may have 1048576 (GRD-1220)");
  EXPECT_EQ(unwritable(std::string(79, 'a'), std::string(kMostTextBytes, 'a')), "no error");
}

TEST(PngText, HostileChunksAreRefusedInALine) {
  const std::string remedy = "; write the file again as PNG (GRD-2078)";
  EXPECT_EQ(fault("GIF89a"), "t.png: not a PNG file" + remedy);
  EXPECT_EQ(fault(std::string(kPngSignature)), "t.png: the file is cut off" + remedy);
  EXPECT_EQ(fault(with_chunks({{"tEXt", "no zero"}})),
            "t.png: a text in it has no end of its key" + remedy);
  EXPECT_EQ(fault(with_chunks({{"iTXt", "k\0"s}})), "t.png: a text in it is cut off" + remedy);
  EXPECT_EQ(fault(with_chunks({{"iTXt", "k\0\0\0\0\0\xC0"s}})),
            "t.png: its text 'k' is not UTF-8" + remedy);
  EXPECT_EQ(fault(with_chunks({{"zTXt", "k\0\x01xyz"s}})),
            "t.png: its text 'k' is packed in a way that is not known" + remedy);
  EXPECT_EQ(fault(with_chunks({{"zTXt", "k\0\0xyz"s}})), "t.png: its text 'k' is damaged" + remedy);
  EXPECT_EQ(fault(with_chunks({{"zTXt", "k\0\0"s}})), "t.png: its text 'k' is damaged" + remedy);
  const std::string half = deflated(std::string(1000, 'a'), 15);
  EXPECT_EQ(fault(with_chunks({{"zTXt", "k\0\0"s + half.substr(0, half.size() - 6)}})),
            "t.png: its text 'k' is damaged" + remedy);
  std::string wrong = with_chunks({{"tEXt", "a\0b"s}});
  wrong[wrong.find("tEXt") + 6] ^= 1;
  EXPECT_EQ(fault(wrong), "t.png: the checksum of a text in it is wrong" + remedy);
  std::string endless = with_chunks({});
  endless[8] = '\x7F';
  EXPECT_EQ(fault(endless), "t.png: the file is cut off" + remedy);
}

TEST(PngText, ASmallFileCannotAskForMuchMemory) {
  const std::string most = deflated(std::string(kMostTextBytes, 'a'), 15);
  const std::string more = deflated(std::string(kMostTextBytes * 64, 'a'), 15);
  EXPECT_EQ(texts_of({{"zTXt", "k\0\0"s + most}})[0].text.size(), kMostTextBytes);
  EXPECT_EQ(fault(with_chunks({{"zTXt", "k\0\0"s + more}})),
            "t.png: its text 'k' has more than the 1048576 bytes that are read; shorten it "
            "(GRD-2088)");
  EXPECT_NE(fault(with_chunks({{"tEXt", "k\0"s + std::string(kMostTextBytes + 1, 'a')}}))
                .find("GRD-2088"),
            std::string::npos);
  EXPECT_NE(fault(with_chunks({17, {"zTXt", "k\0\0"s + most}})).find("GRD-2088"),
            std::string::npos);
}

TEST(PngText, EveryCutAndEveryFlippedBitIsReadOrRefused) {
  const std::string whole =
      with_chunks({{"tEXt", "a\0b"s}, {"iTXt", "d\0\x01\0\0\0"s + deflated("\u732B", 15)}});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(fault(whole.substr(0, size)), "no error") << size;
  }
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    EXPECT_EQ(fault(damaged).find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace gradatim::data
