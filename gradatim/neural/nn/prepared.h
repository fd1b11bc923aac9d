// PreparedWeights: a file of layers' weights in the form in which this machine multiplies them, for
// programs that begin sooner.
//
//  1. A network is held (nn/held.h) with a PreparedWeights of a file that is not there. Its layers'
//     first passes pack the weights, which writes as much memory as all of them take.
//  2. write_prepared() puts what they packed into the file.
//  3. The next program maps the file. A first pass then packs nothing and takes no memory of its
//     own; programs that run beside each other share the pages.
//
// A cache, not a format: the layouts are oneDNN's own, of one processor and one version of torch,
// and a file says what it was made of. Of another origin it is not used. It is no file to take from
// others: that its layouts stay within its bytes is checked, what the numbers are is not.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gradatim/core/safetensors.h"
#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

/// A weight as a layer multiplies by it.
struct HeldForm {
  enum class Kind { packed, winograd, eight_bit };
  Kind kind = Kind::packed;
  std::vector<Tensor> tensors;  // one, a plane each, or codes and scales
};
/// By "network/weight", and "network/weight@winograd".
using HeldForms = std::map<std::string, HeldForm>;

/// What this machine and this build pack for, in a line.
std::string packing_machine();

/// Whether a form can be written: not where torch has no packed layers.
bool can_be_prepared(const HeldForm& form);

/// Atomically (core/file.h). `origin`: of what; another origin's file is not read.
void write_prepared(const std::string& path, const std::string& origin, const HeldForms& forms);

class PreparedWeights {
 public:
  /// Maps a file of that origin; what is not there, or of another, is empty. ModelError GRD-3081
  /// where its layouts are damaged or it is another kind of file; GRD-3001 where it is cut or no
  /// safetensors.
  PreparedWeights(const std::string& path, const std::string& origin);

  const std::string& path() const { return path_; }
  bool empty() const { return forms_.empty(); }
  bool has(const std::string& name) const { return forms_.count(name) != 0; }
  /// Looks into the file, which lives as long as this.
  HeldForm form(const std::string& name) const;
  /// Adds those that `forms` lacks.
  void add_rest(HeldForms& forms) const;

 private:
  struct Place {
    HeldForm::Kind kind;
    std::vector<std::vector<std::int64_t>> shapes;  // of its tensors
  };
  Tensor packed(const std::string& array, const std::vector<std::int64_t>& shape) const;
  Tensor plain(const std::string& array, const std::vector<std::int64_t>& shape) const;
  void read_places(const std::string& text);

  std::string path_;
  std::unique_ptr<SafetensorsFile> file_;
  std::map<std::string, Place> forms_;
};

}  // namespace gradatim::neural
