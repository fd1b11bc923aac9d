// One NumPy array as it lies in an .npy file, or in a file that is read as one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gradatim::data {

/// What an .npy file says before its cells.
struct NumpyHeader {
  std::string code;  // NumPy's name of the element type, such as "<f4"; empty for records
  bool fortran = false;
  std::vector<std::int64_t> shape;
  std::size_t size = 0;  // of the header; the cells follow
};

/// "\x93NUMPY", version, length of the text, then a Python dictionary in a fixed spelling.
/// GRD-2016; its line begins with `name` and ends with `remedy`.
NumpyHeader parse_numpy_header(std::string_view bytes, const std::string& name,
                               std::string_view remedy);

/// An array whose cells are all there. `name` stands for it in messages: "t.npz, array 'x'".
struct NumpyArray {
  std::string name;
  std::string code;
  bool fortran = false;
  std::vector<std::int64_t> shape;
  std::string_view cells;
  std::shared_ptr<const void> owner;  // of the cells; may be null where the caller keeps them

  std::int64_t count() const;
};

/// The whole of an .npy file. GRD-2016 where it is damaged or has more or fewer cells than its
/// shape, GRD-2072 where that is empty, GRD-2073 for a type of elements that is not read.
NumpyArray parse_numpy(std::string_view bytes, const std::string& name);

/// The width of an element in bytes: numbers, booleans and text of fixed width. GRD-2073.
std::int64_t element_width(const std::string& code, const std::string& name);

/// All cells in C order. GRD-2073 where they are no numbers.
std::vector<float> float_cells(const NumpyArray& array);
std::vector<std::uint8_t> byte_cells(const NumpyArray& array);  // of "|u1" alone
/// Cells as labels are written: "7", "cat". GRD-2075 for fractions and text that is not UTF-8.
std::vector<std::string> label_cells(const NumpyArray& array);

/// An .npy file of cells in C order.
std::string numpy_bytes(std::string_view code, std::span<const std::int64_t> shape,
                        std::string_view cells);

}  // namespace gradatim::data
