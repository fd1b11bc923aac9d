// Errors: one hierarchy, one stable code each, one line of text.
//
// A message names the thing, the rule, the value and the remedy. What is expected (no split found,
// early stop) is a value, never an exception. Codes are listed in docs/errors.md.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace gradatim {

/// The base of everything that the library throws. `what()` is one line that ends with the code.
class Error : public std::runtime_error {
 public:
  Error(int code, const std::string& message);

  /// The number in `GRD-nnnn`: 1xxx usage, 2xxx data, 3xxx model files, 4xxx numeric, 5xxx groups.
  int code() const { return code_; }
  /// The line without its code.
  const std::string& message() const { return message_; }

 private:
  int code_;
  std::string message_;
};

class UsageError : public Error {
 public:
  using Error::Error;
};
class DataError : public Error {
 public:
  using Error::Error;
};
class ModelError : public Error {
 public:
  using Error::Error;
};
class NumericError : public Error {
 public:
  using Error::Error;
};
class DistributedError : public Error {
 public:
  using Error::Error;
};

/// Thrown when the caller asked to stop (Ctrl-C); not an Error, since nothing went wrong. It says
/// what became of the work.
class Interrupted : public std::runtime_error {
 public:
  explicit Interrupted(const std::string& what = "interrupted; nothing was written")
      : std::runtime_error(what) {}
};

namespace internal {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);
}  // namespace internal

}  // namespace gradatim

/// Throws `Kind(code, message)` unless the condition holds; the message is only built then.
#define GRADATIM_CHECK(condition, Kind, code, ...)              \
  do {                                                          \
    if (!(condition)) [[unlikely]] {                            \
      throw ::gradatim::Kind(code, ::fmt::format(__VA_ARGS__)); \
    }                                                           \
  } while (false)

/// A programmer's error: checked in debug builds only.
#ifdef NDEBUG
#define GRADATIM_ASSERT(condition) static_cast<void>(0)
#else
#define GRADATIM_ASSERT(condition)    \
  ((condition) ? static_cast<void>(0) \
               : ::gradatim::internal::assertion_failed(#condition, __FILE__, __LINE__))
#endif
