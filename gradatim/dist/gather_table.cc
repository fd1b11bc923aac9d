#include "gradatim/dist/gather_table.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "gradatim/data/concat.h"
#include "gradatim/dist/collectives.h"
#include "gradatim/dist/table_bytes.h"

namespace gradatim::dist {

data::Table gather(Group& group, const data::Table& mine) {
  if (group.size() == 1) return mine;
  auto all = gather(group, table_bytes(mine));
  std::vector<data::Table> tables;
  for (std::size_t r = 0; r < all.size(); ++r) {  // own rows too, so that all ranks see the same
    tables.push_back(table_of_bytes(std::move(all[r]), fmt::format("the table of rank {}", r)));
  }
  return data::concat(std::move(tables), mine.source());
}

}  // namespace gradatim::dist
