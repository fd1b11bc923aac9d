#include "gradatim/boost/tree/rank_cells.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>
#include <utility>

#include "gradatim/boost/tree/sparse_histogram.h"
#include "gradatim/core/parallel.h"
#include "gradatim/dist/collectives.h"

namespace gradatim::boost {
namespace {

// A candidate as bytes; the words of its categories follow.
struct Packed {
  double score = 0.0;
  std::int32_t feature = 0, bin = 0;
  std::int32_t missing_left = 0, words = 0;
};

void pack(const Candidate& candidate, std::string& out) {
  const Packed head{candidate.score, candidate.feature, candidate.bin,
                    candidate.missing_left ? 1 : 0,
                    static_cast<std::int32_t>(candidate.left_categories.size())};
  out.append(reinterpret_cast<const char*>(&head), sizeof head);
  out.append(reinterpret_cast<const char*>(candidate.left_categories.data()),
             candidate.left_categories.size() * sizeof(std::uint32_t));
}

Candidate unpack(const char*& at) {
  Packed head;
  std::memcpy(&head, at, sizeof head);
  at += sizeof head;
  Candidate candidate;
  candidate.score = head.score;
  candidate.feature = head.feature;
  candidate.bin = head.bin;
  candidate.missing_left = head.missing_left != 0;
  candidate.left_categories.resize(head.words);
  std::memcpy(candidate.left_categories.data(), at, head.words * sizeof(std::uint32_t));
  at += head.words * sizeof(std::uint32_t);
  return candidate;
}

}  // namespace

RankCells::RankCells(const BinnedData& data, std::span<const std::int32_t> features, int lanes)
    : data_(data), features_(features), lanes_(lanes) {
  if (!data.shard().split()) return;
  const dist::Group& group = *data.shard().group;
  const auto cells = [&](std::int32_t f) { return data.features()[f].bins + std::int64_t{1}; };
  std::int64_t total = 0;
  for (const std::int32_t f : features) total += cells(f);
  counts_.assign(group.size(), 0);
  first_.assign(data.features().size(), -1);
  std::int64_t before = 0;
  for (const std::int32_t f : features) {  // by the middle of their cells, so that parts are equal
    const auto owner = (2 * before + cells(f)) * group.size() / (2 * total);
    if (owner == group.rank()) first_[f] = counts_[owner];
    counts_[owner] += cells(f);
    before += cells(f);
  }
}

std::int64_t RankCells::all_cells() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
}

void RankCells::add_up(std::span<std::int64_t* const> own,
                       std::span<std::int64_t* const> summed) const {
  const auto nodes = static_cast<std::int64_t>(own.size());
  if (nodes == 0) return;
  // The parts of the ranks, in each the nodes, in each the features.
  std::vector<std::int64_t> sent(nodes * all_cells() * lanes_), counts(counts_.size());
  struct Copy {
    std::int32_t feature;
    std::int64_t first, stride;  // in `sent`, of the first node and from node to node
  };
  std::vector<Copy> copies;
  std::int64_t part = 0, in_part = 0;
  std::size_t owner = 0;
  for (const std::int32_t f : features_) {
    while (in_part == counts_[owner]) {
      part += nodes * counts_[owner++];
      in_part = 0;
    }
    copies.push_back({f, (part + in_part) * lanes_, counts_[owner] * lanes_});
    in_part += data_.features()[f].bins + 1;
  }
  parallel_tasks(std::ssize(copies), [&](std::int64_t i) {
    const auto& [feature, first, stride] = copies[i];
    const std::int64_t size = (data_.features()[feature].bins + std::int64_t{1}) * lanes_;
    for (std::int64_t n = 0; n < nodes; ++n) {
      if (data_.default_bin(feature) >= 0) complete_default(data_, feature, lanes_, own[n]);
      std::copy_n(own[n] + data_.first_cell(feature) * lanes_, size,
                  sent.data() + first + n * stride);
    }
  });
  for (std::size_t r = 0; r < counts.size(); ++r) counts[r] = nodes * counts_[r] * lanes_;
  std::vector<std::int64_t> mine(nodes * own_cells() * lanes_);
  data_.shard().group->reduce_scatter(sent, counts, mine);
  for (std::int64_t n = 0; n < nodes; ++n) {
    std::copy_n(mine.data() + n * own_cells() * lanes_, own_cells() * lanes_, summed[n]);
  }
}

void choose_best(dist::Group& group, std::span<Candidate* const> candidates) {
  if (group.size() == 1 || candidates.empty()) return;
  std::string mine;
  for (const Candidate* candidate : candidates) pack(*candidate, mine);
  std::vector<Candidate> best(candidates.size());
  for (const auto& text : dist::gather(group, mine)) {  // ranks own features in ascending order
    const char* at = text.data();
    for (auto& known : best) {
      Candidate candidate = unpack(at);
      if (candidate.beats(known)) known = std::move(candidate);
    }
  }
  for (std::size_t i = 0; i < best.size(); ++i) *candidates[i] = std::move(best[i]);
}

}  // namespace gradatim::boost
