#include "gradatim/neural/nn/prepared.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <torch/headeronly/version.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/core/hash.h"
#include "gradatim/core/safetensors_views.h"
#include "gradatim/core/simd.h"
#include "gradatim/neural/nn/packed.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

// Vectors are loaded whole from a line of the cache.
constexpr std::size_t kLine = 64;
constexpr const char* kOrigin = "gradatim.prepared";
constexpr const char* kPlaces = "gradatim.forms";
constexpr const char* kLayouts = "gradatim.layouts";
constexpr const char* kLayoutEnding = ":layout";
constexpr const char* kKinds[] = {"packed", "winograd", "eight_bit"};

std::string array_name(const std::string& name, std::size_t place) {
  return fmt::format("{}:{}", name, place);
}

std::string_view bytes_of(const Tensor& x) {
  return {static_cast<const char*>(x.const_data_ptr()), x.nbytes()};
}

// Of layouts, shapes and names; not of the numbers, which are gigabytes.
std::string hash_text(const std::map<std::string, std::string_view>& layouts,
                      const std::string& places) {
  Hash hash;
  hash.add(places);
  for (const auto& [name, bytes] : layouts) hash.add(name).add(bytes);
  return fmt::format("{:016x}", hash.value());
}

const std::string& zeros() {
  static const std::string line(kLine, '\0');
  return line;
}

// All of its pages at once, instead of a fault for every few.
void look_ahead(std::string_view bytes) {
#ifdef MADV_POPULATE_READ
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data()) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(bytes.data()) + bytes.size();
  // Older systems know no such advice, which is no loss but of time.
  static_cast<void>(madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_READ));
#else
  static_cast<void>(bytes);
#endif
}

}  // namespace

std::string packing_machine() {
  const auto limit = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  return fmt::format("torch {}, {}, {}, '{}{}'", TORCH_VERSION, at::get_cpu_capability(),
                     simd_name(), limit("DNNL_MAX_CPU_ISA"), limit("ONEDNN_MAX_CPU_ISA"));
}

bool can_be_prepared(const HeldForm& form) {
  for (const Tensor& x : form.tensors) {
    if (form.kind != HeldForm::Kind::eight_bit && !x.is_mkldnn()) return false;
  }
  return !form.tensors.empty();
}

void write_prepared(const std::string& path, const std::string& origin, const HeldForms& forms) {
  SafetensorsViews file;
  std::vector<Tensor> kept;
  std::map<std::string, std::string_view> layouts;
  nlohmann::ordered_json places = nlohmann::ordered_json::object();
  // Numbers of four bytes, so that they come first; whole lines, so that the next begin at one.
  const auto add_numbers = [&](const std::string& name, std::string_view bytes) {
    const std::size_t more = (kLine - bytes.size() % kLine) % kLine;
    const auto count = static_cast<std::int64_t>((bytes.size() + more) / sizeof(float));
    file.add(name, {DType::f32, {count}, {bytes, std::string_view(zeros()).substr(0, more)}, {}});
  };
  for (const auto& [name, form] : forms) {
    nlohmann::ordered_json shapes = nlohmann::ordered_json::array();
    for (std::size_t k = 0; k < form.tensors.size(); ++k) {
      const Tensor& x = form.tensors[k];
      shapes.push_back(x.sizes().vec());
      if (x.is_mkldnn()) {
        add_numbers(array_name(name, k), packed_bytes(x));
        kept.push_back(packed_layout(x));
        const std::string layout = array_name(name, k) + kLayoutEnding;
        layouts[layout] = bytes_of(kept.back());
        file.add(layout, {DType::u8, {kept.back().numel()}, {layouts[layout]}, {}});
      } else if (x.scalar_type() == at::kFloat) {
        kept.push_back(x.contiguous());
        add_numbers(array_name(name, k), bytes_of(kept.back()));
      } else {
        kept.push_back(x.contiguous());
        file.add(array_name(name, k), {DType::i8, x.sizes().vec(), {bytes_of(kept.back())}, {}});
      }
    }
    places[name] = {{"kind", kKinds[static_cast<int>(form.kind)]}, {"shapes", shapes}};
  }
  file.set_metadata(kOrigin, origin);
  file.set_metadata(kPlaces, places.dump());
  file.set_metadata(kLayouts, hash_text(layouts, places.dump()));
  file.set_alignment(kLine);
  file.write(path);
}

PreparedWeights::PreparedWeights(const std::string& path, const std::string& origin) : path_(path) {
  std::error_code unknown;
  if (!std::filesystem::exists(path, unknown)) return;
  auto file = std::make_unique<SafetensorsFile>(path);
  const std::string found = file->metadata(kOrigin);
  // Whatever else lies there must not be written over.
  GRADATIM_CHECK(!found.empty(), ModelError, 3081,
                 "{}: not a file of prepared weights; name another, or one that is not there yet",
                 path);
  if (found != origin) return;
  const std::string places = file->metadata(kPlaces);
  std::map<std::string, std::string_view> layouts;
  for (const auto& [name, view] : file->arrays()) {
    if (name.ends_with(kLayoutEnding)) layouts[name] = view.bytes;
  }
  GRADATIM_CHECK(hash_text(layouts, places) == file->metadata(kLayouts), ModelError, 3081,
                 "{}: damaged; delete it, and it is written anew", path);
  file_ = std::move(file);
  read_places(places);
}

void PreparedWeights::read_places(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  try {
    for (const auto& [name, item] : json.items()) {
      Place place;
      const auto kind = item.at("kind").get<std::string>();
      const auto at = std::ranges::find(kKinds, kind);
      if (at == std::end(kKinds)) throw std::invalid_argument(kind);
      place.kind = static_cast<HeldForm::Kind>(at - std::begin(kKinds));
      item.at("shapes").get_to(place.shapes);
      forms_[name] = std::move(place);
    }
  } catch (const std::exception&) {
    throw ModelError(3081, fmt::format("{}: damaged; delete it, and it is written anew", path_));
  }
}

Tensor PreparedWeights::packed(const std::string& array,
                               const std::vector<std::int64_t>& shape) const {
  const std::string_view numbers = file_->view(array).bytes;
  const std::string_view layout = file_->view(array + kLayoutEnding).bytes;
  look_ahead(numbers);
  const Tensor x = packed_view(numbers, shape, layout);
  GRADATIM_CHECK(x.defined(), ModelError, 3081, "{}: '{}' is damaged; delete the file", path_,
                 array);
  return x;
}

Tensor PreparedWeights::plain(const std::string& array,
                              const std::vector<std::int64_t>& shape) const {
  const SafetensorsFile::View& view = file_->view(array);
  const bool codes = view.dtype == DType::i8;
  const std::int64_t count = c10::multiply_integers(shape);
  GRADATIM_CHECK((codes || view.dtype == DType::f32) && count >= 0 &&
                     to_size(count) <= view.bytes.size() / size_of(view.dtype),
                 ModelError, 3081, "{}: '{}' is damaged; delete the file", path_, array);
  look_ahead(view.bytes);
  return at::from_blob(const_cast<char*>(view.bytes.data()), shape,  // NOLINT: only read
                       codes ? at::kChar : at::kFloat);
}

HeldForm PreparedWeights::form(const std::string& name) const {
  const Place& place = forms_.at(name);
  HeldForm form{place.kind, {}};
  for (std::size_t k = 0; k < place.shapes.size(); ++k) {
    const bool plainly = place.kind == HeldForm::Kind::eight_bit;
    form.tensors.push_back(plainly ? plain(array_name(name, k), place.shapes[k])
                                   : packed(array_name(name, k), place.shapes[k]));
  }
  return form;
}

void PreparedWeights::add_rest(HeldForms& forms) const {
  for (const auto& [name, place] : forms_) {
    if (forms.count(name) == 0) forms[name] = form(name);
  }
}

}  // namespace gradatim::neural
