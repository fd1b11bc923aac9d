#include "gradatim/boost/category/coded_feature.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "gradatim/core/parallel.h"
#include "gradatim/data/convert.h"

namespace gradatim::boost {
namespace {

constexpr std::int64_t kBlock = 4096;

// The distinct present values, or nothing where one is no whole number or they are too many.
std::vector<double> whole_values(const data::Column& column) {
  std::unordered_set<double> seen;
  std::vector<double> cells(kBlock);
  for (std::int64_t begin = 0; begin < column.rows(); begin += kBlock) {
    const auto block = std::span(cells).first(std::min(kBlock, column.rows() - begin));
    column.read(begin, block);
    for (const double x : block) {
      if (std::isnan(x)) continue;
      if (x != std::floor(x)) return {};
      seen.insert(x);
    }
    if (seen.size() > CodedFeature::kMostValues) return {};
  }
  std::vector<double> values(seen.begin(), seen.end());
  std::ranges::sort(values);
  return values;
}

}  // namespace

std::int32_t CodedFeature::code(double x) const {
  if (std::isnan(x)) return count;
  if (values.empty()) return x >= 0.0 && x < count ? static_cast<std::int32_t>(x) : -1;
  const auto at = std::ranges::lower_bound(values, x);
  return at == values.end() || *at != x ? -1 : static_cast<std::int32_t>(at - values.begin());
}

std::optional<CodedFeature> coded_feature(std::int32_t feature, const data::Column& column,
                                          const data::Categories* words) {
  CodedFeature coded{.feature = feature};
  if (words != nullptr) {
    coded.count = static_cast<std::int32_t>(words->size());
  } else if (!column.sparse()) {
    coded.values = whole_values(column);
    coded.count = static_cast<std::int32_t>(coded.values.size());
  }
  if (coded.count < 2) return {};
  return coded;
}

std::vector<std::int32_t> codes_of(const CodedFeature& coded, const data::Column& column,
                                   const data::Categories* words) {
  std::vector<std::int32_t> codes(column.rows());
  if (words == nullptr) {
    parallel_for(column.rows(), kBlock, [&](std::int64_t begin, std::int64_t end) {
      double cells[kBlock];
      column.read(begin, std::span(cells, end - begin));
      for (std::int64_t i = begin; i < end; ++i) codes[i] = coded.code(cells[i - begin]);
    });
    return codes;
  }
  const std::vector<std::int32_t> code_of = data::codes_among(column.categories(), *words);
  parallel_for(column.rows(), kBlock, [&](std::int64_t begin, std::int64_t end) {
    const auto block = std::span(codes).subspan(begin, end - begin);
    column.read_codes(begin, block);
    for (std::int32_t& code : block) code = code < 0 ? coded.count : code_of[code];
  });
  return codes;
}

}  // namespace gradatim::boost
