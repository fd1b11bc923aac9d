// The index over the manifest: find an export by any of its names, list a kind.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/api/export.h"

namespace gradatim::api {

class Registry {
 public:
  /// Everything that this build exports; made on first use, then constant.
  static const Registry& instance();

  /// Indexes `entries`. Throws std::logic_error naming both files and lines where a name is
  /// declared twice or lies in the space of another folder; naming the one where a part names a
  /// kind or default that does not exist, or where two settings or parts share a name.
  explicit Registry(std::span<const Entry* const> entries);

  /// The export with this canonical name or alias, or nullptr.
  const Entry* find(std::string_view name) const;
  /// The export with this name and kind. A short name is completed by the kind ("huber" is
  /// boost.loss.huber where a boost.loss is wanted). UsageError GRD-1001 with the nearest name.
  const Entry& get(std::string_view name, std::string_view kind = {}) const;
  /// All exports in order of their names, of one kind or of every kind.
  std::vector<const Entry*> list(std::string_view kind = {}) const;
  /// All kinds, sorted.
  std::vector<std::string> kinds() const;
  /// Where `name` is an alias or deprecated: the sentence to warn with; else empty.
  std::string notice(std::string_view name) const;
  /// Every name that `kind` answers to, aliases included, sorted; of every kind where it is empty.
  std::vector<std::string> names(std::string_view kind = {}) const;

 private:
  std::map<std::string, const Entry*, std::less<>> by_name_;  // aliases too
  std::vector<const Entry*> entries_;
};

}  // namespace gradatim::api
