// Dictionary: words to codes, in order of first appearance.
//
// Open addressing over short hashes: one probe and one comparison for a word that is known, which
// is the case for nearly every cell of a categorical column. Not thread-safe.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "gradatim/data/table.h"

namespace gradatim::data {

class Dictionary {
 public:
  Dictionary() = default;
  explicit Dictionary(const Categories& words);

  /// The word's code; a new word gets the next one.
  std::int32_t code(std::string_view word);
  /// The word's code, or -1.
  std::int32_t find(std::string_view word) const;

  const Categories& words() const { return words_; }
  /// The words, in order of codes; the dictionary is empty afterwards.
  Categories take();

 private:
  std::size_t slot_of(std::string_view word, std::uint32_t hash) const;
  void grow();

  Categories words_;
  std::vector<std::uint32_t> hashes_;  // of the words
  std::vector<std::int32_t> slots_;    // codes, -1 where free; a power of two, at most half full
};

}  // namespace gradatim::data
