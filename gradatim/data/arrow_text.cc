#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/arrow_cells.h"
#include "gradatim/data/convert.h"
#include "gradatim/data/dictionary.h"

namespace gradatim::data {
namespace {

template <class Offset>
std::string_view offset_text(const ArrowCells& cells, std::int64_t row) {
  const Offset* offsets = cells.data<Offset>(1) + cells.first + row;
  const auto size = offsets[1] - offsets[0];
  if (size <= 0) return {};
  return {cells.data<char>(2) + offsets[0], static_cast<std::size_t>(size)};
}

// A view is 16 bytes: the length, then the text itself or (prefix, buffer, offset).
std::string_view view_text(const ArrowCells& cells, std::int64_t row) {
  const char* view = cells.data<char>(1) + 16 * (cells.first + row);
  std::int32_t words[4];
  std::memcpy(words, view, sizeof(words));
  const auto size = static_cast<std::size_t>(std::max(words[0], 0));
  if (size <= 12) return {view + 4, size};
  const int buffer = words[2] + 2;
  if (words[2] < 0 || buffer >= cells.array->n_buffers - 1) return {};
  return {cells.data<char>(buffer) + words[3], size};
}

Column with_codes(const ArrowColumn& column, std::vector<std::int32_t> codes, Dictionary words) {
  for (const auto& word : words.words()) {
    GRADATIM_CHECK(!invalid_utf8(word), DataError, 2007,
                   "{} holds text that is not UTF-8; decode it before",
                   describe_column(column.name, column.source));
  }
  return categorical_column(column.name, std::move(codes), words.take());
}

// The words of one dictionary; an empty optional is a null in it.
using Words = std::vector<std::optional<std::string>>;

Words dictionary_words(const ArrowColumn& column, const ArrowArray& dictionary) {
  const ArrowCells cells{&dictionary, dictionary.offset, dictionary.length};
  Words words;
  if (const auto text = ArrowText::of(column.schema->dictionary->format, cells)) {
    for (std::int64_t i = 0; i < cells.rows; ++i) {
      words.push_back(text->is_null(i) ? std::nullopt : std::optional(std::string((*text)(i))));
    }
    return words;
  }
  // Numbers, dates and the like as words: a dictionary of these is still a category.
  GRADATIM_CHECK(column.schema->dictionary->dictionary == nullptr, DataError, 2013,
                 "{} is a dictionary of dictionaries; convert it to text",
                 describe_column(column.name, column.source));
  const ArrowColumn values{column.schema->dictionary, column.name, {cells}, nullptr, column.source};
  const Column plain = import_column(values);
  for (std::int64_t i = 0; i < cells.rows; ++i) {
    std::string word = plain.cell(i);
    words.push_back(word.empty() ? std::nullopt : std::optional(std::move(word)));
  }
  return words;
}

bool same_dictionary(const ArrowArray& a, const ArrowArray& b) {
  return a.length == b.length && a.offset == b.offset && a.n_buffers == b.n_buffers &&
         std::equal(a.buffers, a.buffers + a.n_buffers, b.buffers);
}

// The codes of a part as int64, whatever the width of its indices; nulls are -1.
Column index_column(const ArrowColumn& column, FixedWidth index) {
  std::vector<Chunk> chunks;
  for (const auto& part : column.parts) {
    if (part.rows == 0) continue;
    chunks.push_back({.rows = part.rows,
                      .data = part.data<char>() + part.first * index.width,
                      .stride = index.width,
                      .validity = part.validity(),
                      .validity_offset = part.first});
  }
  return {column.name, ColumnType::integer, index.storage, std::move(chunks), column.owner};
}

// The dictionaries differ, hold a word twice, or a null: new codes for every row.
Column united(const ArrowColumn& column, FixedWidth index, const std::vector<Words>& words) {
  Dictionary all;
  std::vector<std::int32_t> codes;
  for (std::size_t i = 0; i < column.parts.size(); ++i) {
    std::vector<std::int32_t> new_code;
    for (const auto& word : words[i]) new_code.push_back(word ? all.code(*word) : -1);
    ArrowColumn one = column;
    one.parts = {column.parts[i]};
    std::vector<std::int64_t> old(static_cast<std::size_t>(column.parts[i].rows));
    index_column(one, index).read_integers(0, old);
    for (const auto code : old) {
      const bool known = code >= 0 && code < static_cast<std::int64_t>(new_code.size());
      codes.push_back(known ? new_code[static_cast<std::size_t>(code)] : -1);
    }
  }
  return with_codes(column, std::move(codes), std::move(all));
}

}  // namespace

std::optional<ArrowText> ArrowText::of(std::string_view format, const ArrowCells& cells) {
  if (format == "u") return ArrowText(cells, offset_text<std::int32_t>);
  if (format == "U") return ArrowText(cells, offset_text<std::int64_t>);
  if (format == "vu") return ArrowText(cells, view_text);
  return std::nullopt;
}

Column import_text(const ArrowColumn& column) {
  Dictionary words;
  std::vector<std::int32_t> codes;
  for (const auto& part : column.parts) {
    const ArrowText text = *ArrowText::of(column.schema->format, part);
    for (std::int64_t row = 0; row < part.rows; ++row) {
      codes.push_back(text.is_null(row) ? -1 : words.code(text(row)));
    }
  }
  return with_codes(column, std::move(codes), std::move(words));
}

Column import_dictionary(const ArrowColumn& column) {
  const auto index = fixed_width(column.schema->format);
  GRADATIM_CHECK(index && index->storage != Storage::f32 && index->storage != Storage::f64,
                 DataError, 2013, "{} is a dictionary whose indices are no integers",
                 describe_column(column.name, column.source));
  std::vector<Words> words;
  bool shared = true;
  for (std::size_t i = 0; i < column.parts.size(); ++i) {
    const ArrowArray* dictionary = column.parts[i].array->dictionary;
    GRADATIM_CHECK(dictionary != nullptr, DataError, 2013, "{} lacks its dictionary",
                   describe_column(column.name, column.source));
    if (i > 0 && same_dictionary(*dictionary, *column.parts[0].array->dictionary)) {
      words.push_back(words.front());
    } else {
      words.push_back(dictionary_words(column, *dictionary));
      shared = shared && words.back() == words.front();
    }
  }
  Dictionary distinct;
  if (shared && !words.empty()) {
    for (const auto& word : words.front()) {
      shared = shared && word && distinct.find(*word) < 0;
      if (shared) distinct.code(*word);
    }
  }
  if (!shared) return united(column, *index, words);
  const Column indices = index_column(column, *index);
  const Column checked = with_codes(column, {}, std::move(distinct));
  return {column.name,    ColumnType::categorical,
          index->storage, {indices.chunks().begin(), indices.chunks().end()},
          column.owner,   checked.shared_categories()};
}

}  // namespace gradatim::data
