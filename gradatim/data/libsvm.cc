#include "gradatim/data/libsvm.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/convert.h"
#include "gradatim/data/message.h"
#include "gradatim/data/sparse.h"
#include "gradatim/data/text_file.h"

namespace gradatim::data {
namespace {

// Beyond, a whole number is not exact as a double.
constexpr double kMostInteger = 0x1p53;

// Rows of all files, in CSR.
class Lines {
 public:
  void read(std::string_view text, const std::string& source) {
    source_ = source;
    line_ = 0;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      ++line_;
      read_line(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  Table table(const ReadOptions& options, const std::string& source) &&;

 private:
  [[noreturn]] void refuse(std::string_view token, const std::string& rule) const {
    throw DataError(2038, fmt::format("{}, line {}: '{}' {}", source_, line_, shown(token), rule));
  }

  void read_line(std::string_view line) {
    line = line.substr(0, line.find('#'));
    std::string_view token = next(line);
    if (token.empty()) return;
    label(token);
    std::optional<long long> query;
    token = next(line);
    if (token.starts_with("qid:")) {
      query = parse_integer(token.substr(4));
      if (!query) refuse(token, "is not qid:N with a whole number N");
      token = next(line);
    }
    if (labels_.size() > 1 && query.has_value() != !queries_.empty()) {
      refuse(query ? fmt::format("qid:{}", *query) : std::string(shown(token)),
             query ? "names a query, which the lines before do not; give every line a qid, or none"
                   : "follows a label without qid, but the lines before have one; give every line "
                     "a qid, or none");
    }
    if (query) queries_.push_back(*query);
    for (; !token.empty(); token = next(line)) entry(token);
    offsets_.push_back(static_cast<std::int64_t>(cells_.size()));
  }

  // The next word, cut off the line; empty at its end.
  static std::string_view next(std::string_view& line) {
    constexpr std::string_view kBlank = " \t\r\f\v";
    line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
    const std::string_view token = line.substr(0, line.find_first_of(kBlank));
    line.remove_prefix(token.size());
    return token;
  }

  static std::optional<double> number(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    return parse_number(text);
  }

  void label(std::string_view token) {
    const auto value = number(token);
    if (!value || std::isnan(*value)) {
      refuse(token,
             token.find(',') != std::string_view::npos
                 ? "lists several labels, but a model learns one; keep the first, or write a "
                   "file a label"
             : token.find(':') != std::string_view::npos
                 ? "stands where the label should; begin the line with a number, 0 where it "
                   "is unknown"
                 : "is no label; begin the line with a number");
    }
    whole_labels_ =
        whole_labels_ && std::trunc(*value) == *value && std::abs(*value) <= kMostInteger;
    labels_.push_back(*value);
  }

  void entry(std::string_view token) {
    const std::size_t colon = token.find(':');
    const auto index = parse_integer(token.substr(0, colon));
    if (colon == std::string_view::npos || !index) {
      refuse(token, "is not index:value with a whole number as index");
    }
    if (*index < 0 || *index > std::numeric_limits<std::int32_t>::max()) {
      refuse(token, "has an index outside 0 to 2147483647");
    }
    const auto value = number(token.substr(colon + 1));
    if (!value) refuse(token, "is not index:value with a number as value");
    const auto [at, added] = place_of_.emplace(static_cast<std::int32_t>(*index), indices_.size());
    if (added) {
      indices_.push_back(static_cast<std::int32_t>(*index));
      last_row_.push_back(0);
    }
    const auto row = static_cast<std::int64_t>(labels_.size());
    if (std::exchange(last_row_[at->second], row) == row) {
      refuse(token, "gives a feature that the line has already");
    }
    places_.push_back(static_cast<std::int64_t>(at->second));
    cells_.push_back(*value);
  }

  std::string source_;
  std::int64_t line_ = 0;
  std::vector<double> labels_;
  bool whole_labels_ = true;
  std::vector<std::int64_t> queries_;
  std::vector<std::int64_t> offsets_{0};
  std::vector<std::int64_t> places_;  // of entries, in order of first appearance
  std::vector<double> cells_;
  std::unordered_map<std::int32_t, std::size_t> place_of_;
  std::vector<std::int32_t> indices_;   // of each place
  std::vector<std::int64_t> last_row_;  // of each place, from 1
};

// The features that a fitted model knows by an index and that no line names.
std::vector<std::string> unnamed(const ReadOptions& options,
                                 const std::unordered_map<std::int32_t, std::size_t>& named) {
  std::vector<std::string> names;
  if (options.expected == nullptr) return names;
  for (const auto& column : options.expected->columns) {
    if (!column.name.starts_with('x')) continue;
    const auto index = parse_integer(std::string_view(column.name).substr(1));
    if (!index || *index < 0 || column.name != fmt::format("x{}", *index)) continue;
    const bool beyond = *index > std::numeric_limits<std::int32_t>::max();
    if (beyond || !named.contains(static_cast<std::int32_t>(*index))) names.push_back(column.name);
  }
  return names;
}

Table Lines::table(const ReadOptions& options, const std::string& source) && {
  const auto rows = static_cast<std::int64_t>(labels_.size());
  // Columns in order of indices.
  std::vector<std::size_t> order(indices_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return indices_[a] < indices_[b]; });
  std::vector<std::string> names;
  std::vector<std::int64_t> rank(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    rank[order[i]] = static_cast<std::int64_t>(i);
    names.push_back(fmt::format("x{}", indices_[order[i]]));
  }
  for (auto& place : places_) place = rank[place];
  const SparseMatrix matrix{.rows = rows,
                            .columns = static_cast<std::int64_t>(names.size()),
                            .cells = cells_.data(),
                            .entries = static_cast<std::int64_t>(cells_.size()),
                            .wide = true,
                            .offsets = offsets_.data(),
                            .places = places_.data()};
  const Table features = sparse_table(matrix, names, options.sparse_absent);
  std::vector<Column> columns;
  if (whole_labels_) {
    columns.push_back(integer_column("label", {labels_.begin(), labels_.end()}));
  } else {
    columns.push_back(numeric_column("label", std::move(labels_)));
  }
  if (!queries_.empty()) columns.push_back(integer_column("qid", std::move(queries_)));
  columns.insert(columns.end(), features.columns().begin(), features.columns().end());
  for (auto& name : unnamed(options, place_of_)) {
    columns.push_back(empty_column(std::move(name), rows, options.sparse_absent));
  }
  const Table table(std::move(columns), source);
  return options.schema != nullptr ? apply_schema(table, *options.schema) : table;
}

}  // namespace

Table read_libsvm(std::span<const std::string> paths, const ReadOptions& options) {
  Lines lines;
  for (const auto& path : paths) lines.read(TextFile(path).bytes(), path);
  return std::move(lines).table(options, paths.front());
}

Table parse_libsvm(std::string_view text, const std::string& name, const ReadOptions& options) {
  Lines lines;
  lines.read(text, name);
  return std::move(lines).table(options, name);
}

}  // namespace gradatim::data
