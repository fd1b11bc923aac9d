// Pieces of Python source that the writers of modules share. What is printed is what ruff format
// leaves alone: 100 columns, one argument a line with a trailing comma.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gradatim/api/write/words.h"

namespace gradatim::api::write {

/// An argument of a generated function or class.
struct PythonArgument {
  std::string name;
  std::string type;     // "float", "Literal[\"a\", \"b\"]"
  std::string initial;  // "1.0"; empty where it must be given
  std::string doc;
};

/// "1.0", "True", "\"histogram\"", "(0.5,)".
std::string python_value(const Value& value);
PythonArgument python_argument(const Setting& setting);
PythonArgument python_argument(const Part& part, const Registry& registry);

/// "(self, *, ...)" one argument a line; `leading` comes first ("self", "*"); `indent` is of "def".
std::string python_signature(const std::vector<std::string>& leading,
                             const std::vector<PythonArgument>& arguments, std::string_view indent);

/// A numpydoc text in the making, quoted when it is printed.
class Docstring {
 public:
  explicit Docstring(std::string_view indent) : indent_(indent) {}
  void paragraph(std::string_view text);
  void section(std::string_view title);
  void parameters(const std::vector<PythonArgument>& arguments);
  void item(std::string_view name, std::string_view doc);
  void text(std::string_view text, std::string_view hanging = {});
  void verbatim(std::string_view line);
  /// Summary to the closing quotes, with the source as the reference and what else the entry says.
  std::string quoted() const;

 private:
  std::string indent_;
  std::string text_;
};

/// The sections Notes and References of an export.
void describe_source(Docstring& doc, const Entry& entry);

/// The head of a generated module: the mark, the docstring, the imports that its body uses.
std::string python_module(std::string_view doc, std::string_view body,
                          const std::vector<std::string>& names,
                          const std::vector<std::string>& imports);
/// "from MODULE import (" one name a line ")".
/// Constants before classes before the rest, as Python's formatters want lists of names: "P2" is
/// taken for a constant.
void sort_names(std::vector<std::string>& names);
std::string python_import(std::string_view module, const std::vector<std::string>& names);

/// The module of an export, its package and its kind: gradatim.boost.loss of boost.loss.huber,
/// gradatim.boost.model of boost.newton (whose kind is "model"); and its class or function there.
std::string python_module_name(const Entry& entry);
std::string python_name(const Entry& entry);

/// The section Use of a reference page: a call in C++, on the command line and in Python.
std::string use_text(const Entry& entry, const Registry& registry);

/// The file of estimators of one package ("boost"), and the names of its classes.
std::string estimators_module(std::string_view package, const Registry& registry);
std::vector<std::string> estimator_names(std::string_view package, const Registry& registry);

}  // namespace gradatim::api::write
