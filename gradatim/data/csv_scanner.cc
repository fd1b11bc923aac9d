#include "gradatim/data/csv_scanner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "gradatim/core/error.h"

namespace gradatim::data {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view trimmed(const char* begin, const char* end) {
  while (begin != end && is_blank(*begin)) ++begin;
  while (begin != end && is_blank(end[-1])) --end;
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

CsvScanner::CsvScanner(std::string_view bytes, std::string path, char separator)
    : path_(std::move(path)),
      begin_(bytes.data()),
      at_(bytes.data()),
      end_(bytes.data() + bytes.size()),
      separator_(separator) {
  if (bytes.substr(0, 3) == "\xEF\xBB\xBF") at_ += 3;
  if (bytes.find('\n') == std::string_view::npos && bytes.find('\r') != std::string_view::npos) {
    line_end_ = '\r';
  }
  if (separator_ == 0) find_separator();
}

void CsvScanner::find_separator() {
  separator_ = ',';
  const char* stop = std::find(at_, end_, line_end_);
  bool inside_quotes = false;
  std::string seen;
  for (const char* c = at_; c != stop; ++c) {
    if (*c == '"') inside_quotes = !inside_quotes;
    if (!inside_quotes) seen.push_back(*c);
  }
  for (const char candidate : {',', ';', '\t', '|'}) {
    if (seen.find(candidate) != std::string::npos) {
      separator_ = candidate;
      return;
    }
  }
}

void CsvScanner::skip_blank_lines() {
  while (at_ != end_) {
    const char* stop = at_;
    while (stop != end_ && is_blank(*stop) && *stop != separator_ && *stop != line_end_) ++stop;
    if (stop == end_) {
      at_ = end_;
    } else if (*stop == line_end_) {
      at_ = stop + 1;
    } else {
      return;
    }
  }
}

FieldEnd CsvScanner::next(Field& field) {
  const char* start = at_;
  while (start != end_ && is_blank(*start) && *start != separator_ && *start != line_end_) ++start;
  if (start != end_ && *start == '"') {
    at_ = start;
    return quoted(field);
  }
  const char* stop = start;
  while (stop != end_ && *stop != separator_ && *stop != line_end_) ++stop;
  if (static_cast<std::size_t>(stop - start) > kLongestField) {
    fail(start,
         fmt::format("a field of {} bytes; the longest that is read has {}; is this a table?",
                     stop - start, kLongestField));
  }
  field = {trimmed(start, stop), false};
  return finish(stop);
}

FieldEnd CsvScanner::quoted(Field& field) {
  const char* const open = at_;
  const char* part = open + 1;
  scratch_.clear();
  while (true) {
    const auto left = static_cast<std::size_t>(end_ - part);
    const auto* close = static_cast<const char*>(std::memchr(part, '"', left));
    if (close == nullptr) fail(open, "a quote opens here and is never closed; close or double it");
    if (static_cast<std::size_t>(close - open) > kLongestField) {
      fail(open, fmt::format("the quote that opens here holds over {} bytes; close or double it",
                             kLongestField));
    }
    const bool doubled = close + 1 != end_ && close[1] == '"';
    if (!doubled && scratch_.empty()) {  // the common case needs no copy
      field = {{part, static_cast<std::size_t>(close - part)}, true};
      part = close + 1;
      break;
    }
    scratch_.append(part, close + (doubled ? 1 : 0));
    part = close + (doubled ? 2 : 1);
    if (!doubled) {
      field = {scratch_, true};
      break;
    }
  }
  while (part != end_ && is_blank(*part) && *part != separator_ && *part != line_end_) ++part;
  if (part != end_ && *part != separator_ && *part != line_end_) {
    fail(open, "text follows the quote that closes this field; double the quotes inside a field");
  }
  return finish(part);
}

FieldEnd CsvScanner::finish(const char* stop) {
  const bool separated = stop != end_ && *stop == separator_;
  at_ = stop == end_ ? end_ : stop + 1;
  // A separator that is the last byte of the file is followed by one more, empty field.
  if (separated) return FieldEnd::separator;
  return FieldEnd::line;
}

std::int64_t CsvScanner::line(const char* position) const {
  return 1 + std::count(begin_, position, line_end_);
}

void CsvScanner::fail(const char* where, std::string_view what) const {
  throw DataError(2008, fmt::format("{}, line {}: {}", path_, line(where), what));
}

}  // namespace gradatim::data
