#include "gradatim/dist/in_order.h"

#include <algorithm>
#include <exception>
#include <span>
#include <string>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/dist/collectives.h"

namespace gradatim::dist {

void in_order(Group& group, const std::function<void(std::int64_t& place)>& work) {
  std::int64_t place = 0;
  if (group.size() == 1) return work(place);
  std::exception_ptr error;
  std::string words;
  try {
    work(place);
  } catch (const std::exception& caught) {
    error = std::current_exception();
    words = caught.what();
    if (words.empty()) words = "unknown";
  }
  const auto all = gather(group, words);
  const auto places = gather_values<std::int64_t>(group, std::span(&place, 1));
  std::size_t first = all.size();
  for (std::size_t r = 0; r < all.size(); ++r) {
    if (!all[r].empty() && (first == all.size() || places[r] < places[first])) first = r;
  }
  if (first == all.size()) return;
  if (error && words == all[first]) std::rethrow_exception(error);
  throw DistributedError(5003, "rank " + std::to_string(first) + " stopped: " + all[first]);
}

}  // namespace gradatim::dist
