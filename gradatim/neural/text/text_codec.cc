#include "gradatim/neural/text/text_codec.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradatim/core/error.h"
#include "gradatim/neural/text/stored.h"
#include "gradatim/neural/tokenizer.h"

namespace gradatim::neural {

std::vector<std::int64_t> TextCodec::encode(std::string_view text,
                                            const EncodeOptions& options) const {
  GRADATIM_CHECK(options.length == 0 || options.length >= 2, UsageError, 1179,
                 "a text of {} tokens has no room for its begin and its end; give it 2 or more",
                 options.length);
  std::vector<std::int64_t> row = tokens(text);
  GRADATIM_CHECK(options.allow_empty || !row.empty(), UsageError, 1178,
                 "a text has no words; say what it shall be about");
  const SpecialTokens own = special();
  row.insert(row.begin(), own.begin);
  if (options.length > 0) {
    const auto length = static_cast<std::size_t>(options.length);
    row.resize(std::min(row.size(), length - 1));
    row.push_back(own.end);
    row.resize(length, own.pad);
  } else {
    row.push_back(own.end);
  }
  return row;
}

std::vector<std::int64_t> TextCodec::encode_rows(std::span<const std::string> texts,
                                                 EncodeOptions options) const {
  if (options.length == 0) {
    for (const auto& text : texts) {
      const auto length = static_cast<std::int64_t>(tokens(text).size()) + 2;
      options.length = std::max(options.length, length);
    }
  }
  std::vector<std::int64_t> rows;
  for (const auto& text : texts) {
    const auto row = encode(text, options);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  return rows;
}

std::shared_ptr<const TextCodec> load_text_codec(const std::string& json,
                                                 const std::string& source) {
  const StoredFields fields(json, source);
  const auto name = fields.get<std::string>("tokenizer");
  const auto* entry = api::Registry::instance().find(name);
  fields.want(entry != nullptr && entry->kind == Tokenizer::kKind, "tokenizer");
  return api::build_as<Tokenizer>({.component = name})->load(fields);
}

}  // namespace gradatim::neural
