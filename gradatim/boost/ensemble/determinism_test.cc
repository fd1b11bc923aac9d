// Promise 1: the same bytes for every learner on any number of threads and any SIMD target, and a
// model file that gives back the same model.
#include <gtest/gtest.h>

#include "gradatim/boost/ensemble/every_fit_test.h"
#include "gradatim/core/parallel.h"
#include "gradatim/core/simd.h"

namespace gradatim::boost {
namespace {

using namespace testing;

std::string bytes_of(const Case& c, int threads) {
  const ThreadScope scope(threads);
  return fit(c.model, c.options, c.request)->bytes();
}

TEST(Determinism, BytesAreTheSameOnAnyNumberOfThreads) {
  for (const Case& c : every_case()) {
    SCOPED_TRACE(c.name);
    const std::string one = bytes_of(c, 1);
    EXPECT_EQ(one == bytes_of(c, 2), true);
    EXPECT_EQ(one == bytes_of(c, 4), true);
  }
}

TEST(Determinism, AModelFileGivesBackTheModel) {
  for (const Case& c : every_case()) {
    SCOPED_TRACE(c.name);
    const auto model = fit(c.model, c.options, c.request);
    const std::string bytes = model->bytes();
    const auto loaded = data::load_model_bytes(bytes, "model");
    EXPECT_EQ(loaded->bytes() == bytes, true);
    EXPECT_EQ(loaded->predict(c.request.table, {}).values,
              model->predict(c.request.table, {}).values);
    EXPECT_EQ(loaded->card().rounds, model->card().rounds);
  }
}

TEST(Determinism, PredictionsAreTheSameOnAnyNumberOfThreads) {
  for (const Case& c : every_case()) {
    const auto model = fit(c.model, c.options, c.request);
    const auto on = [&](int threads) {
      const ThreadScope scope(threads);
      return model->predict(c.request.table, {}).values;
    };
    EXPECT_EQ(on(1), on(4)) << c.name;
  }
}

TEST(SimdTargets, GiveTheSameBytes) {
  if (simd_name() == "portable") {
    GTEST_SKIP() << "needs AVX2 or AVX-512, of the processor and not switched off by GRADATIM_SIMD";
  }
  const auto cases = every_case();
  std::vector<std::string> best;
  for (const Case& c : cases) best.push_back(bytes_of(c, 2));
  for (const Simd target : {Simd::avx2, Simd::portable}) {
    const SimdLimit limit(target);
    EXPECT_EQ(simd_name(), target == Simd::avx2 ? "avx2" : "portable");
    for (std::size_t i = 0; i < cases.size(); ++i) {
      EXPECT_EQ(best[i] == bytes_of(cases[i], 2), true) << simd_name() << ": " << cases[i].name;
    }
  }
}

}  // namespace
}  // namespace gradatim::boost
