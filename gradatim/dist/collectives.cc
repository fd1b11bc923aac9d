#include "gradatim/dist/collectives.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "gradatim/core/error.h"

namespace gradatim::dist {
namespace {

std::span<std::byte> bytes_of(std::string& text) {
  return std::as_writable_bytes(std::span(text.data(), text.size()));
}

// Of two long values, what is about the first place where they differ.
std::string shown(const std::string& text, const std::string& other) {
  constexpr std::size_t kMost = 200, kBefore = 40;
  if (text.size() <= kMost) return text;
  const auto differs = std::mismatch(text.begin(), text.end(), other.begin(), other.end()).first;
  const auto place = static_cast<std::size_t>(differs - text.begin());
  const std::size_t first = place < kMost ? 0 : place - kBefore;
  return (first > 0 ? "..." : "") + text.substr(first, kMost) +
         (first + kMost < text.size() ? "..." : "");
}

}  // namespace

std::vector<std::string> gather(Group& group, std::string_view mine) {
  if (group.size() == 1) return {std::string(mine)};
  const auto size = static_cast<std::int64_t>(mine.size());
  std::vector<std::int64_t> sizes(group.size());
  group.all_gather(std::as_bytes(std::span(&size, 1)), std::as_writable_bytes(std::span(sizes)));
  const std::int64_t most = *std::max_element(sizes.begin(), sizes.end());
  std::string padded(mine), together(most * group.size(), '\0');
  padded.resize(most);
  if (most > 0) group.all_gather(std::as_bytes(std::span(padded)), bytes_of(together));
  std::vector<std::string> all;
  for (int r = 0; r < group.size(); ++r) all.push_back(together.substr(r * most, sizes[r]));
  return all;
}

std::string from_first(Group& group, std::string text) {
  if (group.size() == 1) return text;
  std::int64_t size = std::ssize(text);
  group.broadcast(std::as_writable_bytes(std::span(&size, 1)), 0);
  text.resize(size);
  if (size > 0) group.broadcast(bytes_of(text), 0);
  return text;
}

std::int64_t sum(Group& group, std::int64_t mine) {
  group.all_reduce(std::span(&mine, 1), Reduction::sum);
  return mine;
}

ExactSum sum(Group& group, const ExactSum& mine) {
  if (group.size() == 1) return mine;
  ExactSum::Parts parts = mine.parts();
  group.all_reduce(std::span<std::int64_t>(parts), Reduction::sum);
  return ExactSum::of(parts);
}

std::int64_t maximum(Group& group, std::int64_t mine) {
  group.all_reduce(std::span(&mine, 1), Reduction::max);
  return mine;
}

double maximum(Group& group, double mine) {
  group.all_reduce(std::span(&mine, 1), Reduction::max);
  return mine;
}

std::int64_t sum_before(Group& group, std::int64_t mine) {
  std::vector<std::int64_t> all(group.size());
  group.all_gather(std::as_bytes(std::span(&mine, 1)), std::as_writable_bytes(std::span(all)));
  std::int64_t before = 0;
  for (int r = 0; r < group.rank(); ++r) before += all[r];
  return before;
}

void require_equal(Group& group, std::string_view what, std::string_view value) {
  const auto all = gather(group, value);
  for (std::size_t r = 1; r < all.size(); ++r) {
    GRADATIM_CHECK(all[r] == all[0], DistributedError, 5004,
                   "rank {} has another {} than rank 0: {}, not {}; start all ranks alike", r, what,
                   shown(all[r], all[0]), shown(all[0], all[r]));
  }
}

void together(Group& group, const std::function<void()>& work) {
  if (group.size() == 1) return work();
  std::exception_ptr error;
  std::string words;
  try {
    work();
  } catch (const std::exception& caught) {
    error = std::current_exception();
    words = caught.what();
    if (words.empty()) words = "unknown";
  }
  const auto all = gather(group, words);
  if (error) std::rethrow_exception(error);
  for (std::size_t r = 0; r < all.size(); ++r) {
    GRADATIM_CHECK(all[r].empty(), DistributedError, 5003, "rank {} stopped: {}", r, all[r]);
  }
}

}  // namespace gradatim::dist
