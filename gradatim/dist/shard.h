// Shard: which of all ranks' rows this process has. Rank r's rows lie behind those of the ranks
// before it, so that a row's place among all is first_row plus its place here, whatever the number
// of ranks.
#pragma once

#include <cstdint>

#include "gradatim/dist/group.h"

namespace gradatim::dist {

struct Shard {
  Group* group = &alone();
  std::int64_t first_row = 0;
  std::int64_t total_rows = 0;  // of all ranks; not read where there is one

  bool split() const { return group->size() > 1; }
  /// Of all ranks, `own` being here.
  std::int64_t rows(std::int64_t own) const { return split() ? total_rows : own; }
};

}  // namespace gradatim::dist
