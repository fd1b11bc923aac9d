// 1. The bytes of all files, one behind the other, are cut evenly; each rank checks that its part
//    is text, and reads the first lines of all files.
// 2. Whether a line end in a part ends a record depends on the quotes before it. Each rank follows
//    its part from every state that the text before may have led to (csv_states.h); when all have
//    told the ends, everyone knows the state at every cut, and the record that begins there.
// 3. The steps of CsvReader, where all put together what each has found before the next one.
#include "gradatim/dist/csv_shard.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "gradatim/data/csv_reader.h"
#include "gradatim/data/text_file.h"
#include "gradatim/dist/collectives.h"
#include "gradatim/dist/in_order.h"
#include "gradatim/dist/merge_categories.h"

namespace gradatim::dist {
namespace {

using data::CsvFindings;
using data::CsvState;
using data::CsvStates;
using data::TextPart;

// A place in the files.
struct Place {
  std::size_t file = 0;
  std::size_t at = 0;
  auto operator<=>(const Place&) const = default;
};

class CsvShard {
 public:
  CsvShard(Group& group, std::span<const std::string> paths, const data::ReadOptions& options)
      : group_(group), paths_(paths), reader_(options) {}

  data::Table read(char separator);

 private:
  void open();
  void cut();
  void read_names(char separator);
  std::vector<CsvState> states() const;
  Place record_at(Place cut, CsvState state) const;
  void keep_own_records();
  CsvFindings merged(const CsvFindings& mine) const;

  // The part of a file that lies between two places.
  TextPart between(std::size_t file, Place begin, Place end) const {
    const std::size_t size = bytes(file).size();
    return {file < begin.file    ? size
            : file == begin.file ? begin.at
                                 : 0,
            file > end.file    ? 0
            : file == end.file ? end.at
                               : size};
  }
  std::string_view bytes(std::size_t file) const { return maps_[file]->bytes(); }

  Group& group_;
  std::span<const std::string> paths_;
  data::CsvReader reader_;
  std::vector<std::unique_ptr<data::TextFile>> maps_;
  std::vector<Place> cuts_;  // between ranks, with the first and the last
};

void CsvShard::open() {
  together(group_, [&] {
    for (const auto& path : paths_) maps_.push_back(std::make_unique<data::TextFile>(path));
  });
  std::string sizes;
  for (const auto& map : maps_) sizes += std::to_string(map->bytes().size()) + " ";
  require_equal(group_, "size of the files of " + paths_.front(), sizes);
}

void CsvShard::cut() {
  std::vector<std::size_t> ends;  // of the files, in all bytes
  for (const auto& map : maps_)
    ends.push_back((ends.empty() ? 0 : ends.back()) + map->bytes().size());
  const auto ranks = static_cast<std::size_t>(group_.size());
  for (std::size_t r = 0; r <= ranks; ++r) {
    // Exact, though bytes times ranks may not fit.
    const std::size_t at = ends.back() / ranks * r + ends.back() % ranks * r / ranks;
    const auto file = std::upper_bound(ends.begin(), ends.end(), at) - ends.begin();
    cuts_.push_back({static_cast<std::size_t>(file), at - (file == 0 ? 0 : ends[file - 1])});
  }
}

void CsvShard::read_names(char separator) {
  const Place begin = cuts_[group_.rank()], end = cuts_[group_.rank() + 1];
  in_order(group_, [&](std::int64_t& place) {
    for (std::size_t file = 0; file < maps_.size(); ++file) {
      const TextPart own = between(file, begin, end);
      place = static_cast<std::int64_t>(4 * file);
      data::check_text_mark(bytes(file), paths_[file]);
      ++place;
      if (own.from < own.to) data::check_utf8(bytes(file), own, paths_[file]);
      ++place;
      if (own.from < own.to) data::check_no_nul(bytes(file), own, paths_[file]);
      ++place;
      reader_.add(bytes(file), paths_[file], separator);
    }
  });
}

// At the cuts; behind the names of a file it is `field`.
std::vector<CsvState> CsvShard::states() const {
  const auto behind_names = [&](Place place) {
    return Place{place.file, place.file == maps_.size()
                                 ? 0
                                 : std::max(place.at, reader_.first_row(place.file))};
  };
  const Place end = behind_names(cuts_[group_.rank() + 1]);
  // From this rank's beginning, or that of the file in which it ends.
  const Place begin = behind_names(std::max(cuts_[group_.rank()], Place{end.file, 0}));
  CsvStates mine{};
  if (end.file < maps_.size()) {
    mine = data::csv_states_through(reader_.dialect(end.file),
                                    bytes(end.file).substr(begin.at, end.at - begin.at));
  }
  const auto all = gather_values<CsvState>(group_, mine);
  std::vector<CsvState> states{CsvState::field};
  for (std::size_t r = 0; r + 1 < cuts_.size(); ++r) {
    const std::size_t file = cuts_[r + 1].file;
    const bool fresh = file == maps_.size() || cuts_[r] <= Place{file, reader_.first_row(file)};
    const CsvState before = fresh ? CsvState::field : states[r];
    states.push_back(all[r * mine.size() + static_cast<std::size_t>(before)]);
  }
  return states;
}

Place CsvShard::record_at(Place cut, CsvState state) const {
  if (cut.file == maps_.size()) return cut;
  const std::size_t first = reader_.first_row(cut.file);
  if (cut.at <= first) return {cut.file, first};
  return {cut.file, data::next_record(reader_.dialect(cut.file), bytes(cut.file), cut.at, state)};
}

void CsvShard::keep_own_records() {
  const auto state = states();
  const auto rank = static_cast<std::size_t>(group_.rank());
  const Place begin = record_at(cuts_[rank], state[rank]);
  const Place end = record_at(cuts_[rank + 1], state[rank + 1]);
  for (std::size_t file = 0; file < maps_.size(); ++file) {
    TextPart part = between(file, begin, end);
    part.from = std::max(part.from, reader_.first_row(file));
    part.to = std::max(part.to, part.from);
    const Place first{file, 0};
    reader_.keep(file, part, cuts_[rank] <= first && first < cuts_[rank + 1]);
  }
}

CsvFindings CsvShard::merged(const CsvFindings& mine) const {
  const std::vector<std::int64_t> numbers{mine.rows, mine.bytes};
  const auto all_numbers = gather_values<std::int64_t>(group_, numbers);
  const auto all_kinds = gather_values<data::CellKinds>(group_, mine.kinds);
  std::string texts;
  for (const auto& text : mine.surprises) texts += text + '\0';  // no text has one
  const auto all_texts = gather(group_, texts);
  const std::size_t columns = mine.kinds.size();
  CsvFindings all{.kinds = std::vector<data::CellKinds>(columns),
                  .surprises = std::vector<std::string>(columns)};
  for (std::size_t r = 0; r < all_texts.size(); ++r) {
    CsvFindings theirs{.rows = all_numbers[2 * r], .bytes = all_numbers[2 * r + 1]};
    theirs.kinds.assign(all_kinds.begin() + r * columns, all_kinds.begin() + (r + 1) * columns);
    std::string_view left = all_texts[r];
    for (std::size_t i = 0; i < columns; ++i) {
      const std::size_t length = left.find('\0');
      theirs.surprises.emplace_back(left.substr(0, length));
      left.remove_prefix(length + 1);
    }
    all.add(theirs);
  }
  return all;
}

data::Table CsvShard::read(char separator) {
  open();
  cut();
  read_names(separator);
  keep_own_records();
  CsvFindings found;
  in_order(group_, [&](std::int64_t& /*place*/) { found = reader_.sample(); });
  found = merged(found);
  in_order(group_, [&](std::int64_t& /*place*/) { found = reader_.read(found); });
  found = merged(found);
  std::vector<data::Column> columns;
  together(group_, [&] { columns = reader_.take(found); });
  columns = merge_categories(group_, std::move(columns));
  reader_.warn(found, columns);
  return data::Table(std::move(columns), paths_.front());
}

}  // namespace

data::Table read_csv_shard(Group& group, std::span<const std::string> paths,
                           const data::ReadOptions& options, char separator) {
  return CsvShard(group, paths, options).read(separator);
}

}  // namespace gradatim::dist
