// Weak learners that Python fits. They run on the thread that called fit or predict, with the
// interpreter's lock; what they raise reaches the caller as it was raised.
#include <fmt/format.h>
#include <nanobind/ndarray.h>

#include <algorithm>

#include "gradatim/boost/learner/custom.h"
#include "gradatim/core/error.h"
#include "gradatim/python/module.h"

namespace nb = nanobind;

namespace gradatim::python {
namespace {

using boost::CustomFit;
using boost::CustomLearner;
using boost::RowBlock;

using Values = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// Copies, for a learner may keep what it is given.  // [rows]
template <class T>
nb::object copied(std::span<const T> values) {
  auto* kept = new std::vector<T>(values.begin(), values.end());
  nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  return nb::cast(nb::ndarray<nb::numpy, T>(kept->data(), {kept->size()}, owner));
}

// The rows where they lie, not writable; they live as long as any array over them.
nb::object view_of(const RowBlock& rows) {
  using Held = std::shared_ptr<const void>;
  nb::capsule owner(new Held(rows.owner), [](void* p) noexcept { delete static_cast<Held*>(p); });
  return nb::cast(nb::ndarray<nb::numpy, const double>(
      rows.values, {static_cast<std::size_t>(rows.rows), static_cast<std::size_t>(rows.features)},
      owner));
}

CustomLearner::Predict predict_of(nb::object member) {
  return [member = shared(std::move(member))](const RowBlock& rows, double* out) {
    nb::gil_scoped_acquire lock;
    check_signals();
    const auto values = nb::cast<Values>((*member)(view_of(rows)));
    if (values.shape(0) != static_cast<std::size_t>(rows.rows)) {
      throw nb::value_error("a learner must predict a number for each row");
    }
    std::copy_n(values.data(), values.shape(0), out);
  };
}

}  // namespace

std::shared_ptr<const boost::Learner> python_learner(nb::object fit) {
  return std::make_shared<const CustomLearner>(
      [fit = shared(std::move(fit))](const CustomFit& task) {
        nb::gil_scoped_acquire lock;
        return predict_of((*fit)(nb::cast(*task.features), copied(task.rows), copied(task.target),
                                 copied(task.weight), task.classes));
      });
}

}  // namespace gradatim::python
