// The group of processes that a Python program is a rank of.
#include <fmt/format.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cmath>
#include <string>
#include <utility>

#include "gradatim/core/error.h"
#include "gradatim/dist/collectives.h"
#include "gradatim/neural/dist/join.h"
#include "gradatim/python/module.h"

namespace nb = nanobind;

namespace gradatim::python {
namespace {

// A group of one where no launcher started more.
std::shared_ptr<dist::Group> join(std::optional<double> timeout) {
  auto launch = dist::launched();
  if (!launch) return {&dist::alone(), [](dist::Group*) {}};
  if (timeout) launch->timeout = std::chrono::milliseconds(std::llround(1e3 * *timeout));
  const nb::gil_scoped_release release;
  return neural::join(*launch);
}

std::vector<nb::bytes> gather(SharedGroup& self, const nb::bytes& mine) {
  GRADATIM_CHECK(self.group != nullptr, UsageError, 1184,
                 "this process has left its group; ask the others inside the with block");
  const std::string_view own(mine.c_str(), mine.size());
  std::vector<std::string> all;
  {
    const nb::gil_scoped_release release;
    all = dist::gather(*self.group, own);
  }
  std::vector<nb::bytes> result;
  for (const auto& bytes : all) result.emplace_back(bytes.data(), bytes.size());
  return result;
}

}  // namespace

void bind_group(nb::module_& module) {
  nb::class_<SharedGroup>(module, "Group", "Processes that compute one thing together.")
      .def_ro("rank", &SharedGroup::rank)
      .def_ro("size", &SharedGroup::size)
      .def("gather", &gather, nb::arg("mine"), "Everyone's bytes, in the order of ranks.")
      .def(
          "fail",
          [](SharedGroup& self, const std::string& why) {
            if (self.group) self.group->fail(why);
          },
          nb::arg("why"), "Ends the work of all ranks, which are told why.")
      .def("__repr__",
           [](const SharedGroup& self) {
             return fmt::format("<rank {} of {}>", self.rank, self.size);
           })
      .def(
          "leave",
          [](SharedGroup& self) {
            const nb::gil_scoped_release release;
            self.group = nullptr;
          },
          "Done with the others; nothing is asked of them any more.");
  module.def(
      "join_group",
      [](std::optional<double> timeout) {
        auto group = join(timeout);
        const int rank = group->rank(), size = group->size();
        return SharedGroup{std::move(group), rank, size};
      },
      nb::arg("timeout").none());
}

}  // namespace gradatim::python
