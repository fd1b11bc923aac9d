#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <vector>

#include "gradatim/data/cell.h"
#include "gradatim/data/csv.h"
#include "gradatim/data/time_text.h"

namespace gradatim::data {
namespace {

constexpr std::int64_t kBlock = 1024;

// Quoted where it would not read back as it is: separators, quotes, line ends, blanks at the ends,
// and words that stand for a missing cell.
std::string escaped(std::string_view word, char separator) {
  const std::string special{'"', '\n', '\r', separator};
  const bool blank_ends = !word.empty() && (word.front() == ' ' || word.back() == ' ' ||
                                            word.front() == '\t' || word.back() == '\t');
  const bool plain = word.find_first_of(special) == std::string_view::npos && !blank_ends &&
                     (word.empty() || !is_missing_word(word));
  if (plain) return std::string(word);
  std::string text = "\"";
  for (const char c : word) {
    if (c == '"') text += '"';
    text += c;
  }
  return text + '"';
}

template <class T>
void append_number(std::string& out, T value) {
  char buffer[32];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof(buffer), value).ptr);
}

// The cells of one column, a block at a time.
class ColumnText {
 public:
  ColumnText(const Column& column, char separator) : column_(column) {
    for (const auto& word : column.categories()) words_.push_back(escaped(word, separator));
    if (column.type() == ColumnType::categorical)
      codes_.resize(kBlock);
    else if (column.type() == ColumnType::numeric)
      numbers_.resize(kBlock);
    else
      integers_.resize(kBlock);
  }

  void read(std::int64_t begin, std::size_t count) {
    if (!codes_.empty()) column_.read_codes(begin, std::span(codes_).first(count));
    if (!numbers_.empty()) column_.read(begin, std::span(numbers_).first(count));
    if (!integers_.empty()) column_.read_integers(begin, std::span(integers_).first(count));
  }

  void append(std::size_t row, std::string& out) const {
    if (!codes_.empty()) {
      if (codes_[row] >= 0) out += words_[static_cast<std::size_t>(codes_[row])];
    } else if (!numbers_.empty()) {
      append_double(numbers_[row], out);
    } else if (const std::int64_t value = integers_[row]; value != kMissingInteger) {
      if (column_.type() == ColumnType::boolean)
        out += value != 0 ? "true" : "false";
      else if (column_.time_unit() != TimeUnit::none)
        out += time_text(value, column_.time_unit());
      else
        append_number(out, value);
    }
  }

 private:
  void append_double(double value, std::string& out) const {
    if (std::isnan(value)) return;
    if (column_.storage() == Storage::f32)
      append_number(out, static_cast<float>(value));
    else
      append_number(out, value);
  }

  const Column& column_;
  std::vector<std::string> words_;
  std::vector<std::int32_t> codes_;
  std::vector<double> numbers_;
  std::vector<std::int64_t> integers_;
};

}  // namespace

std::string csv_text(const Table& table, char separator) {
  std::string out;
  std::vector<ColumnText> columns;
  columns.reserve(table.columns().size());
  for (const auto& column : table.columns()) {
    if (!columns.empty()) out += separator;
    out += escaped(column.name(), separator);
    columns.emplace_back(column, separator);
  }
  out += '\n';
  for (std::int64_t begin = 0; begin < table.rows(); begin += kBlock) {
    const auto count = static_cast<std::size_t>(std::min(kBlock, table.rows() - begin));
    for (auto& column : columns) column.read(begin, count);
    for (std::size_t row = 0; row < count; ++row) {
      const std::size_t start = out.size();
      for (std::size_t i = 0; i < columns.size(); ++i) {
        if (i > 0) out += separator;
        columns[i].append(row, out);
      }
      if (out.size() == start) out += "\"\"";  // a blank line would be skipped by every reader
      out += '\n';
    }
  }
  return out;
}

}  // namespace gradatim::data
