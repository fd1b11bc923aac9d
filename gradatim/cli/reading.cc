#include "gradatim/cli/reading.h"

#include <algorithm>

#include "gradatim/core/text.h"
#include "gradatim/data/reader.h"
#include "gradatim/dist/read_shard.h"

namespace gradatim::cli {
namespace {

// What the reader would infer from the classes themselves: 0 and 1, or false and true.
bool infers_itself(const std::vector<std::string>& classes) {
  if (classes == std::vector<std::string>{"false", "true"}) return true;
  return std::ranges::all_of(classes, [](const std::string& word) {
    const auto number = parse_number(word);
    return number && number_text(*number) == word;
  });
}

}  // namespace

data::Schema reading_schema(const data::ModelCard& card) {
  data::Schema expected = card.features;
  if (card.classification && !infers_itself(card.classes)) {
    expected.columns.push_back({.name = card.target, .type = data::ColumnType::categorical});
  }
  return expected;
}

data::Table read_for(const data::ModelCard& card, const std::string& source, Observer* observer,
                     dist::Group* group) {
  const data::Schema expected = reading_schema(card);
  const data::ReadOptions options{.expected = &expected, .observer = observer};
  if (group != nullptr) return dist::read_shard(*group, source, options).table;
  return data::read_table(source, options);
}

}  // namespace gradatim::cli
