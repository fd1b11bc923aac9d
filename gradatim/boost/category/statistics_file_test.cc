// Target statistics of a model file that someone changed: refused, and nothing else happens.
#include <gtest/gtest.h>

#include <functional>

#include "gradatim/boost/model_parts_test.h"
#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

int load_code(const Parts& parts) {
  const std::string bytes = parts.bytes();
  return code_of([&] { data::load_model_bytes(bytes, "model"); });
}

// A model with the statistics of a category and of the category with a number of few values.
std::string good_statistics() {
  const TableShape shape{.rows = 2000, .numeric = 2, .categorical = 1, .distinct = 4};
  Random random(1);
  auto columns = random_features(shape, random);
  std::vector<double> y;
  const auto x = numbers(columns[0]);
  const auto c = numbers(columns[2]);
  for (std::size_t row = 0; row < x.size(); ++row) {
    y.push_back(std::fmod(c[row], 2.0) * x[row] + c[row]);
  }
  columns.push_back(data::numeric_column("y", y));
  return fit("boost.newton",
             {{"target_statistics", "combinations"},
              {"high_cardinality", "3"},
              {"n_estimators", "3"}},
             request_of(data::Table(columns)))
      ->bytes();
}

TEST(StatisticsFile, ThatContradictsItselfIsRefused) {
  const std::string good = good_statistics();
  EXPECT_EQ(load_code(Parts(good)), 0);
  const auto after_change = [&](const std::function<void(Parts&)>& change) {
    Parts parts(good);
    change(parts);
    return load_code(parts);
  };
  // Every integer a little and far outside, every number none.
  for (const char* name : {"statistics.feature", "statistics.count", "statistics.sets"}) {
    const auto size = Parts(good).get<std::int32_t>(name).size();
    ASSERT_GT(size, 0U) << name;
    for (std::size_t i = 0; i < size; ++i) {
      for (const std::int32_t bad : {-1, 0x7FFFFFFF, 77}) {
        EXPECT_EQ(after_change([&](Parts& p) {
                    auto values = p.get<std::int32_t>(name);
                    values[i] = bad;
                    p.set(name, values);
                  }),
                  3050)
            << name << " " << i << " " << bad;
      }
    }
  }
  for (const char* name : {"statistics.first_value", "statistics.first_in_set"}) {
    const auto size = Parts(good).get<std::int64_t>(name).size();
    for (std::size_t i = 0; i < size; ++i) {
      for (const std::int64_t bad : {std::int64_t{-1}, std::int64_t{1} << 62, std::int64_t{99}}) {
        EXPECT_EQ(after_change([&](Parts& p) {
                    auto values = p.get<std::int64_t>(name);
                    values[i] = bad;
                    p.set(name, values);
                  }),
                  3050)
            << name << " " << i << " " << bad;
      }
    }
  }
  for (const char* name : {"statistics.values", "statistics.tables", "statistics.prior_weight"}) {
    for (const double bad : {kNaN, kInfinity}) {
      EXPECT_EQ(after_change([&](Parts& p) {
                  auto values = p.get<double>(name);
                  values.front() = bad;
                  p.set(name, values);
                }),
                3050)
          << name << " " << bad;
    }
  }
  EXPECT_EQ(after_change([](Parts& p) {
              auto tables = p.get<double>("statistics.tables");
              tables.pop_back();
              p.set("statistics.tables", tables);
            }),
            3050);
  for (const char* name : {"statistics.count", "statistics.tables", "statistics.rows"}) {
    EXPECT_EQ(after_change([&](Parts& p) { p.erase(name); }), 3002) << name;
  }
  // Trees that ask for features which no statistic makes.
  EXPECT_EQ(after_change([](Parts& p) { p.erase("statistics.feature"); }), 3010);
}

}  // namespace
}  // namespace gradatim::boost
