#include "gradatim/neural/nn/error.h"

#include <gtest/gtest.h>

#include <new>

#include "gradatim/core/error.h"
#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {
namespace {

// The code of what `work` throws at the edge to libgradatim, whose message is one line.
template <class Work>
int translated_code_of(Work work) {
  try {
    translated(work);
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error.code();
  }
  return 0;
}

TEST(Translated, WhatTorchCannotComputeIsANumericError) {
  EXPECT_EQ(translated_code_of([] { at::mm(at::ones({2, 3}), at::ones({2, 3})); }), 4027);
}

TEST(Translated, TooLittleMemoryIsSaidWhoeverAskedForIt) {
  EXPECT_EQ(translated_code_of([] { at::empty({std::int64_t{1} << 55}, at::kByte); }), 4028);
  EXPECT_EQ(translated_code_of([] { throw std::bad_alloc(); }), 4028);
}

TEST(Translated, GradatimsOwnErrorsStay) {
  EXPECT_EQ(translated_code_of([] { throw UsageError(1163, "as it is"); }), 1163);
  EXPECT_EQ(translated_code_of([] {}), 0);
}

}  // namespace
}  // namespace gradatim::neural
