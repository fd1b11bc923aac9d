// Where texts are cut before they become tokens. Pieces look into the text, which is normalised.
#pragma once

#include <string_view>
#include <vector>

namespace gradatim::neural {

/// As CLIP cuts: 's 't 're 've 'm 'll 'd, runs of letters, single numbers, runs of what is neither
/// letter, number nor white space.
std::vector<std::string_view> clip_pieces(std::string_view text);

/// Words and marks: runs of letters, their marks, numbers and apostrophes between them; every other
/// character but white space by itself.
std::vector<std::string_view> word_pieces(std::string_view text);

}  // namespace gradatim::neural
