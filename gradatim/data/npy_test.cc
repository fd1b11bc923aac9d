#include "gradatim/data/npy.h"

#include <gtest/gtest.h>

#include <string>

#include "gradatim/data/testing.h"

namespace gradatim::data {
namespace {

using namespace testing;

template <class T>
std::string npy(const std::string& header, const std::vector<T>& cells) {
  std::string text = header + "\n";
  while ((10 + text.size()) % 64 != 0) text.insert(text.size() - 1, " ");
  std::string bytes = "\x93NUMPY";
  bytes += '\x01';
  bytes += '\0';
  bytes += static_cast<char>(text.size());
  bytes += '\0';
  bytes += text;
  bytes.append(reinterpret_cast<const char*>(cells.data()), cells.size() * sizeof(T));
  return bytes;
}

TEST(Npy, ReadsBothOrdersWhereTheyLie) {
  const TemporaryFolder folder;
  const std::vector<float> cells = {1, 2, 3, 4, 5, 6};
  const Table c = read_npy(folder.write(
      "c.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", cells)));
  EXPECT_EQ(numbers(c.column("x0")), (std::vector<double>{1, 3, 5}));
  EXPECT_EQ(numbers(c.column("x1")), (std::vector<double>{2, 4, 6}));
  const Table f = read_npy(folder.write(
      "f.npy", npy("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }", cells)));
  EXPECT_EQ(numbers(f.column("x1")), (std::vector<double>{4, 5, 6}));
  const Table one = read_npy(
      folder.write("1.npy", npy("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }",
                                std::vector<std::int64_t>{7, 8})));
  EXPECT_EQ(numbers(one.column("x0")), (std::vector<double>{7, 8}));
}

TEST(Npy, WhatIsNoTableIsRefused) {
  const TemporaryFolder folder;
  auto fault = [&](const std::string& bytes) {
    const std::string path = folder.write("t.npy", bytes);
    const std::string line = error_of([&] { read_npy(path); });
    return line.substr(path.size());
  };
  const std::string remedy = "; save a table of numbers by numpy.save (GRD-2016)";
  const std::vector<double> cells = {1, 2};
  EXPECT_EQ(fault("abc"), ": not a NumPy file" + remedy);
  EXPECT_EQ(fault(npy("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", cells)),
            ": arrays of '|O' are not read" + remedy);
  EXPECT_EQ(fault(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1, 2), }", cells)),
            ": the array has 3 dimensions, but a table has two" + remedy);
  EXPECT_EQ(fault(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 1), }", cells)),
            ": the file ends within its cells" + remedy);
  EXPECT_EQ(fault(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807, "
                      "9223372036854775807), }",
                      cells)),
            ": the file ends within its cells" + remedy);
  EXPECT_EQ(fault(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 2), }", cells)),
            ": its shape cannot be read" + remedy);
}

}  // namespace
}  // namespace gradatim::data
