#include "gradatim/data/captions.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/message.h"
#include "gradatim/data/reader.h"

namespace gradatim::data {
namespace {

std::string caption_at(const Column& column, const Table& table, std::int64_t row) {
  std::string text = column.cell(row);
  GRADATIM_CHECK(!trim(text).empty(), DataError, 2111,
                 "{}, row {}: the caption is missing; write one, or leave the row out",
                 describe_column(column.name(), table.source()), row + 1);
  return text;
}

void say_by_label(Samples& samples, const Table& table, const Column& captions,
                  const Column& labels) {
  GRADATIM_CHECK(!samples.labels.empty(), UsageError, 1207,
                 "{} says captions of labels, and the samples have none; name them by --label",
                 table.source());
  samples.captions.assign(samples.classes.size(), {});
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    const std::string word = labels.cell(row);
    const auto at = std::ranges::find(samples.classes, word);
    GRADATIM_CHECK(at != samples.classes.end(), DataError, 2111,
                   "{}, row {}: no sample has the label '{}'; the labels are {}",
                   describe_column(labels.name(), table.source()), row + 1, word,
                   join_and({samples.classes.begin(),
                             samples.classes.begin() +
                                 std::min<std::ptrdiff_t>(20, std::ssize(samples.classes))}));
    samples.captions[static_cast<std::size_t>(at - samples.classes.begin())].push_back(
        caption_at(captions, table, row));
  }
  for (std::size_t k = 0; k < samples.classes.size(); ++k) {
    GRADATIM_CHECK(!samples.captions[k].empty(), DataError, 2111,
                   "{} has no caption for the label '{}'; add a row", table.source(),
                   samples.classes[k]);
  }
  samples.captioned = samples.labels;
}

}  // namespace

Samples with_captions(Samples samples, const std::string& source) {
  const Table table = read_table(source);
  const Column& captions = table.column("caption");
  const Column* labels = table.find("label");
  if (labels != nullptr) {
    say_by_label(samples, table, captions, *labels);
    return samples;
  }
  GRADATIM_CHECK(
      table.rows() == samples.count, DataError, 2111,
      "{} has {} captions for {} samples; give one each, in their order, or add a column "
      "'label'",
      source, table.rows(), samples.count);
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    samples.captions.push_back({caption_at(captions, table, row)});
  }
  samples.captioned.resize(static_cast<std::size_t>(samples.count));
  std::iota(samples.captioned.begin(), samples.captioned.end(), std::int64_t{0});
  return samples;
}

Samples with_captions_of_labels(Samples samples, const std::string& source) {
  if (read_table(source).find("label") == nullptr) return samples;
  return with_captions(std::move(samples), source);
}

}  // namespace gradatim::data
