#include "gradatim/data/arrow_c.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "gradatim/data/testing.h"

namespace gradatim::data {
namespace {

using namespace testing;

// A hand-made struct array of one column. Releases are counted.
struct OneColumn {
  int released = 0;
  ArrowSchema schema{};
  ArrowSchema child_schema{};
  ArrowSchema dictionary_schema{};
  ArrowSchema* schema_children[1] = {&child_schema};
  ArrowArray array{};
  ArrowArray child{};
  ArrowArray dictionary{};
  ArrowArray* children[1] = {&child};
  std::vector<const void*> buffers;
  std::vector<const void*> dictionary_buffers;
  const void* no_buffers[1] = {nullptr};

  OneColumn(const char* format, std::int64_t length, std::vector<const void*> cells,
            std::int64_t null_count = 0)
      : buffers(std::move(cells)) {
    schema.format = "+s";
    schema.n_children = 1;
    schema.children = schema_children;
    schema.private_data = this;
    schema.release = [](ArrowSchema* s) {
      ++static_cast<OneColumn*>(s->private_data)->released;
      s->release = nullptr;
    };
    child_schema.format = format;
    child_schema.name = "x";
    array.length = length;
    array.n_buffers = 1;
    array.buffers = no_buffers;
    array.n_children = 1;
    array.children = children;
    array.private_data = this;
    array.release = [](ArrowArray* a) {
      ++static_cast<OneColumn*>(a->private_data)->released;
      a->release = nullptr;
    };
    child.length = length;
    child.null_count = null_count;
    child.n_buffers = static_cast<std::int64_t>(buffers.size());
    child.buffers = buffers.data();
  }
  void set_dictionary(const char* format, std::int64_t length, std::vector<const void*> words) {
    dictionary_buffers = std::move(words);
    dictionary_schema.format = format;
    dictionary.length = length;
    dictionary.n_buffers = static_cast<std::int64_t>(dictionary_buffers.size());
    dictionary.buffers = dictionary_buffers.data();
    child_schema.dictionary = &dictionary_schema;
    child.dictionary = &dictionary;
  }
  Column import() { return import_array(&schema, &array, "t").column("x"); }
};

TEST(ArrowImport, NumbersAreUsedWhereTheyLieAndReleasedWithTheLastColumn) {
  const std::vector<float> cells = {9, 1.5F, 2.5F};
  OneColumn one("f", 2, {nullptr, cells.data()});
  one.child.offset = 1;
  one.child.length = 2;
  {
    const Column column = one.import();
    EXPECT_EQ(numbers(column), (std::vector<double>{1.5, 2.5}));
    EXPECT_EQ(column.chunks()[0].data, cells.data() + 1) << "no copy";
    EXPECT_EQ(one.released, 1) << "the schema only";
  }
  EXPECT_EQ(one.released, 2);
}

TEST(ArrowImport, TheOffsetOfTheStructCountsToo) {
  const std::vector<std::int64_t> cells = {0, 1, 2, 3};
  const std::uint8_t validity = 0b0111;
  OneColumn one("l", 2, {&validity, cells.data()}, 1);
  one.array.offset = 1;
  one.child.offset = 1;
  one.child.length = 3;
  EXPECT_EQ(cells[2], 2);
  EXPECT_EQ(testing::cells(one.import()), (Texts{"2", ""}));
}

TEST(ArrowImport, BooleansHalvesDecimalsAndNullsHaveTheirMeaning) {
  const std::uint8_t bits = 0b101;
  EXPECT_EQ(cells(OneColumn("b", 3, {nullptr, &bits}).import()), (Texts{"true", "false", "true"}));
  const std::uint16_t halves[] = {0x3C00, 0xC100, 0x7C00, 0x0001};
  EXPECT_EQ(numbers(OneColumn("e", 4, {nullptr, halves}).import()),
            (std::vector<double>{1, -2.5, INFINITY, 0x1p-24}));
  const std::int64_t decimals[] = {-12345, -1, 12345, 0};
  EXPECT_EQ(numbers(OneColumn("d:10,2", 2, {nullptr, decimals}).import()),
            (std::vector<double>{-123.45, 123.45}));
  EXPECT_EQ(numbers(OneColumn("d:10,2,64", 1, {nullptr, decimals}).import()),
            (std::vector<double>{-123.45}));
  EXPECT_EQ(cells(OneColumn("n", 2, {}).import()), (Texts{"", ""}));
}

TEST(ArrowImport, DurationsAndTimesOfDayAreMicrosecondsWhateverTheirUnit) {
  const std::int64_t wide[] = {3, -3000};
  const auto of = [&](const char* format) {
    return cells(OneColumn(format, 2, {nullptr, wide}).import());
  };
  EXPECT_EQ(of("tDs"), (Texts{"3000000", "-3000000000"}));
  EXPECT_EQ(of("tDm"), (Texts{"3000", "-3000000"}));
  EXPECT_EQ(of("tDu"), (Texts{"3", "-3000"}));
  EXPECT_EQ(of("tDn"), (Texts{"0", "-3"}));
  EXPECT_EQ(of("ttu"), of("tDu"));
  EXPECT_EQ(of("ttn"), of("tDn"));
  const std::int32_t narrow[] = {3, 86399};
  EXPECT_EQ(cells(OneColumn("tts", 2, {nullptr, narrow}).import()),
            (Texts{"3000000", "86399000000"}));
  EXPECT_EQ(cells(OneColumn("ttm", 2, {nullptr, narrow}).import()), (Texts{"3000", "86399000"}));
}

TEST(ArrowImport, TimesAreDaysOrMicroseconds) {
  const std::int32_t days[] = {15706};
  EXPECT_EQ(cells(OneColumn("tdD", 1, {nullptr, days}).import()), (Texts{"2013-01-01"}));
  const std::int64_t one[] = {-1};
  EXPECT_EQ(cells(OneColumn("tdm", 1, {nullptr, one}).import()), (Texts{"1969-12-31"}));
  EXPECT_EQ(cells(OneColumn("tss:", 1, {nullptr, one}).import()), (Texts{"1969-12-31T23:59:59"}));
  EXPECT_EQ(cells(OneColumn("tsn:UTC", 1, {nullptr, one}).import()),
            (Texts{"1969-12-31T23:59:59.999999"}));
  EXPECT_EQ(cells(OneColumn("tsu:", 1, {nullptr, one}).import()),
            (Texts{"1969-12-31T23:59:59.999999"}));
}

TEST(ArrowImport, TextOfEveryLayoutBecomesCategories) {
  const char* text = "abcab";
  const std::int32_t small[] = {0, 2, 3, 3, 5};
  const std::uint8_t validity = 0b1011;
  const Column column = OneColumn("u", 4, {&validity, small, text}, 1).import();
  EXPECT_EQ(cells(column), (Texts{"ab", "c", "", "ab"}));
  EXPECT_EQ(column.categories(), (Categories{"ab", "c"}));
  const std::int64_t large[] = {0, 2, 3};
  EXPECT_EQ(cells(OneColumn("U", 2, {nullptr, large, text}).import()), (Texts{"ab", "c"}));
  struct View {
    std::int32_t size;
    char prefix[4];
    std::int32_t buffer;
    std::int32_t offset;
  };
  const char* out_of_line = "..a text of more than twelve bytes";
  const std::int64_t sizes[] = {34};
  View views[2] = {{2, {'h', 'i', 0, 0}, 0, 0}, {32, {'a', ' ', 't', 'e'}, 0, 2}};
  EXPECT_EQ(cells(OneColumn("vu", 2, {nullptr, views, out_of_line, sizes}).import()),
            (Texts{"hi", "a text of more than twelve bytes"}));
}

TEST(ArrowImport, DictionariesKeepTheirCodesWhereTheyLie) {
  const std::uint8_t indices[] = {1, 0, 1};
  const std::int32_t offsets[] = {0, 1, 3};
  OneColumn one("C", 3, {nullptr, indices});
  one.set_dictionary("u", 2, {nullptr, offsets, "abb"});
  const Column column = one.import();
  EXPECT_EQ(cells(column), (Texts{"bb", "a", "bb"}));
  EXPECT_EQ(column.chunks()[0].data, indices);
}

TEST(ArrowImport, ADictionaryWithARepeatedWordIsCodedAnew) {
  const std::int8_t indices[] = {0, 1, 2, 5, -1};
  const std::int32_t offsets[] = {0, 1, 2, 3};
  OneColumn one("c", 5, {nullptr, indices});
  one.set_dictionary("u", 3, {nullptr, offsets, "aba"});
  EXPECT_EQ(codes(one.import()), (Codes{0, 1, 0, -1, -1})) << "indices outside are missing";
}

TEST(ArrowImport, ADictionaryOfNumbersIsOneOfWords) {
  const std::int8_t indices[] = {1, 0};
  const double values[] = {1, 2.5};
  OneColumn one("c", 2, {nullptr, indices});
  one.set_dictionary("g", 2, {nullptr, values});
  EXPECT_EQ(cells(one.import()), (Texts{"2.5", "1"}));
}

TEST(ArrowImport, NestedTypesAreRefusedByName) {
  const std::pair<const char*, const char*> cases[] = {{"+l", "a list"},
                                                       {"+s", "a struct"},
                                                       {"+m", "a map"},
                                                       {"z", "binary"},
                                                       {"w:8", "binary"},
                                                       {"+ud:0,1", "a union"},
                                                       {"d:70,2,256", "a decimal of 256 bits"},
                                                       {"tiM", "of a type that is not known here"}};
  for (const auto& [format, name] : cases) {
    OneColumn one(format, 1, {nullptr, "xxxxxxxx"});
    EXPECT_EQ(error_of([&] { one.import(); }),
              std::string("column 'x' of t is ") + name +
                  ", which cannot be a column of a table; leave it out or convert it (GRD-2013)");
    EXPECT_EQ(one.released, 2) << "released in spite of the error";
  }
}

TEST(ArrowImport, WhatIsNoStructIsNoTable) {
  OneColumn one("f", 0, {nullptr, nullptr});
  one.schema.format = "f";
  EXPECT_EQ(error_of([&] { one.import(); }),
            "t: Arrow data of format 'f' is no table; pass a table or a record batch (GRD-2013)");
}

TEST(ArrowImport, TextThatIsNotUtf8IsRefused) {
  const std::int32_t offsets[] = {0, 1};
  EXPECT_EQ(error_of([&] {
              OneColumn("u", 1, {nullptr, offsets, "\xFF"}).import();
            }),
            "column 'x' of t holds text that is not UTF-8; decode it before (GRD-2007)");
}

Table two_chunks() {
  auto cells =
      std::make_shared<std::vector<std::int32_t>>(std::vector<std::int32_t>{1, 2, 3, 4, 5});
  const Chunk first{.rows = 2, .data = cells->data(), .stride = 4};
  const Chunk second{.rows = 3, .data = cells->data() + 2, .stride = 4};
  const Column chunked("i", ColumnType::integer, Storage::i32, {first, second}, cells);
  return Table({chunked, numeric_column("x", {0.5, NAN, 1, 2, 3}),
                boolean_column("b", {1, 0, 255, 1, 1}),
                categorical_column("c", {0, -1, 1, 0, 1}, {"u", ""}),
                integer_column("d", {1, 2, kMissingInteger, 4, 5}).with_time_unit(TimeUnit::days),
                integer_column("t", {1, 2, 3, 4, 5}).with_time_unit(TimeUnit::microseconds)});
}

TEST(ArrowExport, AStreamReadsBackToTheSameTable) {
  const Table table = two_chunks();
  ArrowArrayStream stream{};
  export_stream(table, &stream);
  const Table again = import_stream(&stream, "again");
  EXPECT_EQ(stream.release, nullptr) << "taken";
  ASSERT_EQ(again.columns().size(), table.columns().size());
  for (std::size_t i = 0; i < table.columns().size(); ++i) {
    EXPECT_EQ(cells(again.columns()[i]), cells(table.columns()[i])) << table.columns()[i].name();
    EXPECT_EQ(again.columns()[i].type(), table.columns()[i].type());
    EXPECT_EQ(again.columns()[i].time_unit(), table.columns()[i].time_unit());
  }
  EXPECT_EQ(again.column("i").chunks()[0].data, table.column("i").chunks()[0].data) << "no copy";
  EXPECT_EQ(again.column("x").chunks()[0].data, table.column("x").chunks()[0].data) << "no copy";
}

TEST(ArrowExport, ChildrenMayOutliveTheirParents) {
  ArrowArrayStream stream{};
  {
    const Table table = two_chunks();
    export_stream(table, &stream);
  }
  ArrowArray batch{};
  ASSERT_EQ(stream.get_next(&stream, &batch), 0);
  EXPECT_EQ(batch.length, 2);
  ArrowArray child = *batch.children[0];
  batch.children[0]->release = nullptr;  // moved out, as the interface allows
  batch.release(&batch);
  stream.release(&stream);
  EXPECT_EQ(static_cast<const std::int32_t*>(child.buffers[1])[1], 2);
  child.release(&child);
}

TEST(ArrowExport, TheEndOfTheStreamIsAReleasedArray) {
  ArrowArrayStream stream{};
  export_stream(Table(), &stream);
  ArrowArray batch{};
  ASSERT_EQ(stream.get_next(&stream, &batch), 0);
  EXPECT_EQ(batch.release, nullptr);
  stream.release(&stream);
}

TEST(ArrowStream, DictionariesThatDifferBetweenBatchesAreUnited) {
  // Two exported tables in one stream: the second table's dictionary is another one.
  struct Joined {
    std::vector<ArrowArrayStream> parts;
    std::size_t at = 0;
  };
  Joined joined;
  for (const auto& table : {Table({categorical_column("c", {0, 1}, {"a", "b"})}),
                            Table({categorical_column("c", {0, 1}, {"c", "a"})})}) {
    export_stream(table, &joined.parts.emplace_back());
  }
  ArrowArrayStream stream{};
  stream.private_data = &joined;
  stream.get_schema = [](ArrowArrayStream* s, ArrowSchema* out) {
    auto& first = static_cast<Joined*>(s->private_data)->parts[0];
    return first.get_schema(&first, out);
  };
  stream.get_next = [](ArrowArrayStream* s, ArrowArray* out) {
    auto* self = static_cast<Joined*>(s->private_data);
    *out = ArrowArray{};
    while (self->at < self->parts.size()) {
      auto& part = self->parts[self->at];
      if (part.get_next(&part, out) != 0) return 1;
      if (out->release != nullptr) return 0;
      ++self->at;
    }
    return 0;
  };
  stream.release = [](ArrowArrayStream* s) {
    for (auto& part : static_cast<Joined*>(s->private_data)->parts) part.release(&part);
    s->release = nullptr;
  };
  const Table table = import_stream(&stream, "t");
  EXPECT_EQ(cells(table.column("c")), (Texts{"a", "b", "c", "a"}));
  EXPECT_EQ(codes(table.column("c")), (Codes{0, 1, 2, 0}));
}

TEST(ArrowStream, ItsOwnErrorIsTheMessage) {
  ArrowArrayStream stream{};
  stream.get_schema = [](ArrowArrayStream*, ArrowSchema*) { return 5; };
  stream.get_last_error = [](ArrowArrayStream*) { return "the disk is on fire"; };
  stream.release = [](ArrowArrayStream* s) { s->release = nullptr; };
  EXPECT_EQ(error_of([&] { import_stream(&stream, "t.arrow"); }),
            "t.arrow: the disk is on fire (GRD-2016)");
}

}  // namespace
}  // namespace gradatim::data
