#include "gradatim/data/reader.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/data/csv.h"
#include "gradatim/data/source.h"

namespace gradatim::data {
namespace {

void write_to_stdout(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    GRADATIM_CHECK(written >= 0, DataError, 2002, "cannot write to standard output: {}",
                   std::strerror(errno));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

Table read_table(const std::string& source, const ReadOptions& options) {
  const Source found = find_source(source);
  Table table = found.format->read(found.files, options);
  GRADATIM_CHECK(table.rows() > 0, DataError, 2009, "{} has no rows", source);
  return table;
}

void write_table(const Table& table, const std::string& path) {
  if (path == "-") return write_to_stdout(csv_text(table));
  const Format& format = format_of(path);
  GRADATIM_CHECK(format.encode != nullptr, DataError, 2005,
                 "{} files are read, but not written; write '{}' as .csv or .parquet", format.name,
                 path);
  write_atomically(path, format.encode(table, path));
}

}  // namespace gradatim::data
