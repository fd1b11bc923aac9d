#include "gradatim/neural/nn/parameters.h"

#include <gtest/gtest.h>

#include "gradatim/process/testing.h"

namespace gradatim::neural {
namespace {

using process::testing::code_of;

Parameters declared(const std::vector<std::pair<std::string, std::vector<std::int64_t>>>& items) {
  Parameters parameters;
  for (const auto& [name, sizes] : items) {
    Scope(parameters, "net.").add(name, sizes, Init::normal(1.0));
  }
  return parameters;
}

std::string file_of(Parameters parameters) {
  parameters.pack();
  parameters.init(1);
  SafetensorsWriter file;
  parameters.store(file, parameters.values(), "model.");
  return file.bytes();
}

TEST(Parameters, AFileIsComparedBeforeMemoryIsTaken) {
  const std::string bytes = file_of(declared({{"a", {2, 3}}, {"b", {4}}}));
  const SafetensorsFile file(bytes, "memory");
  const auto code = [&](const Parameters& parameters) {
    return code_of([&] { parameters.check(file, "model."); });
  };
  EXPECT_EQ(code(declared({{"a", {2, 3}}, {"b", {4}}})), 0);
  EXPECT_EQ(code(declared({{"a", {2, 3}}, {"c", {4}}})), 3002);
  EXPECT_EQ(code(declared({{"a", {3, 2}}, {"b", {4}}})), 3003);
  EXPECT_EQ(code(declared({{"a", {2, 3}}})), 3060);
  const std::int64_t large = std::int64_t{1} << 30;  // 2^62 bytes that nobody has
  const Parameters claimed = declared({{"a", {large, large}}, {"b", {4}}});
  EXPECT_EQ(claimed.items()[0].value.numel(), large * large);
  EXPECT_EQ(code(claimed), 3003);
}

TEST(Parameters, LoadedTheyAreWhatWasStored) {
  Parameters stored = declared({{"a", {2, 3}}, {"b", {4}}});
  const std::string bytes = file_of(stored);
  Parameters again = declared({{"a", {2, 3}}, {"b", {4}}});
  again.pack();
  again.load(SafetensorsFile(bytes, "memory"), "model.");
  EXPECT_EQ(file_of(again), bytes);
  EXPECT_GT(again.items()[0].value.abs().min().item<float>(), 0.0F);
  Parameters fewer = declared({{"a", {2, 3}}});
  fewer.pack();
  EXPECT_EQ(code_of([&] { fewer.load(SafetensorsFile(bytes, "memory"), "model."); }), 3060);
}

}  // namespace
}  // namespace gradatim::neural
