#include "gradatim/process/host_space.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "gradatim/api/settings.h"

namespace gradatim::process {
namespace {

std::shared_ptr<NoiseSource> philox(std::uint64_t seed) {
  return api::build_as<Noise>(api::parse_settings("process.noise.philox", {}))->source(seed);
}

std::vector<double> numbers(std::int64_t count, double phase) {
  std::vector<double> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = std::sin(phase + 0.37 * static_cast<double>(i));
  }
  return values;
}

template <class T>
std::vector<double> read(HostSpace<T>& space, const Vec& x) {
  std::vector<double> values(static_cast<std::size_t>(x.rows() * x.dims()));
  space.copy_out(x, values);
  return values;
}

TEST(HostSpace, CombinesTermsFactorsByRowWeightsAndNoiseInOnePass) {
  for (const auto& [rows, dims] : {std::pair{3, 5}, {2, 9001}, {700, 13}}) {
    HostSpace<double> space(philox(1));
    const auto a = numbers(rows * dims, 0.1);
    const auto b = numbers(rows * dims, 0.7);
    const auto w = numbers(rows * dims, 0.3);
    const auto by_row = numbers(rows, 2.0);
    const Vec x = space.from(a, rows, dims);
    const Vec y = space.from(b, rows, dims);
    Form form;
    form.add(2.0, x);
    form.add(-1.5, y, by_row);
    form.add(Term{.c = 0.5, .x = y, .weight = space.from(w, rows, dims)});
    form.add_noise(0.25, {Stream::noise, 7}, x);
    const auto z = read(space, space.normal({Stream::noise, 7}, rows, dims));
    const auto result = read(space, space.combine(form));
    for (std::size_t i = 0; i < result.size(); ++i) {
      const double factor = by_row[i / static_cast<std::size_t>(dims)];
      ASSERT_NEAR(result[i],
                  2.0 * a[i] - 1.5 * factor * b[i] + 0.5 * b[i] * w[i] + 0.25 * z[i] * a[i], 1e-14)
          << rows << " x " << dims << ", element " << i;
    }
  }
}

TEST(HostSpace, ComputesSeveralFormsFromTheSameArguments) {
  HostSpace<float> space;
  const Vec x = space.from(numbers(10, 0.0), 2, 5);
  Form forms[2];
  forms[0].add(3.0, x);
  forms[1].add(-1.0, x);
  Vec out[2];
  EXPECT_TRUE(space.combine(forms, out));
  const auto a = read(space, x), b = read(space, out[0]), c = read(space, out[1]);
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_FLOAT_EQ(static_cast<float>(b[i]), static_cast<float>(3.0 * a[i]));
    EXPECT_EQ(c[i], -a[i]);
  }
}

TEST(HostSpace, TellsWhetherANumberIsNotFinite) {
  for (const std::int64_t place : {0, 3, 16, 8191, 8200}) {
    for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
      HostSpace<float> space;
      auto values = numbers(8201, 0.0);
      const Form good(space.from(values, 1, 8201));
      Vec out;
      EXPECT_TRUE(space.combine({&good, 1}, {&out, 1}));
      values[static_cast<std::size_t>(place)] = bad;
      const Form form(space.from(values, 1, 8201));
      EXPECT_FALSE(space.combine({&form, 1}, {&out, 1})) << place;
    }
  }
}

TEST(HostSpace, ARowHasTheSameBitsInEveryBatch) {
  constexpr std::int64_t kRows = 70, kDims = 77;
  const auto values = numbers(kRows * kDims, 0.2);
  const auto result = [&](std::int64_t first, std::int64_t rows) {
    HostSpace<float> space(philox(5), first);
    const std::span part = std::span(values).subspan(static_cast<std::size_t>(first * kDims),
                                                     static_cast<std::size_t>(rows * kDims));
    Form form;
    form.add(0.3, space.from(part, rows, kDims));
    form.add_noise(0.9, {Stream::noise, 3});
    return read(space, space.combine(form));
  };
  const auto whole = result(0, kRows);
  for (const auto& [first, rows] : {std::pair{0, 1}, {1, 7}, {13, 57}}) {
    const auto part = result(first, rows);
    for (std::size_t i = 0; i < part.size(); ++i) {
      ASSERT_EQ(part[i], whole[static_cast<std::size_t>(first * kDims) + i]);
    }
  }
}

TEST(HostSpace, UsesMemoryAgain) {
  HostSpace<float> space;
  Vec x = space.from(numbers(64, 0.0), 8, 8);
  Form form;
  form.add(0.5, x);
  x = space.combine(form);
  form.clear();
  const std::int64_t before = space.allocations();
  for (int i = 0; i < 10; ++i) {
    form.add(0.5, x);
    x = space.combine(form);
    form.clear();
  }
  EXPECT_EQ(space.allocations(), before);
}

TEST(HostSpace, AStateOutlivesItsSpace) {
  Vec x;
  {
    HostSpace<double> space;
    x = space.from(numbers(4, 0.0), 1, 4);
  }
  EXPECT_EQ(HostSpace<double>::data(x)[1], std::sin(0.37));
}

TEST(HostSpace, ReducesRowByRow) {
  HostSpace<double> space;
  const Vec x = space.from(std::vector{1.0, -2.0, 3.0, -4.0, 10.0, 10.0, 10.0, 10.0}, 2, 4);
  std::vector<double> out(2);
  space.reduce(Reduction::rms, x, out);
  EXPECT_DOUBLE_EQ(out[0], std::sqrt(30.0 / 4.0));
  space.reduce(Reduction::deviation, x, out);
  EXPECT_DOUBLE_EQ(out[0], std::sqrt((2.25 + 2.25 + 12.25 + 12.25) / 3.0));
  EXPECT_EQ(out[1], 0.0);
  space.reduce(Reduction::abs_quantile, x, {}, 0.5, out);
  EXPECT_DOUBLE_EQ(out[0], 2.5);
  space.reduce(Reduction::abs_quantile, x, {}, 1.0, out);
  EXPECT_DOUBLE_EQ(out[0], 4.0);
  space.reduce(Reduction::dot, x, x, 0.0, out);
  EXPECT_DOUBLE_EQ(out[1], 400.0);
  space.error_rms(x, x, x, 1.0, 0.0, out);
  EXPECT_DOUBLE_EQ(out[1], 10.0);
  EXPECT_EQ(read(space, space.clamp(x, std::vector{2.0, 20.0})),
            (std::vector{1.0, -2.0, 2.0, -2.0, 10.0, 10.0, 10.0, 10.0}));
}

TEST(HostSpace, TakesRowsAndPutsThemBack) {
  HostSpace<double> space;
  const Vec x = space.from(std::vector{1.0, 2.0, 3.0, 4.0, 5.0, 6.0}, 3, 2);
  const std::vector<std::int64_t> rows = {2, 0};
  const Vec part = space.take(x, rows);
  EXPECT_EQ(read(space, part), (std::vector{5.0, 6.0, 1.0, 2.0}));
  Form twice;
  twice.add(2.0, part);
  EXPECT_EQ(read(space, space.put(x, rows, space.combine(twice))),
            (std::vector{2.0, 4.0, 3.0, 4.0, 10.0, 12.0}));
}

}  // namespace
}  // namespace gradatim::process
