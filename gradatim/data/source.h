// Source: which files a name stands for, and how their format is read and written.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/data/reader.h"
#include "gradatim/data/table.h"

namespace gradatim::data {

/// A file format. Null where it is not read, or not written.
struct Format {
  std::string_view name;
  std::vector<std::string_view> endings;
  Table (*read)(std::span<const std::string> paths, const ReadOptions& options);
  std::string (*encode)(const Table& table, const std::string& path);
};

/// All formats; adding one is one entry.
std::span<const Format> formats();

/// The format of a path's ending, in any case; GRD-2005 where there is none.
const Format& format_of(const std::string& path);

/// The files of one format that a source stands for, sorted by name; never empty.
struct Source {
  std::vector<std::string> files;
  const Format* format = nullptr;
};

/// A file, a folder or a pattern with * ? [; "-" is CSV on standard input. GRD-2001 for a file that
/// does not exist, GRD-2015 for a folder or pattern without tables, or with several formats.
Source find_source(const std::string& source);

}  // namespace gradatim::data
