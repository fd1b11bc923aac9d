#include "gradatim/boost/tree/rank_cells.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "gradatim/boost/tree/sparse_histogram.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {
namespace {

// A candidate as integers; the words of its categories follow.
struct Packed {
  double score = 0.0;
  std::int32_t feature = 0, bin = 0;
  std::int16_t missing_left = 0, left_smaller = 0;
  std::int32_t words = 0;
};
constexpr std::size_t kHead = sizeof(Packed) / sizeof(std::uint32_t);

void pack(const Candidate& candidate, std::span<std::uint32_t> out) {
  const auto& words = candidate.left_categories;
  const Packed head{candidate.score,        candidate.feature,
                    candidate.bin,          candidate.missing_left,
                    candidate.left_smaller, static_cast<std::int32_t>(words.size())};
  std::memcpy(out.data(), &head, sizeof head);
  std::copy(words.begin(), words.end(), out.begin() + kHead);
}

Candidate unpack(std::span<const std::uint32_t> packed) {
  Packed head;
  std::memcpy(&head, packed.data(), sizeof head);
  Candidate candidate;
  candidate.score = head.score;
  candidate.feature = head.feature;
  candidate.bin = head.bin;
  candidate.missing_left = head.missing_left != 0;
  candidate.left_smaller = head.left_smaller != 0;
  const auto words = packed.subspan(kHead, head.words);
  candidate.left_categories.assign(words.begin(), words.end());
  return candidate;
}

// The first numbers of a buffer, of any content.
std::span<std::int64_t> room(std::vector<std::int64_t>& buffer, std::int64_t size) {
  if (std::ssize(buffer) < size) buffer.resize(size);
  return std::span(buffer).first(size);
}

}  // namespace

RankCells::RankCells(const BinnedData& data, std::span<const std::int32_t> features, int lanes,
                     CellsOnTheWay& buffers)
    : data_(data), features_(features), lanes_(lanes), buffers_(buffers) {
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
    const FeatureBins& bins = data.features()[f];
    if (!bins.categorical()) continue;
    words_ = std::max(words_, static_cast<std::size_t>((bins.bins + 31) / 32));
  }
}

std::int64_t RankCells::all_cells() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
}

void RankCells::add_up(std::span<std::int64_t* const> own, std::span<std::int64_t* const> summed,
                       std::span<std::int64_t> sums) const {
  dist::Group& group = *data_.shard().group;
  const auto nodes = static_cast<std::int64_t>(own.size());
  if (nodes == 0) {
    if (!sums.empty()) group.all_reduce(sums, dist::Reduction::sum);
    return;
  }
  // The parts of the ranks, in each the nodes, in each the features; `sums` end every part.
  std::vector<std::int64_t> counts, firsts;
  std::int64_t size = 0;
  for (const std::int64_t cells : counts_) {
    firsts.push_back(size);
    counts.push_back(nodes * cells * lanes_ + std::ssize(sums));
    size += counts.back();
  }
  const auto sent = room(buffers_.sent, size);
  const auto mine = room(buffers_.received, counts[group.rank()]);
  struct Copy {
    std::int32_t feature;
    std::int64_t first, stride;  // in `sent`, of the first node and from node to node
  };
  std::vector<Copy> copies;
  std::int64_t in_part = 0;
  std::size_t owner = 0;
  for (const std::int32_t f : features_) {
    while (in_part == counts_[owner]) {
      ++owner;
      in_part = 0;
    }
    copies.push_back({f, firsts[owner] + in_part * lanes_, counts_[owner] * lanes_});
    in_part += data_.features()[f].bins + 1;
  }
  parallel_tasks(std::ssize(copies), [&](std::int64_t i) {
    const auto& [feature, first, stride] = copies[i];
    const std::int64_t cells = (data_.features()[feature].bins + std::int64_t{1}) * lanes_;
    for (std::int64_t n = 0; n < nodes; ++n) {
      if (data_.default_bin(feature) >= 0) complete_default(data_, feature, lanes_, own[n]);
      std::copy_n(own[n] + data_.first_cell(feature) * lanes_, cells,
                  sent.data() + first + n * stride);
    }
  });
  for (std::size_t r = 0; r < counts.size(); ++r) {
    std::ranges::copy(sums, sent.begin() + firsts[r] + counts[r] - std::ssize(sums));
  }
  group.reduce_scatter(sent, counts, mine);
  const std::int64_t cells = own_cells() * lanes_;
  for (std::int64_t n = 0; n < nodes; ++n) std::copy_n(mine.data() + n * cells, cells, summed[n]);
  std::copy(mine.end() - std::ssize(sums), mine.end(), sums.begin());
}

// Records of one size, so that one exchange does.
void RankCells::choose_best(std::span<Candidate* const> candidates) const {
  dist::Group& group = *data_.shard().group;
  if (group.size() == 1 || candidates.empty()) return;
  const std::size_t size = kHead + words_, count = candidates.size();
  std::vector<std::uint32_t> mine(count * size), all(mine.size() * group.size());
  for (std::size_t i = 0; i < count; ++i) {
    pack(*candidates[i], std::span(mine).subspan(i * size, size));
  }
  group.all_gather(std::as_bytes(std::span(mine)), std::as_writable_bytes(std::span(all)));
  for (std::size_t i = 0; i < count; ++i) {
    Candidate best;
    for (int r = 0; r < group.size(); ++r) {  // ranks own features in ascending order
      Candidate other = unpack(std::span(all).subspan((r * count + i) * size, size));
      if (other.beats(best)) best = std::move(other);
    }
    *candidates[i] = std::move(best);
  }
}

}  // namespace gradatim::boost
