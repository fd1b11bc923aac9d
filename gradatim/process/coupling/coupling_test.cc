// Couplings: what each of them keeps, and laws that all obey.
#include "gradatim/process/coupling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "gradatim/core/parallel.h"
#include "gradatim/core/philox.h"
#include "gradatim/core/simd.h"
#include "gradatim/process/metric/point_assignment.h"
#include "gradatim/process/testing.h"

namespace gradatim::process {
namespace {

using namespace testing;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

struct Rows {
  std::vector<float> noise, data, conditions;
  std::vector<std::int64_t> labels;
  std::int64_t rows, dims;

  Rows(std::int64_t count, std::int64_t wide, std::uint64_t seed = 3) : rows(count), dims(wide) {
    const Philox draws(seed, Stream::data);
    for (std::int64_t i = 0; i < rows * dims; ++i) {
      noise.push_back(static_cast<float>(draws.uniform(at(2 * i))));
      data.push_back(static_cast<float>(draws.uniform(at(2 * i + 1))) * 3.0F - 1.0F);
    }
    for (std::int64_t i = 0; i < rows; ++i) {
      labels.push_back(draws.below(3, at(9'000'000 + i)));
      conditions.push_back(data[at(i * dims)]);
    }
  }
  Batch batch() const {
    return {.noise = noise, .data = data, .rows = rows, .dims = dims, .seed = 11, .step = 5};
  }
  Batch labelled() const {
    Batch made = batch();
    made.labels = labels;
    return made;
  }
};

std::vector<std::int32_t> pairs(std::string_view name, const Batch& batch,
                                const std::vector<api::Option>& options = {}) {
  std::vector<std::int32_t> partner(at(batch.rows), -1);
  make<Coupling>("process.coupling." + std::string(name), options)->pair(batch, partner);
  return partner;
}

double cost(const Batch& batch, const std::vector<std::int32_t>& partner) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < batch.rows; ++i) {
    for (std::int64_t k = 0; k < batch.dims; ++k) {
      const double apart = double{batch.noise[at(i * batch.dims + k)]} -
                           double{batch.data[at(partner[at(i)] * batch.dims + k)]};
      sum += apart * apart;
    }
  }
  return sum / static_cast<double>(batch.rows);
}

bool is_permutation(std::vector<std::int32_t> partner) {
  std::ranges::sort(partner);
  for (std::size_t i = 0; i < partner.size(); ++i) {
    if (partner[i] != static_cast<std::int32_t>(i)) return false;
  }
  return true;
}

TEST(Coupling, IsTheSameForTheSameBatchWhateverRunsIt) {
  const Rows rows(130, 5);
  for (const api::Entry* entry : api::Registry::instance().list(Coupling::kKind)) {
    const std::string name(entry->text.name.substr(Coupling::kKind.size() + 1));
    const auto best = pairs(name, rows.labelled());
    for (const std::int32_t j : best) EXPECT_TRUE(j >= 0 && j < 130) << name;
    for (const Simd most : {Simd::portable, Simd::avx2}) {
      const SimdLimit limit(most);
      EXPECT_EQ(pairs(name, rows.labelled()), best) << name;
    }
    const ThreadScope threads(3);
    EXPECT_EQ(pairs(name, rows.labelled()), best) << name;
  }
}

TEST(Coupling, RefusesWhatDoesNotFit) {
  const Rows rows(12, 2);
  for (const api::Entry* entry : api::Registry::instance().list(Coupling::kKind)) {
    const std::string name(entry->text.name.substr(Coupling::kKind.size() + 1));
    SCOPED_TRACE(name);
    const auto code = [&](auto&& change) {
      Batch batch = rows.labelled();
      change(batch);
      return code_of([&] { pairs(name, batch); });
    };
    EXPECT_EQ(code([](Batch& b) { b.dims = 3; }), 1155);
    EXPECT_EQ(code([](Batch& b) { b.noise = b.noise.first(22); }), 1155);
    EXPECT_EQ(code([](Batch& b) { b.labels = b.labels.first(11); }), 1155);
    EXPECT_EQ(code([&](Batch& b) { b.conditions = std::span(rows.conditions).first(11); }), 1155);
    EXPECT_EQ(code([](Batch& b) { b = Batch{}; }), 1155);
    std::vector<float> bad = rows.data;
    for (const float value : {std::numeric_limits<float>::infinity(), NAN, 1e30F}) {
      bad[5] = value;
      EXPECT_EQ(code([&](Batch& b) { b.data = bad; }), 4024);
      EXPECT_EQ(code([&](Batch& b) { b.noise = bad; }), 4024);
    }
    std::vector<std::int32_t> few(11);
    const auto coupling = make<Coupling>(entry->text.name);
    EXPECT_EQ(code_of([&] { coupling->pair(rows.labelled(), few); }), 1155);
    EXPECT_EQ(code_of([&] { pairs(name, rows.batch()); }),
              name == "conditional_optimal_transport" ? 1156 : 0);
  }
}

TEST(Coupling, OfOneRowIsThatRow) {
  const Rows rows(1, 3);
  for (const api::Entry* entry : api::Registry::instance().list(Coupling::kKind)) {
    const std::string name(entry->text.name.substr(Coupling::kKind.size() + 1));
    EXPECT_EQ(pairs(name, rows.labelled()), std::vector<std::int32_t>{0}) << name;
  }
}

TEST(CouplingIndependent, KeepsEveryRow) {
  const Rows rows(40, 2);
  std::vector<std::int32_t> same(40);
  std::iota(same.begin(), same.end(), 0);
  EXPECT_EQ(pairs("independent", rows.batch()), same);
}

TEST(CouplingOptimalTransport, UndoesAPermutationAndAShift) {
  for (const std::int64_t dims : {1, 2, 3, 4, 100}) {
    Rows rows(90, dims);
    for (std::int64_t i = 0; i < 90; ++i) {
      const std::int64_t j = (37 * i + 11) % 90;
      for (std::int64_t k = 0; k < dims; ++k) {
        rows.data[at(j * dims + k)] = rows.noise[at(i * dims + k)] + 2.0F;
      }
    }
    const auto partner = pairs("optimal_transport", rows.batch());
    for (std::int64_t i = 0; i < 90; ++i) EXPECT_EQ(partner[at(i)], (37 * i + 11) % 90);
  }
}

TEST(CouplingOptimalTransport, IsMonotone) {
  // Of an optimal pairing no two pairs cost less crossed.
  const Rows rows(60, 2);
  const auto partner = pairs("optimal_transport", rows.batch());
  EXPECT_TRUE(is_permutation(partner));
  for (std::size_t i = 0; i < 60; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      auto crossed = partner;
      std::swap(crossed[i], crossed[j]);
      EXPECT_GE(cost(rows.batch(), crossed), cost(rows.batch(), partner) - 1e-12);
    }
  }
}

TEST(CouplingSinkhorn, GoesFromOptimalTransportToIndependence) {
  const Rows rows(100, 2);
  const auto mean = [&](const char* regularisation) {
    double sum = 0.0;
    for (int step = 0; step < 20; ++step) {
      Batch batch = rows.batch();
      batch.step = step;
      sum += cost(batch, pairs("sinkhorn", batch, {{"regularisation", regularisation}}));
    }
    return sum / 20.0;
  };
  const double best = cost(rows.batch(), pairs("optimal_transport", rows.batch()));
  EXPECT_NEAR(mean("0.01"), best, 0.1 * best);
  EXPECT_GT(mean("0.3"), 1.1 * best);
  EXPECT_GT(mean("1e6"), 1.1 * mean("0.3"));
}

TEST(CouplingSinkhorn, DrawsEveryPairAsOftenAsThePlanSays) {
  // Two rows at distances 0 and 1: by symmetry of the plan each has its own weight q, (1 - q) / q =
  // exp(-1 / e), e = regularisation times the mean cost 1/2.
  const std::vector<float> points{0.0F, 1.0F};
  const double q = 1.0 / (1.0 + std::exp(-1.0 / 0.5));
  int own = 0;
  constexpr int kRounds = 4000;
  for (int step = 0; step < kRounds; ++step) {
    const Batch batch{.noise = points, .data = points, .rows = 2, .dims = 1, .step = step};
    const auto partner = pairs("sinkhorn", batch, {{"regularisation", "1"}});
    own += (partner[0] == 0) + (partner[1] == 1);
  }
  const double deviation = std::sqrt(q * (1.0 - q) / (2.0 * kRounds));
  EXPECT_NEAR(own / (2.0 * kRounds), q, 4.0 * deviation);
}

TEST(CouplingSinkhorn, OfUniformPlansUsesDataRowsEvenly) {
  const Rows rows(64, 2);
  std::vector<int> count(64);
  for (int step = 0; step < 200; ++step) {
    Batch batch = rows.batch();
    batch.step = step;
    for (const std::int32_t j : pairs("sinkhorn", batch)) ++count[at(j)];
  }
  for (const int c : count) EXPECT_NEAR(c, 200, 6 * std::sqrt(200));
}

TEST(CouplingSinkhorn, NeitherOverflowsNorGoesOnForEver) {
  Rows rows(30, 2);
  for (float& x : rows.data) x *= 1e14F;
  for (float& x : rows.noise) x *= 1e14F;
  EXPECT_NO_THROW(pairs("sinkhorn", rows.batch()));
  EXPECT_NO_THROW(pairs("sinkhorn", rows.batch(), {{"regularisation", "1e300"}}));
  for (const char* small : {"1e-12", "1e-300"}) {
    EXPECT_EQ(code_of([&] {
                pairs("sinkhorn", rows.batch(), {{"regularisation", small}, {"iterations", "20"}});
              }),
              4025);
  }
  const std::vector<float> same(20, 3.0F);
  const Batch batch{.noise = same, .data = same, .rows = 10, .dims = 2};
  EXPECT_NO_THROW(pairs("sinkhorn", batch));
}

TEST(CouplingConditional, PairsWithinClassesAndBestThere) {
  const Rows rows(150, 2);
  const auto partner = pairs("conditional_optimal_transport", rows.labelled());
  EXPECT_TRUE(is_permutation(partner));
  for (std::size_t i = 0; i < 150; ++i) {
    EXPECT_EQ(rows.labels[i], rows.labels[at(partner[i])]);
    for (std::size_t j = 0; j < i; ++j) {
      if (rows.labels[i] != rows.labels[j]) continue;
      auto crossed = partner;
      std::swap(crossed[i], crossed[j]);
      EXPECT_GE(cost(rows.batch(), crossed), cost(rows.batch(), partner) - 1e-12);
    }
  }
}

TEST(CouplingConditional, OfOneClassIsOptimalTransportAndOfAllClassesNothing) {
  Rows rows(80, 2);
  std::ranges::fill(rows.labels, -4);
  EXPECT_EQ(pairs("conditional_optimal_transport", rows.labelled()),
            pairs("optimal_transport", rows.batch()));
  std::iota(rows.labels.begin(), rows.labels.end(), 100);
  EXPECT_EQ(pairs("conditional_optimal_transport", rows.labelled()),
            pairs("independent", rows.batch()));
}

TEST(CouplingConditional, NearConditionsCountTheMoreTheSmallerTheRatio) {
  const Rows rows(120, 2);
  Batch batch = rows.batch();
  batch.conditions = rows.conditions;
  const auto apart = [&](const char* ratio) {
    const auto partner = pairs("conditional_optimal_transport", batch, {{"target_ratio", ratio}});
    EXPECT_TRUE(is_permutation(partner));
    double sum = 0.0;
    for (std::size_t i = 0; i < 120; ++i) {
      sum += std::abs(rows.conditions[i] - rows.conditions[at(partner[i])]);
    }
    return std::pair{sum / 120.0, cost(batch, partner)};
  };
  EXPECT_EQ(apart("0").first, 0.0);  // conditions are all different: every row keeps its own
  EXPECT_EQ(apart("1").second, cost(batch, pairs("optimal_transport", batch)));
  const auto [tight, dear] = apart("0.02");
  const auto [loose, cheap] = apart("0.2");
  EXPECT_LT(tight, loose);
  EXPECT_GT(dear, cheap);
  EXPECT_LT(loose, apart("1").first);
}

TEST(CouplingConditional, EqualConditionsAreOptimalTransport) {
  const Rows rows(70, 2);
  const std::vector<float> same(70, 2.5F);
  Batch batch = rows.batch();
  batch.conditions = same;
  EXPECT_NEAR(cost(batch, pairs("conditional_optimal_transport", batch)),
              cost(batch, pairs("optimal_transport", batch)), 1e-6);
}

}  // namespace
}  // namespace gradatim::process
