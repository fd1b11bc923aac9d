#include "gradatim/core/safetensors_views.h"

#include <gtest/gtest.h>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"

namespace gradatim {
namespace {

TEST(SafetensorsViews, WriteWhatTheWriterOfCopiesWritesToTheByte) {
  const std::vector<float> numbers{1, 2, 3, 4, 5, 6};
  const std::vector<std::uint8_t> bytes{7, 8, 9};
  SafetensorsWriter copies;
  copies.add("b", std::span<const float>(numbers), {3, 2});
  copies.add("a", std::span<const std::uint8_t>(bytes));
  copies.set_metadata("format", "pt");
  const std::string_view all(reinterpret_cast<const char*>(numbers.data()), 24);
  int written = 0;
  SafetensorsViews views;
  views.add("a", {DType::u8, {3}, {{reinterpret_cast<const char*>(bytes.data()), 3}}, {}});
  views.add("b", {DType::f32, {3, 2}, {all.substr(0, 8), all.substr(8)}, [&] { ++written; }});
  views.set_metadata("format", "pt");
  const std::string path = ::testing::TempDir() + "gradatim_views.safetensors";
  views.write(path);
  EXPECT_EQ(MappedFile(path).bytes(), copies.bytes());
  EXPECT_EQ(written, 1);
}

TEST(SafetensorsViews, PartsThatAreNotTheShapeAreRefused) {
  SafetensorsViews views;
  EXPECT_THROW(views.add("a", {DType::f32, {2}, {"1234"}, {}}), ModelError);
  views.add("a", {DType::f32, {1}, {"1234"}, {}});
  EXPECT_THROW(views.add("a", {DType::f32, {1}, {"1234"}, {}}), ModelError);
  EXPECT_THROW(views.set_metadata("a", "\xff"), ModelError);
}

}  // namespace
}  // namespace gradatim
