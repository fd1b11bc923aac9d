// CsvScanner: the fields of delimited text, one after the other (RFC 4180).
//
// 1. Construct it over the bytes of a file, which check_text() has seen; a byte order mark is
//    skipped. limit() it to a part of the records where others read the rest.
// 2. Call next() until it answers FieldEnd::line: that was one record. skip_blank_lines() between.
// 3. at_end() tells when there are no more records; a last line without an end is a record too.
//
// Quoted fields may hold separators, line ends and doubled quotes. Blanks around a field that is
// not quoted do not belong to it. Lines end in LF, CRLF, or CR where the file holds no LF at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gradatim::data {

enum class FieldEnd { separator, line };

struct Field {
  std::string_view text;  // valid until the next call of next()
  bool quoted = false;
};

class CsvScanner {
 public:
  /// The longest field that is read; a longer one is nearly always a quote that is never closed.
  static constexpr std::size_t kLongestField = std::size_t{1} << 20;

  /// `path` names the text in messages. A separator of 0 is found in the first line: a comma, or
  /// else the first of ; tab | that is there.
  CsvScanner(std::string_view bytes, std::string path, char separator = 0);

  char separator() const { return separator_; }
  char line_end() const { return line_end_; }
  bool at_end() const { return at_ == end_; }
  void skip_blank_lines();
  /// GRD-2008 for a quote that is not closed, text after a closing quote, or a field that is too
  /// long.
  FieldEnd next(Field& field);

  /// Where the next field begins, to come back to with rewind().
  const char* position() const { return at_; }
  void rewind(const char* position) { at_ = position; }
  /// Goes to `from` and ends at `to`, each at the beginning of a record or the end of the file.
  void limit(const char* from, const char* to) {
    at_ = from;
    end_ = to;
  }
  /// The line of a position, 1-based as in an editor; counted from the start, for messages only.
  std::int64_t line(const char* position) const;
  const std::string& path() const { return path_; }

 private:
  void find_separator();
  FieldEnd quoted(Field& field);
  FieldEnd finish(const char* stop);
  [[noreturn]] void fail(const char* where, std::string_view what) const;

  std::string path_;
  const char* begin_;
  const char* at_;
  const char* end_;
  char separator_;
  char line_end_ = '\n';
  std::string scratch_;  // a quoted field without its doubled quotes
};

}  // namespace gradatim::data
