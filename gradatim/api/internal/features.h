// Settings that name features of the data: their text, on the command line and in golden files.
//
//   a:1,b:-1    a number for features by name; 1,0,-1 for all features in order
//   a,b;c,d     groups of features
// A name with a separator, a quote or a blank at an end stands in double quotes, a quote in it
// doubled. "{}" and "[]" are empty.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradatim/api/export.h"

namespace gradatim::api::internal {

std::string named_text(const ByName& items);
std::string groups_text(const Groups& groups);
/// Names (empty where a word has none) and the words behind them.
std::vector<std::pair<std::string, std::string>> parse_named(std::string_view text);
Groups parse_groups(std::string_view text);
Form form_of(const Value& value);
/// Whether the setting names features.
inline bool of_features(const Setting& setting) {
  return setting.form == Form::by_feature || setting.form == Form::groups;
}

}  // namespace gradatim::api::internal
