// A small tree as a list of conditions that many rows answer at once.
//
// Rows come in strips. A strip's features are planes: one byte a row, such that every condition of
// the trees is "byte > bound", and 64 rows answer it with one instruction. Where a row ends follows
// from the answers without a jump, in one of three ways:
//   symmetric: each level asks one question; a leaf's number is the answers as bits.
//   complete:  the tree is padded to 2^depth leaves; children are decided before their parent,
//              which then picks the number of one of them.
//   chain:     leaves are numbered from left to right; a row starts at 0, and where the row's
//              number is the first leaf below a node and it goes right there, it becomes the first
//              leaf of the right child. Cost: one step an inner node, whatever the shape.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "gradatim/boost/tree/tree.h"

namespace gradatim::boost {

inline constexpr int kStrip = 256;  // rows that are decided together
inline constexpr int kMostCodedLeaves = 256;

/// Floats that a leaf of several values takes, so that vectors hold four or eight of them; 0 where
/// a leaf has one value.
inline constexpr int vector_stride(int outputs) { return outputs == 1 ? 0 : (outputs + 3) / 4 * 4; }

/// Right where (byte & mask) > bound, signed. The bytes are kept four times, since a processor
/// copies four bytes into all lanes for less than one.
struct Condition {
  std::uint32_t plane = 0;  // where the plane begins in the strip
  std::uint32_t bound = 0;
  std::uint32_t mask = 0xFFFFFFFF;
  std::uint32_t from = 0;  // chain: rows at leaf `from` that go right
  std::uint32_t to = 0;    // are at leaf `to`
};

inline constexpr std::uint32_t four_times(std::uint32_t byte) {
  return (byte & 0xFF) * 0x01010101U;
}

struct TreeCode {
  enum class Shape : std::uint8_t { symmetric, complete, chain };
  Shape shape = Shape::chain;
  bool masked = false;  // whether a condition has a mask
  std::int32_t depth = 0;
  std::vector<Condition> conditions;
  int stride = 0;                   // vector_stride() of the tree
  std::vector<float> values;        // of each leaf's number, padded to 16, 32, 64 or more; or with
                                    // several outputs [leaves][stride]
  std::vector<std::int32_t> nodes;  // of each leaf's number, where leaves have slopes
};

/// Whether a tree has a code: at most kMostCodedLeaves leaves, and every node one parent, which a
/// file need not keep to.
bool encodes(const Tree& tree);

/// The code of such a tree; `condition_of` says what a node asks.
TreeCode encode(const Tree& tree, const std::function<Condition(const Node&)>& condition_of);

}  // namespace gradatim::boost
