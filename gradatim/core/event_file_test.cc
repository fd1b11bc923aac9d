#include "gradatim/core/event_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"

namespace gradatim {
namespace {

namespace fs = std::filesystem;

template <class T>
T number(std::string_view bytes, std::size_t at = 0) {
  T value;
  std::memcpy(&value, bytes.substr(at, sizeof(T)).data(), sizeof(T));
  return value;
}

// A reader of its own: the data of every record, whose checksums are compared.
std::vector<std::string> records(const std::string& path) {
  const MappedFile file(path);
  std::string_view bytes = file.bytes();
  auto masked = [](std::string_view data) {
    const std::uint32_t crc = crc32c(data);
    return static_cast<std::uint32_t>((crc >> 15 | crc << 17) + 0xA282EAD8U);
  };
  std::vector<std::string> found;
  while (!bytes.empty()) {
    const auto size = number<std::uint64_t>(bytes);
    EXPECT_EQ(number<std::uint32_t>(bytes, 8), masked(bytes.substr(0, 8)));
    found.emplace_back(bytes.substr(12, size));
    EXPECT_EQ(number<std::uint32_t>(bytes, 12 + size), masked(found.back()));
    bytes.remove_prefix(16 + size);
  }
  return found;
}

// The fields of a protocol buffer by number, as their bytes lie; whole numbers as 8 bytes.
std::map<int, std::string> fields(std::string_view bytes) {
  std::map<int, std::string> found;
  auto varint = [&] {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      value |= std::uint64_t{byte & 127U} << shift;
      if (byte < 128) return value;
    }
  };
  while (!bytes.empty()) {
    const std::uint64_t key = varint();
    std::string& value = found[static_cast<int>(key >> 3)];
    if ((key & 7) == 0) {
      const std::uint64_t whole = varint();
      value.assign(reinterpret_cast<const char*>(&whole), 8);
    } else {
      const std::uint64_t size = (key & 7) == 2 ? varint() : (key & 7) == 1 ? 8 : 4;
      value = bytes.substr(0, size);
      bytes.remove_prefix(size);
    }
  }
  return found;
}

class EventFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "gradatim_events_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string folder_;
};

TEST_F(EventFiles, TheChecksumIsCastagnolis) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU) << "RFC 3720, B.4";
}

TEST_F(EventFiles, AFileBeginsWithItsVersionAndTheStartOfASession) {
  const EventFile file(folder_ + "/events", 12.5, 300);
  const auto found = records(file.path());
  ASSERT_EQ(found.size(), 2U);
  auto version = fields(found[0]);
  EXPECT_EQ(number<double>(version[1]), 12.5);
  EXPECT_EQ(version[3], "brain.Event:2");
  auto start = fields(found[1]);
  EXPECT_EQ(number<std::int64_t>(start[2]), 300);
  EXPECT_EQ(number<std::int64_t>(fields(start[7])[1]), 1);
}

TEST_F(EventFiles, ScalarsAndPicturesAreReadBackAtOnce) {
  EventFile file(folder_ + "/events", 0.0);
  file.scalar("train/loss", 7, 0.25, 1.5);
  auto scalar = fields(records(file.path()).back());
  EXPECT_EQ(number<double>(scalar[1]), 1.5);
  EXPECT_EQ(number<std::int64_t>(scalar[2]), 7);
  auto value = fields(fields(scalar[5])[1]);
  EXPECT_EQ(value[1], "train/loss");
  EXPECT_EQ(number<float>(value[2]), 0.25F);

  const std::string png(300, 'p');
  file.image("samples", std::int64_t{1} << 40,
             {.height = 200, .width = 3, .channels = 3, .png = png}, 2.5);
  auto event = fields(records(file.path()).back());
  EXPECT_EQ(number<std::int64_t>(event[2]), std::int64_t{1} << 40);
  auto shown = fields(fields(event[5])[1]);
  EXPECT_EQ(shown[1], "samples");
  auto picture = fields(shown[4]);
  EXPECT_EQ(number<std::int64_t>(picture[1]), 200);
  EXPECT_EQ(number<std::int64_t>(picture[2]), 3);
  EXPECT_EQ(number<std::int64_t>(picture[3]), 3);
  EXPECT_EQ(picture[4], png);
  EXPECT_EQ(records(file.path()).size(), 4U);
}

TEST_F(EventFiles, FilesAreNumberedInTheirOrder) {
  EXPECT_EQ(next_event_file(folder_), folder_ + "/events.out.tfevents.0000000001.gradatim");
  const EventFile first(next_event_file(folder_), 0.0);
  EXPECT_EQ(next_event_file(folder_), folder_ + "/events.out.tfevents.0000000002.gradatim");
  write_atomically(folder_ + "/events.out.tfevents.1700000000.host.1.0", "");
  EXPECT_EQ(next_event_file(folder_), folder_ + "/events.out.tfevents.1700000001.gradatim")
      << "after those of others";
}

TEST_F(EventFiles, WhatCannotBeLoggedIsAnError) {
  auto code = [](auto f) {
    try {
      f();
    } catch (const Error& error) {
      return error.code();
    }
    return 0;
  };
  EventFile file(folder_ + "/events", 0.0);
  EXPECT_EQ(code([&] { EventFile again(folder_ + "/events", 0.0); }), 2002) << "it is there";
  EXPECT_EQ(code([&] { EventFile none(folder_ + "/none/events", 0.0); }), 2002);
  EXPECT_EQ(code([&] { file.scalar("", 1, 1.0, 0.0); }), 1154);
  EXPECT_EQ(code([&] { file.image("x", 1, {.height = 1, .width = 0, .png = "p"}, 0.0); }), 1154);
  EXPECT_EQ(records(file.path()).size(), 2U);
}

}  // namespace
}  // namespace gradatim
