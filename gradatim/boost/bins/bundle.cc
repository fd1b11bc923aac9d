#include "gradatim/boost/bins/bundle.h"

#include <algorithm>
#include <array>

#include "gradatim/core/parallel.h"

namespace gradatim::boost {
namespace {

constexpr std::size_t kMostOpen = 64;  // bundles that a feature is tried in

// Calls f(row, bin) for the rows outside the default bin until it says false.
template <class F>
bool each_outside(const BundleCandidate& candidate, F f) {
  if (candidate.sparse != nullptr) {
    const auto& [default_bin, rows, bins] = *candidate.sparse;
    for (std::size_t e = 0; e < rows.size(); ++e) {
      if (!f(rows[e], std::int32_t{bins[e]})) return false;
    }
    return true;
  }
  const auto* bins = candidate.column->as<std::uint8_t>();
  const auto rows = static_cast<std::int64_t>(candidate.column->bytes.size()) - BinColumn::kPadding;
  for (std::int64_t row = 0; row < rows; ++row) {
    if (bins[row] != candidate.default_bin && !f(row, std::int32_t{bins[row]})) return false;
  }
  return true;
}

// A bundle that may still grow: a bit a row that a member is outside in.
struct Open {
  std::vector<BundleCandidate> members;
  std::vector<bool> taken;
  std::int64_t outside = 0;
  std::int32_t codes = 0;

  bool admits(const BundleCandidate& candidate) const {
    const auto rows = static_cast<std::int64_t>(taken.size());
    return codes + candidate.cells <= Bundle::kMostCodes && outside + candidate.outside <= rows &&
           each_outside(candidate, [&](std::int64_t row, std::int32_t) { return !taken[row]; });
  }

  void add(const BundleCandidate& candidate) {
    each_outside(candidate, [&](std::int64_t row, std::int32_t) { return taken[row] = true; });
    members.push_back(candidate);
    outside += candidate.outside;
    codes += candidate.cells;
  }

  // A code, read in order, costs about a quarter of an entry, whose row must be looked up.
  bool worth_it() const {
    if (members.size() < 2) return false;
    const bool entries = std::all_of(members.begin(), members.end(),
                                     [](const auto& member) { return member.sparse != nullptr; });
    return !entries || 4 * outside >= static_cast<std::int64_t>(taken.size());
  }
};

Bundle close(Open open) {
  Bundle bundle;
  bundle.members = std::move(open.members);
  for (const auto& member : bundle.members) {
    bundle.first_code.push_back(bundle.codes);
    bundle.codes += member.cells;
  }
  auto& codes = bundle.column.bytes;
  codes.assign(open.taken.size() + BinColumn::kPadding,
               static_cast<std::uint8_t>(bundle.members.front().default_bin));
  for (std::size_t m = 0; m < bundle.members.size(); ++m) {
    each_outside(bundle.members[m], [&](std::int64_t row, std::int32_t bin) {
      codes[row] = static_cast<std::uint8_t>(bundle.first_code[m] + bin);
      return true;
    });
  }
  for (auto& member : bundle.members) {
    member.column = nullptr;
    member.sparse = nullptr;
  }
  return bundle;
}

}  // namespace

BundleCandidate candidate_of(const BinColumn& column, std::int32_t cells, std::int32_t feature,
                             std::int64_t rows) {
  std::array<std::int64_t, 256> count{};
  const auto* bins = column.as<std::uint8_t>();
  for (std::int64_t row = 0; row < rows; ++row) ++count[bins[row]];
  const auto most = std::max_element(count.begin(), count.end());
  return {.feature = feature,
          .default_bin = static_cast<std::int32_t>(most - count.begin()),
          .cells = cells,
          .outside = rows - *most,
          .column = &column};
}

BundleCandidate candidate_of(const SparseColumn& column, std::int32_t cells, std::int32_t feature) {
  return {.feature = feature,
          .default_bin = column.default_bin,
          .cells = cells,
          .outside = static_cast<std::int64_t>(column.rows.size()),
          .sparse = &column};
}

std::vector<Bundle> bundle_features(std::vector<BundleCandidate> candidates, std::int64_t rows) {
  std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
    return a.outside != b.outside ? a.outside > b.outside : a.feature < b.feature;
  });
  std::vector<Open> open;
  std::vector<Open> full;
  for (const auto& candidate : candidates) {
    auto found = std::find_if(open.begin(), open.end(),
                              [&](const Open& bundle) { return bundle.admits(candidate); });
    if (found == open.end()) {
      if (open.size() == kMostOpen) {
        full.push_back(std::move(open.front()));
        open.erase(open.begin());
      }
      open.push_back({.members = {}, .taken = std::vector<bool>(rows)});
      found = open.end() - 1;
    }
    found->add(candidate);
  }
  full.insert(full.end(), std::make_move_iterator(open.begin()),
              std::make_move_iterator(open.end()));
  std::erase_if(full, [](const Open& bundle) { return !bundle.worth_it(); });
  std::vector<Bundle> bundles(full.size());
  parallel_tasks(static_cast<std::int64_t>(full.size()),
                 [&](std::int64_t b) { bundles[b] = close(std::move(full[b])); });
  return bundles;
}

}  // namespace gradatim::boost
