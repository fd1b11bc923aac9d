#include "gradatim/neural/text/pair_merges.h"

#include <queue>
#include <tuple>

#include "gradatim/neural/text/byte_table.h"

namespace gradatim::neural {
namespace {

std::uint64_t key_of(std::int64_t left, std::int64_t right) {
  return (static_cast<std::uint64_t>(left) << 32) | static_cast<std::uint64_t>(right);
}

}  // namespace

void PairMerges::add(std::int64_t left, std::int64_t right, std::int64_t merged) {
  rules_[key_of(left, right)] = {next_++, merged};
}

const PairMerges::Rule* PairMerges::find(std::int64_t left, std::int64_t right) const {
  const auto found = rules_.find(key_of(left, right));
  return found == rules_.end() ? nullptr : &found->second;
}

// A queue of what can be merged, so that a word of n symbols takes n log n steps: words come from
// anywhere.
std::vector<std::int64_t> PairMerges::apply(const std::vector<std::int64_t>& symbols) const {
  constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  struct Place {
    std::int64_t symbol;
    std::size_t before, behind;
    bool gone = false;
  };
  std::vector<Place> places;
  for (std::size_t k = 0; k < symbols.size(); ++k) {
    places.push_back({symbols[k], k == 0 ? kNone : k - 1, k + 1 == symbols.size() ? kNone : k + 1});
  }
  using Chance = std::tuple<std::int64_t, std::size_t, std::int64_t>;  // rank, place, merged
  std::priority_queue<Chance, std::vector<Chance>, std::greater<>> queue;
  const auto consider = [&](std::size_t at) {
    if (at == kNone || places[at].behind == kNone) return;
    const Rule* rule = find(places[at].symbol, places[places[at].behind].symbol);
    if (rule != nullptr) queue.emplace(rule->rank, at, rule->merged);
  };
  for (std::size_t k = 0; k < places.size(); ++k) consider(k);
  while (!queue.empty()) {
    const auto [rank, at, merged] = queue.top();
    queue.pop();
    Place& place = places[at];
    if (place.gone || place.behind == kNone) continue;
    Place& next = places[place.behind];
    const Rule* rule = find(place.symbol, next.symbol);
    if (rule == nullptr || rule->merged != merged) continue;  // merged otherwise meanwhile
    place.symbol = merged;
    next.gone = true;
    place.behind = next.behind;
    if (place.behind != kNone) places[place.behind].before = at;
    consider(place.before);
    consider(at);
  }
  std::vector<std::int64_t> left;
  for (const Place& place : places) {
    if (!place.gone) left.push_back(place.symbol);
  }
  return left;
}

std::vector<std::string> byte_symbols() {
  std::vector<std::string> symbols;
  for (const char* end : {"", kWordEnd}) {
    for (const auto byte : bytes_in_order()) symbols.push_back(byte_characters()[byte] + end);
  }
  return symbols;
}

}  // namespace gradatim::neural
