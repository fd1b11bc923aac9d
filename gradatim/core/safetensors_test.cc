#include "gradatim/core/safetensors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/core/philox.h"

namespace gradatim {
namespace {

// What Python's safetensors 0.8.0 writes for {"b": uint8 [1, 2], "w": float32 [[1, 2]]} with the
// metadata {"k": "v"}, to the byte.
const std::string kGolden =
    std::string("\x88\0\0\0\0\0\0\0", 8) +
    R"({"__metadata__":{"k":"v"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
    R"("b":{"dtype":"U8","shape":[2],"data_offsets":[8,10]}}  )" +
    std::string("\0\0\x80?\0\0\0@\1\2", 10);

std::string file_of(const std::string& header, const std::string& data = "") {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

// The message of the GRD-3001 that reading the bytes gives; empty where they are accepted.
std::string problem_of(const std::string& bytes) {
  try {
    const SafetensorsFile file(bytes, "m");
  } catch (const ModelError& error) {
    EXPECT_EQ(error.code(), 3001);
    return error.message();
  }
  return "";
}

void expect_problem(const std::string& bytes, const std::string& part) {
  EXPECT_NE(problem_of(bytes).find(part), std::string::npos)
      << "wanted: " << part << "\ngot: " << problem_of(bytes) << "\nfor: " << bytes.substr(0, 200);
}

template <class F>
int code_of(F f) {
  try {
    f();
  } catch (const ModelError& error) {
    return error.code();
  }
  return 0;
}

const std::vector<float> kFloats = {1.0F, 2.0F};
const std::vector<std::uint8_t> kBytes = {1, 2};

SafetensorsWriter golden_writer() {
  SafetensorsWriter writer;
  writer.add<std::uint8_t>("b", kBytes);
  writer.add<float>("w", kFloats, {1, 2});
  writer.set_metadata("k", "v");
  return writer;
}

TEST(Safetensors, WritesWhatPythonWrites) { EXPECT_EQ(golden_writer().bytes(), kGolden); }

TEST(Safetensors, ReadsWhatPythonWrites) {
  const SafetensorsFile file(kGolden, "golden");
  EXPECT_EQ(file.source(), "golden");
  EXPECT_EQ(file.arrays().size(), 2U);
  EXPECT_EQ(file.read<float>("w"), kFloats);
  EXPECT_EQ(file.read<float>("w", 2), kFloats);
  EXPECT_EQ(file.read<std::uint8_t>("b", 2), kBytes);
  EXPECT_EQ(file.view("w").shape, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(file.view("w").dtype, DType::f32);
  EXPECT_EQ(file.view("b").shape, (std::vector<std::int64_t>{2}));
  EXPECT_EQ(file.metadata("k"), "v");
  EXPECT_EQ(file.metadata("none"), "");
  EXPECT_TRUE(file.has("w"));
  EXPECT_FALSE(file.has("W"));
  EXPECT_FALSE(file.has("__metadata__"));
}

template <class T>
class SafetensorsOf : public testing::Test {};
using Elements =
    testing::Types<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t,
                   std::int32_t, std::uint64_t, std::int64_t, float, double>;
TYPED_TEST_SUITE(SafetensorsOf, Elements);

TYPED_TEST(SafetensorsOf, EveryElementTypeRoundTrips) {
  using Limits = std::numeric_limits<TypeParam>;
  const std::vector<TypeParam> elements = {Limits::lowest(), Limits::max(), TypeParam{0},
                                           TypeParam{1}};
  SafetensorsWriter writer;
  writer.add<TypeParam>("x", elements);
  const std::string bytes = writer.bytes();
  const SafetensorsFile file(bytes, "m");
  EXPECT_EQ(file.read<TypeParam>("x", 4), elements);
  EXPECT_EQ(size_of(file.view("x").dtype), sizeof(TypeParam));
  const char kind = Limits::is_iec559 ? 'F' : Limits::is_signed ? 'I' : 'U';
  EXPECT_EQ(name_of(file.view("x").dtype), kind + std::to_string(8 * sizeof(TypeParam)));
}

TEST(Safetensors, KeepsTypesThatHaveNoCppType) {
  SafetensorsWriter writer;
  writer.add_bytes("flag", DType::boolean, {1}, "\1");
  writer.add_bytes("half", DType::f16, {2}, "abcd");
  writer.add_bytes("brain", DType::bf16, {1, 1}, "ef");
  const std::string bytes = writer.bytes();
  const SafetensorsFile file(bytes, "m");
  EXPECT_EQ(file.view("flag").dtype, DType::boolean);
  EXPECT_EQ(file.view("half").bytes, "abcd");
  EXPECT_EQ(file.view("brain").dtype, DType::bf16);
}

TEST(Safetensors, EqualContentIsEqualBytesInAnyOrderOfCalls) {
  SafetensorsWriter other;
  other.set_metadata("k", "old");
  other.set_metadata("k", "v");
  other.add<float>("w", kFloats, {1, 2});
  other.add<std::uint8_t>("b", kBytes);
  EXPECT_EQ(other.bytes(), kGolden);
}

TEST(Safetensors, EveryArrayIsAlignedToItsElements) {
  SafetensorsWriter writer;
  writer.add<std::uint8_t>("a", std::vector<std::uint8_t>(3));
  writer.add<double>("b", std::vector<double>(1));
  writer.add<std::int16_t>("c", std::vector<std::int16_t>(5));
  writer.add<float>("d", std::vector<float>(3));
  for (const std::size_t length : {1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U}) {
    writer.set_metadata("pad", std::string(length, 'x'));
    const std::string bytes = writer.bytes();
    const SafetensorsFile file(bytes, "m");
    for (const auto& [name, view] : file.arrays()) {
      const auto offset = static_cast<std::size_t>(view.bytes.data() - bytes.data());
      EXPECT_EQ(offset % size_of(view.dtype), 0U) << name;
    }
  }
}

TEST(Safetensors, EmptyArraysScalarsAndNoArraysRoundTrip) {
  EXPECT_EQ(SafetensorsWriter().bytes(), file_of("{}      "));
  EXPECT_EQ(problem_of(file_of("{}")), "");
  SafetensorsWriter writer;
  writer.add<float>("none", {});
  writer.add<double>("rows", {}, {0, 5});
  writer.add_bytes("scalar", DType::i32, {}, std::string("\7\0\0\0", 4));
  const std::string bytes = writer.bytes();
  const SafetensorsFile file(bytes, "m");
  EXPECT_EQ(file.view("none").shape, (std::vector<std::int64_t>{0}));
  EXPECT_EQ(file.view("rows").shape, (std::vector<std::int64_t>{0, 5}));
  EXPECT_TRUE(file.read<double>("rows", 0).empty());
  EXPECT_TRUE(file.view("scalar").shape.empty());
  EXPECT_EQ(file.read<std::int32_t>("scalar", 1), std::vector<std::int32_t>{7});
}

TEST(Safetensors, NamesAndMetadataMayHoldAnyText) {
  const std::string odd = std::string("é \"\\\n\t\x01 😀 ") + std::string(1, '\0') + "{}[],:";
  SafetensorsWriter writer;
  writer.add<float>(odd, kFloats);
  writer.add<float>("", kFloats);
  writer.set_metadata(odd, odd + odd);
  writer.set_metadata("", "empty");
  const std::string bytes = writer.bytes();
  const SafetensorsFile file(bytes, "m");
  EXPECT_EQ(file.read<float>(odd), kFloats);
  EXPECT_TRUE(file.has(""));
  EXPECT_EQ(file.metadata(odd), odd + odd);
  EXPECT_EQ(file.metadata(""), "empty");
}

TEST(Safetensors, AFileRoundTripsThroughTheDisk) {
  const std::string path =
      testing::TempDir() + "gradatim_safetensors_" + std::to_string(::getpid());
  golden_writer().write(path);
  EXPECT_EQ(std::filesystem::file_size(path), kGolden.size());
  {
    const SafetensorsFile file(path);
    EXPECT_EQ(file.read<float>("w"), kFloats);
    EXPECT_EQ(file.source(), path);
  }
  std::filesystem::remove(path);
  EXPECT_THROW(SafetensorsFile{path}, DataError);
}

TEST(Safetensors, AskingForWhatIsNotThereIsAnError) {
  const SafetensorsFile file(kGolden, "m");
  EXPECT_EQ(code_of([&] { file.view("x"); }), 3002);
  EXPECT_EQ(code_of([&] { file.read<float>("x"); }), 3002);
  EXPECT_EQ(code_of([&] { file.read<double>("w"); }), 3003) << "another size";
  EXPECT_EQ(code_of([&] { file.read<std::int32_t>("w"); }), 3003) << "the same size";
  EXPECT_EQ(code_of([&] { file.read<float>("w", 3); }), 3003);
  EXPECT_EQ(code_of([&] { file.read<float>("w", 0); }), 3003);
}

TEST(Safetensors, WhatWouldNotReadBackIsNotWritten) {
  SafetensorsWriter writer;
  auto add = [&](const std::string& name, std::vector<std::int64_t> shape, std::size_t bytes) {
    return code_of([&] { writer.add_bytes(name, DType::f32, shape, std::string(bytes, '\0')); });
  };
  EXPECT_EQ(add("a", {2}, 8), 0);
  EXPECT_EQ(add("a", {2}, 8), 3004) << "twice";
  EXPECT_EQ(add("b", {3}, 8), 3004);
  EXPECT_EQ(add("b", {-1, -2}, 8), 3004);
  EXPECT_EQ(add("b", {1LL << 62, 4}, 0), 3004) << "the product overflows to 0";
  EXPECT_EQ(add("b", std::vector<std::int64_t>(65, 1), 4), 3004);
  EXPECT_EQ(add("__metadata__", {2}, 8), 3004);
  EXPECT_EQ(add("\xff", {2}, 8), 3004);
  EXPECT_EQ(code_of([&] { writer.set_metadata("k", "\xc3"); }), 3004);
  EXPECT_EQ(code_of([&] { writer.set_metadata("\xc3", "v"); }), 3004);
  writer.set_metadata("k", std::string(100'000'000, 'x'));
  EXPECT_EQ(code_of([&] { writer.bytes(); }), 3004);
}

std::string entry(const std::string& fields) { return R"({"a":{)" + fields + "}}"; }

TEST(SafetensorsHeader, LengthIsChecked) {
  expect_problem("", "0 bytes are too few");
  expect_problem(std::string(7, '\0'), "7 bytes are too few");
  expect_problem(std::string(8, '\0'), "must begin with '{'");
  expect_problem(std::string(8, '\xff'), "a header of 18446744073709551615 bytes");
  expect_problem(std::string("\3\0\0\0\0\0\0\0{}", 10), "a header of 3 bytes in a file of 10");
  expect_problem(std::string("\1\xe1\xf5\5\0\0\0\0", 8) + "{}", "a header of 100000001 bytes");
  expect_problem(file_of("{}" + std::string(99'999'999, ' ')), "a header of 100000001 bytes");
}

TEST(SafetensorsHeader, MustBeOneJsonObjectInUtf8) {
  for (const char* header : {" {}", "[]", "null", "\xef\xbb\xbf{}", "x"}) {
    expect_problem(file_of(header), "must begin with '{'");
  }
  for (const char* header : {"{", "{}x", "{} {}", "{\"a\"}", "{,}", "{\"a\":{}", "{'a':1}", "{}//",
                             R"({"\ud800":{}})"}) {
    EXPECT_NE(problem_of(file_of(header)), "") << header;
  }
  expect_problem(file_of("{}x"), "not JSON near byte");
  expect_problem(file_of("{\"\xff\":{}}"), "byte 10: the header must be UTF-8");
  expect_problem(file_of(std::string("{}\0 not JSON", 12)), "byte 10: the header must be UTF-8");
  EXPECT_EQ(problem_of(file_of("{ \n\t} \r\n")), "") << "blanks are JSON";
}

TEST(SafetensorsHeader, OnlyTheFormatsGrammarIsRead) {
  const std::string shape = R"("shape":[1],)";
  const std::string dtype = R"("dtype":"U8",)";
  const std::string offsets = R"("data_offsets":[0,1])";
  EXPECT_EQ(problem_of(file_of(entry(dtype + shape + offsets), "x")), "");
  expect_problem(file_of(entry(dtype + offsets), "x"), "lacks its dtype, shape or data_offsets");
  expect_problem(file_of(entry(shape + offsets), "x"), "lacks its dtype");
  expect_problem(file_of(R"({"a":{}})"), "lacks its dtype");
  expect_problem(file_of(entry(dtype + shape + offsets + R"(,"x":1)"), "x"), "unknown field 'x'");
  expect_problem(file_of(entry(dtype + dtype + shape + offsets), "x"), "'dtype' is there twice");
  expect_problem(file_of(entry(shape + shape + dtype + offsets), "x"), "'shape' is there twice");
  for (const char* value : {"1", "null", "true", "[]", "{}", "1.5", R"("F8_E4M3")", R"("u8")"}) {
    EXPECT_NE(
        problem_of(file_of(entry("\"dtype\":" + std::string(value) + "," + shape + offsets), "x")),
        "")
        << value;
  }
  for (const char* value :
       {"1", "null", "true", "{}", "\"x\"", "[1.0]", "[-1]", "[null]", "[[1]]", "[{}]", "[\"1\"]",
        "[1e0]", "[9223372036854775808]", "[18446744073709551616]"}) {
    const std::string text = value;
    EXPECT_NE(problem_of(file_of(entry(dtype + "\"shape\":" + text + "," + offsets), "x")), "")
        << text;
    EXPECT_NE(problem_of(file_of(entry(dtype + shape + "\"data_offsets\":" + text), "x")), "")
        << text;
  }
  for (const char* value : {"[]", "[0]", "[0,1,1]"}) {
    EXPECT_NE(problem_of(file_of(entry(dtype + shape + "\"data_offsets\":" + value), "x")), "");
  }
  for (const char* value : {"1", "\"x\"", "null", "[]", "true"}) {
    EXPECT_NE(problem_of(file_of(R"({"a":)" + std::string(value) + "}")), "") << value;
  }
  for (const char* value : {"1", "\"x\"", "null", "[]", R"({"k":1})", R"({"k":null})",
                            R"({"k":{}})", R"({"k":["v"]})", R"({"k":"v","k":"v"})"}) {
    EXPECT_NE(problem_of(file_of(R"({"__metadata__":)" + std::string(value) + "}")), "") << value;
  }
  expect_problem(file_of(R"({"__metadata__":{},"__metadata__":{}})"), "is there twice");
  expect_problem(file_of(entry(dtype + "\"shape\":[1" +
                               [] {
                                 std::string ones;
                                 for (int i = 0; i < 64; ++i) ones += ",1";
                                 return ones;
                               }() +
                               "]," + offsets),
                         "x"),
                 "too many numbers");
}

TEST(SafetensorsHeader, NamesAreUniqueHoweverTheyAreSpelt) {
  const std::string value = R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  expect_problem(file_of(R"({"a":)" + value + R"(,"a":)" + value + "}"), "'a' is there twice");
  expect_problem(file_of(R"({"a":)" + value + R"(,"\u0061":)" + value + "}"), "'a' is there twice");
}

TEST(SafetensorsHeader, AHundredMegabytesOfNestingAreRefusedAtOnce) {
  constexpr std::size_t kLength = 100'000'000;
  std::string header(kLength, '[');
  expect_problem(file_of(header), "must begin with '{'");
  header.replace(0, 5, "{\"a\":");
  expect_problem(file_of(header), "unexpected a list");
  const std::string object = R"({"a":)";
  std::string objects;
  while (objects.size() + object.size() < kLength) objects += object;
  expect_problem(file_of(objects), "unknown field 'a'");
}

TEST(SafetensorsHeader, AMessageIsShortHoweverLongTheName) {
  const std::string problem = problem_of(file_of(R"({")" + std::string(1'000'000, 'n') + "\":1}"));
  EXPECT_LT(problem.size(), 300U);
  std::string accents;
  for (int i = 0; i < 1000; ++i) accents += "é";
  expect_problem(file_of("{\"x" + accents + "\":1}"), "é...'");
}

// Two arrays of U8: [begin, end] of each, and the bytes of data.
std::string two(int begin1, int end1, int begin2, int end2, std::size_t data) {
  auto array = [](const char* name, int begin, int end) {
    return '"' + std::string(name) + R"(":{"dtype":"U8","shape":[)" +
           std::to_string(std::max(0, end - begin)) + R"(],"data_offsets":[)" +
           std::to_string(begin) + "," + std::to_string(end) + "]}";
  };
  return file_of("{" + array("a", begin1, end1) + "," + array("b", begin2, end2) + "}",
                 std::string(data, 'd'));
}

TEST(SafetensorsOffsets, LeaveNoHoleAndDoNotOverlap) {
  EXPECT_EQ(problem_of(two(0, 3, 3, 5, 5)), "");
  EXPECT_EQ(problem_of(two(3, 5, 0, 3, 5)), "") << "in any order";
  expect_problem(two(3, 5, 3, 3, 5), "array 'b': data_offsets [3, 3] must begin at 0");
  EXPECT_EQ(problem_of(two(0, 5, 5, 5, 5)), "") << "empty at the end";
  EXPECT_EQ(problem_of(two(0, 5, 0, 0, 5)), "") << "empty at the start";
  expect_problem(two(0, 3, 2, 5, 5), "array 'b': data_offsets [2, 5] must begin at 3");
  expect_problem(two(0, 3, 0, 3, 3), "must begin at 3");
  expect_problem(two(0, 2, 3, 5, 5), "must begin at 2");
  expect_problem(two(1, 3, 3, 5, 5), "must begin at 0");
  expect_problem(two(0, 3, 3, 5, 4), "the 4 bytes of data");
  expect_problem(two(0, 3, 3, 5, 6), "1 bytes after the last array");
  expect_problem(two(0, 3, 3, 2, 3), "data_offsets [3, 2]");
  expect_problem(file_of("{}", "x"), "byte 10: 1 bytes after the last array");
}

TEST(SafetensorsShape, MatchesTheBytesWithoutOverflow) {
  auto shaped = [](const std::string& dtype, const std::string& shape, std::size_t bytes) {
    return problem_of(file_of(entry(R"("dtype":")" + dtype + R"(","shape":)" + shape +
                                    R"(,"data_offsets":[0,)" + std::to_string(bytes) + "]"),
                              std::string(bytes, 'd')));
  };
  EXPECT_EQ(shaped("F32", "[2,3]", 24), "");
  EXPECT_EQ(shaped("F64", "[]", 8), "");
  EXPECT_NE(shaped("F64", "[]", 4), "");
  EXPECT_NE(shaped("F32", "[2,3]", 20), "");
  EXPECT_NE(shaped("F32", "[2,3]", 28), "");
  EXPECT_NE(shaped("F64", "[2305843009213693952]", 0), "") << "2^61 doubles are 2^64 bytes";
  EXPECT_NE(shaped("U8", "[4294967296,4294967296]", 0), "") << "2^64 bytes";
  EXPECT_NE(shaped("U8", "[9223372036854775807,3]", 9), "");
  EXPECT_NE(shaped("U8", "[0,4294967296,4294967296]", 0), "") << "a product without the zero";
  EXPECT_EQ(shaped("U8", "[0,9223372036854775807]", 0), "");
}

TEST(Safetensors, EveryTruncationAndEveryChangedByteIsAnErrorOrAValidView) {
  for (std::size_t length = 0; length < kGolden.size(); ++length) {
    EXPECT_NE(problem_of(kGolden.substr(0, length)), "") << length;
  }
  const Philox random(1, Stream::noise);
  for (std::uint64_t i = 0; i < 20000; ++i) {
    std::string bytes = kGolden;
    const auto at = random.below(static_cast<std::uint32_t>(bytes.size()), 3 * i);
    bytes[at] = static_cast<char>(random.below(256, 3 * i + 1));
    if (!problem_of(bytes).empty()) continue;
    const SafetensorsFile file(bytes, "m");
    for (const auto& [name, view] : file.arrays()) {
      ASSERT_GE(view.bytes.data(), bytes.data());
      ASSERT_LE(view.bytes.data() + view.bytes.size(), bytes.data() + bytes.size());
    }
  }
}

}  // namespace
}  // namespace gradatim
