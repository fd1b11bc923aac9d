// Metrics of samples against NumPy and SciPy (metric_test_numbers.py prints the figures) and by
// laws.
#include "gradatim/process/metric/metric.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "gradatim/process/metric/symmetric.h"
#include "gradatim/process/mixture.h"
#include "gradatim/process/testing.h"

namespace gradatim::process {
namespace {

using namespace testing;

std::vector<double> sample_a(int rows, int dims) {
  std::vector<double> x;
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < dims; ++j) x.push_back(std::sin(1.3 * i + 2.1 * j));
  }
  return x;
}

std::vector<double> sample_b(int rows, int dims) {
  std::vector<double> x;
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < dims; ++j) x.push_back(0.8 * std::cos(0.9 * i + 1.7 * j) + 0.3);
  }
  return x;
}

double of(std::string_view name, const std::vector<double>& a, const std::vector<double>& b,
          std::int64_t dims, const std::vector<api::Option>& options = {}) {
  return (*make<SampleMetric>(name, options))({a, b, dims});
}

TEST(SampleMetrics, AgreeWithScipy) {
  const auto a = sample_a(40, 3), b = sample_b(40, 3);
  const auto w = "process.metric.wasserstein";
  EXPECT_NEAR(of(w, a, b, 3, {{"order", "1"}}), 0.6981062108810047, 1e-12);
  EXPECT_NEAR(of(w, a, b, 3), 0.7309458700998217, 1e-12);
  EXPECT_NEAR(of(w, sample_a(40, 1), sample_b(17, 1), 1, {{"order", "1"}}), 0.35872083423865786,
              1e-12);
  EXPECT_NEAR(of("process.metric.mmd", a, b, 3), 0.06380933225307484, 1e-12);
  EXPECT_NEAR(of("process.metric.mmd", a, sample_b(25, 3), 3), 0.05425325575329132, 1e-12);
  EXPECT_NEAR(of("process.metric.frechet", a, b, 3), 0.4554549260862084,
              1e-7);  // the root of a singular matrix
  EXPECT_NEAR(of("process.metric.coverage", a, b, 3), 0.325, 1e-12);
  EXPECT_NEAR(of("process.metric.density", a, b, 3), 0.36, 1e-12);
}

TEST(SampleMetrics, AShiftIsAsFarAsItIsLong) {
  const auto a = sample_a(60, 2);
  auto b = a;
  for (std::size_t i = 0; i < b.size(); i += 2) {
    b[i] += 0.3;
    b[i + 1] -= 0.4;
  }
  std::reverse(b.begin(),
               b.end());  // another order of the rows, once their numbers are swapped back
  for (std::size_t i = 0; i < b.size(); i += 2) std::swap(b[i], b[i + 1]);
  for (const char* order : {"1", "2"}) {
    EXPECT_NEAR(of("process.metric.wasserstein", a, b, 2, {{"order", order}}), 0.5, 1e-12);
  }
  EXPECT_NEAR(of("process.metric.frechet", a, b, 2), 0.25, 1e-9);
  // The mean of (v . direction)^2 over directions is |v|^2 / 2.
  EXPECT_NEAR(of("process.metric.sliced_wasserstein", a, b, 2, {{"projections", "4000"}}),
              0.5 / std::sqrt(2.0), 0.01);
}

TEST(SampleMetrics, SlicesOfALineAreTheLine) {
  const auto a = sample_a(40, 1), b = sample_b(23, 1);
  for (const char* order : {"1", "2"}) {
    EXPECT_NEAR(of("process.metric.sliced_wasserstein", a, b, 1, {{"order", order}}),
                of("process.metric.wasserstein", a, b, 1, {{"order", order}}), 1e-12);
  }
}

TEST(SampleMetrics, DistancesAreZeroOnTheSameRowsAndSymmetric) {
  const auto a = sample_a(30, 2), b = sample_b(30, 2);
  for (const char* name : {"wasserstein", "sliced_wasserstein", "mmd", "frechet"}) {
    SCOPED_TRACE(name);
    const std::string full = std::string("process.metric.") + name;
    EXPECT_NEAR(of(full, a, b, 2), of(full, b, a, 2), 1e-12);
    EXPECT_GT(of(full, a, b, 2), 0.01);
    if (std::string_view(name) == "mmd") continue;  // unbiased: below 0 on the same rows
    EXPECT_NEAR(of(full, a, a, 2), 0.0, 1e-7);
  }
  EXPECT_EQ(of("process.metric.coverage", a, a, 2), 1.0);
}

TEST(SampleMetrics, OfNormalDistributionsFrechetKnowsTheAnswer) {
  // Samples with exactly these moments: corners of a box have mean m and covariance diag(s^2) n /
  // (n
  // - 1).
  const auto box = [](double mx, double my, double sx, double sy) {
    std::vector<double> x;
    for (const double i : {-1.0, 1.0}) {
      for (const double j : {-1.0, 1.0}) {
        x.push_back(mx + std::sqrt(0.75) * sx * i);
        x.push_back(my + std::sqrt(0.75) * sy * j);
      }
    }
    return x;
  };
  EXPECT_NEAR(of("process.metric.frechet", box(0.0, 0.0, 1.0, 2.0), box(3.0, -1.0, 2.5, 0.5), 2),
              10.0 + 1.5 * 1.5 + 1.5 * 1.5, 1e-12);
}

TEST(SampleMetrics, EigenvectorsRebuildTheMatrix) {
  constexpr std::size_t n = 9;
  std::vector<double> m(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j)
      m[i * n + j] = std::cos(double(i * j)) + (i == j ? double(i) : 0.0);
  }
  const Eigen e = eigen(m, n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      double sum = 0.0, dot = 0.0;
      for (std::size_t k = 0; k < n; ++k) {
        sum += e.vectors[i * n + k] * e.values[k] * e.vectors[j * n + k];
        dot += e.vectors[k * n + i] * e.vectors[k * n + j];
      }
      EXPECT_NEAR(sum, m[i * n + j], 1e-12);
      EXPECT_NEAR(dot, i == j ? 1.0 : 0.0, 1e-13);
    }
  }
}

TEST(SampleMetrics, ALostModeIsSeen) {
  const Mixture both{{0.5, 0.5}, {-1.0, 0.0, 1.0, 0.0}, {0.2, 0.2, 0.2, 0.2}, 2};
  std::vector<double> real(400), same(400), lost(400);
  draw(both, 1, 0, kAnyLabel, real);
  draw(both, 2, 0, kAnyLabel, same);
  draw(both, 2, 0, 0, lost);
  EXPECT_GT(of("process.metric.coverage", real, same, 2), 0.9);
  EXPECT_LT(of("process.metric.coverage", real, lost, 2), 0.6);
  EXPECT_GT(of("process.metric.density", real, same, 2), 0.9);
  for (const char* name : {"wasserstein", "sliced_wasserstein", "mmd", "frechet"}) {
    const std::string full = std::string("process.metric.") + name;
    EXPECT_GT(of(full, real, lost, 2), 4.0 * of(full, real, same, 2)) << name;
  }
}

TEST(SampleMetrics, WhatCannotBeComparedIsOneLine) {
  const auto a = sample_a(10, 2);
  const auto code = [&](std::string_view name, const std::vector<double>& b, std::int64_t dims) {
    return code_of([&] { of(name, a, b, dims); });
  };
  auto bad = a;
  bad[3] = std::numeric_limits<double>::quiet_NaN();
  for (const api::Entry* entry : api::Registry::instance().list(SampleMetric::kKind)) {
    SCOPED_TRACE(std::string(entry->text.name));
    EXPECT_EQ(code(entry->text.name, bad, 2), 4023);
    EXPECT_EQ(code(entry->text.name, {1.0, 2.0}, 2), 4023);
    EXPECT_EQ(code(entry->text.name, {}, 2), 4023);
    EXPECT_EQ(code(entry->text.name, a, 3), 1136);
  }
  EXPECT_EQ(code("process.metric.wasserstein", sample_b(9, 2), 2), 1136);
  EXPECT_EQ(code_of([&] { of("process.metric.coverage", a, a, 2, {{"neighbours", "10"}}); }), 4023);
}

}  // namespace
}  // namespace gradatim::process
