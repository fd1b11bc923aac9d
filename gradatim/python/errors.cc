// Errors of the library as the classes of gradatim._errors, with their code.
#include <fmt/format.h>

#include <exception>

#include "gradatim/core/error.h"
#include "gradatim/python/module.h"

namespace nb = nanobind;

namespace gradatim::python {
namespace {

void set_error(const char* name, const Error& error) {
  nb::object kind = nb::module_::import_("gradatim._errors").attr(name);
  const std::string code = fmt::format("GRD-{}", error.code());
  PyErr_SetObject(kind.ptr(), kind(error.what(), code.c_str()).ptr());
}

void translate(const std::exception_ptr& thrown, void* /*payload*/) {
  try {
    std::rethrow_exception(thrown);
  } catch (const UsageError& error) {
    set_error("UsageError", error);
  } catch (const DataError& error) {
    set_error("DataError", error);
  } catch (const ModelError& error) {
    set_error("ModelError", error);
  } catch (const NumericError& error) {
    set_error("NumericError", error);
  } catch (const DistributedError& error) {
    set_error("DistributedError", error);
  } catch (const Error& error) {
    set_error("GradatimError", error);
  } catch (const Interrupted&) {
    PyErr_SetNone(PyExc_KeyboardInterrupt);
  }
}

}  // namespace

void bind_errors(nb::module_& /*module*/) { nb::register_exception_translator(&translate); }

void check_signals() {
  if (PyErr_CheckSignals() != 0) throw nb::python_error();
}

}  // namespace gradatim::python
