#include "gradatim/dist/merge_categories.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "gradatim/data/convert.h"
#include "gradatim/data/dictionary.h"
#include "gradatim/dist/collectives.h"

namespace gradatim::dist {

std::vector<data::Column> merge_categories(Group& group, std::vector<data::Column> columns) {
  std::vector<data::Column*> worded;
  for (auto& column : columns) {
    if (column.type() == data::ColumnType::categorical) worded.push_back(&column);
  }
  if (group.size() == 1 || worded.empty()) return columns;

  // Of each column, how many words there are and how long each is; and the words' bytes.
  std::vector<std::int64_t> lengths;
  std::string bytes;
  for (const auto* column : worded) {
    lengths.push_back(std::ssize(column->categories()));
    for (const auto& word : column->categories()) {
      lengths.push_back(std::ssize(word));
      bytes += word;
    }
  }
  const auto all_lengths = gather_values<std::int64_t>(group, lengths);
  const auto all_bytes = gather(group, bytes);

  std::vector<data::Dictionary> words(worded.size());
  auto length = all_lengths.begin();
  for (const auto& part : all_bytes) {
    std::string_view left = part;
    for (auto& dictionary : words) {
      for (auto count = *length++; count > 0; --count) {
        dictionary.code(left.substr(0, *length));
        left.remove_prefix(*length++);
      }
    }
  }
  for (std::size_t i = 0; i < worded.size(); ++i) {
    *worded[i] =
        data::recode(*worded[i], std::make_shared<const data::Categories>(words[i].take()));
  }
  return columns;
}

}  // namespace gradatim::dist
