#include "gradatim/data/dictionary.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace gradatim::data {
namespace {

std::uint32_t hash_of(std::string_view word) {
  const std::size_t hash = std::hash<std::string_view>{}(word);
  return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

}  // namespace

Dictionary::Dictionary(const Categories& words) {
  for (const auto& word : words) code(word);
}

// The slot that holds the word, or the free one where it belongs.
std::size_t Dictionary::slot_of(std::string_view word, std::uint32_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash & mask;
  while (slots_[slot] >= 0) {
    const auto code = static_cast<std::size_t>(slots_[slot]);
    if (hashes_[code] == hash && words_[code] == word) break;
    slot = (slot + 1) & mask;
  }
  return slot;
}

std::int32_t Dictionary::find(std::string_view word) const {
  return slots_.empty() ? -1 : slots_[slot_of(word, hash_of(word))];
}

std::int32_t Dictionary::code(std::string_view word) {
  if (2 * words_.size() >= slots_.size()) grow();
  const std::uint32_t hash = hash_of(word);
  std::int32_t& slot = slots_[slot_of(word, hash)];
  if (slot < 0) {
    slot = static_cast<std::int32_t>(words_.size());
    words_.emplace_back(word);
    hashes_.push_back(hash);
  }
  return slot;
}

void Dictionary::grow() {
  const std::size_t size = std::max<std::size_t>(16, 2 * slots_.size());
  slots_.assign(size, -1);
  const std::size_t mask = size - 1;
  for (std::size_t code = 0; code < words_.size(); ++code) {
    std::size_t slot = hashes_[code] & mask;
    while (slots_[slot] >= 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<std::int32_t>(code);
  }
}

Categories Dictionary::take() {
  hashes_.clear();
  slots_.clear();
  return std::exchange(words_, {});
}

}  // namespace gradatim::data
