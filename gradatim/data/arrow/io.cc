// libgradatim_io: the only file that includes Arrow C++.
#include "gradatim/data/arrow/io.h"

#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <arrow/io/api.h>
#include <arrow/ipc/api.h>
#include <arrow/util/config.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using Reader = std::shared_ptr<arrow::RecordBatchReader>;

bool ends_with(std::string_view text, std::string_view ending) {
  return text.size() >= ending.size() && text.substr(text.size() - ending.size()) == ending;
}

// A Parquet reader owns the file; its batch reader must keep both.
class ParquetBatches : public arrow::RecordBatchReader {
 public:
  ParquetBatches(std::unique_ptr<parquet::arrow::FileReader> file, Reader batches)
      : file_(std::move(file)), batches_(std::move(batches)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return batches_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    return batches_->ReadNext(batch);
  }

 private:
  std::unique_ptr<parquet::arrow::FileReader> file_;
  Reader batches_;
};

using Input = std::shared_ptr<arrow::io::RandomAccessFile>;
using ParquetFile = std::unique_ptr<parquet::arrow::FileReader>;

arrow::Result<Input> map_file(const char* path) {
  return arrow::io::MemoryMappedFile::Open(path, arrow::io::FileMode::READ);
}

arrow::Result<ParquetFile> open_parquet_file(Input input) {
  parquet::ArrowReaderProperties properties;
  properties.set_use_threads(false);
  properties.set_batch_size(1 << 20);
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(std::move(input)));
  // Text columns keep the dictionaries of their pages, which is what a category wants.
  const auto* schema = builder.raw_reader()->metadata()->schema();
  for (int i = 0; i < schema->num_columns(); ++i) {
    const auto type = schema->Column(i)->physical_type();
    if (type == parquet::Type::BYTE_ARRAY) properties.set_read_dictionary(i, true);
  }
  ParquetFile file;
  ARROW_RETURN_NOT_OK(builder.properties(properties)->Build(&file));
  return file;
}

arrow::Result<Reader> open_parquet(Input input) {
  ARROW_ASSIGN_OR_RAISE(auto file, open_parquet_file(std::move(input)));
  ARROW_ASSIGN_OR_RAISE(auto batches, file->GetRecordBatchReader());
  return std::make_shared<ParquetBatches>(std::move(file), std::move(batches));
}

arrow::Status open_groups(const char* path, int first, int count, ArrowArrayStream* out) {
  ARROW_ASSIGN_OR_RAISE(auto input, map_file(path));
  ARROW_ASSIGN_OR_RAISE(auto file, open_parquet_file(std::move(input)));
  std::vector<int> groups(static_cast<std::size_t>(count));
  std::iota(groups.begin(), groups.end(), first);
  ARROW_ASSIGN_OR_RAISE(auto batches, file->GetRecordBatchReader(groups));
  return arrow::ExportRecordBatchReader(
      std::make_shared<ParquetBatches>(std::move(file), std::move(batches)), out);
}

arrow::Result<Reader> open_arrow(Input input) {
  ARROW_ASSIGN_OR_RAISE(auto magic, input->ReadAt(0, 6));
  if (std::string_view(reinterpret_cast<const char*>(magic->data()), magic->size()) != "ARROW1") {
    ARROW_ASSIGN_OR_RAISE(auto stream, arrow::ipc::RecordBatchStreamReader::Open(input.get()));
    ARROW_ASSIGN_OR_RAISE(auto table, stream->ToTable());
    return std::make_shared<arrow::TableBatchReader>(std::move(table));
  }
  ARROW_ASSIGN_OR_RAISE(auto file, arrow::ipc::RecordBatchFileReader::Open(input));
  ARROW_ASSIGN_OR_RAISE(auto table, file->ToTable());
  return std::make_shared<arrow::TableBatchReader>(std::move(table));
}

arrow::Status open(const std::string& path, ArrowArrayStream* out) {
  ARROW_ASSIGN_OR_RAISE(auto input, map_file(path.c_str()));
  ARROW_ASSIGN_OR_RAISE(auto reader,
                        ends_with(path, ".parquet") ? open_parquet(input) : open_arrow(input));
  return arrow::ExportRecordBatchReader(std::move(reader), out);
}

arrow::Result<std::shared_ptr<arrow::Buffer>> encode(std::string_view ending,
                                                     ArrowArrayStream* stream,
                                                     int64_t rows_a_group) {
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ImportRecordBatchReader(stream));
  ARROW_ASSIGN_OR_RAISE(auto table, reader->ToTable());
  ARROW_ASSIGN_OR_RAISE(auto output, arrow::io::BufferOutputStream::Create());
  if (ending == ".parquet") {
    const auto arrow_schema = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    ARROW_RETURN_NOT_OK(
        parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), output, rows_a_group,
                                   parquet::default_writer_properties(), arrow_schema));
  } else {
    ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeFileWriter(output, table->schema()));
    ARROW_RETURN_NOT_OK(writer->WriteTable(*table));
    ARROW_RETURN_NOT_OK(writer->Close());
  }
  return output->Finish();
}

// Arrow reports by Status, but Parquet's reader of metadata throws.
template <class F>
int one_line(char* error, std::size_t size, F f) {
  std::string why;
  try {
    const arrow::Status status = f();
    if (status.ok()) return 0;
    why = status.message();
  } catch (const std::exception& exception) {
    why = exception.what();
  }
  std::replace(why.begin(), why.end(), '\n', ' ');
  if (size > 0) {
    const std::size_t length = std::min(why.size(), size - 1);
    std::memcpy(error, why.data(), length);
    error[length] = '\0';
  }
  return 1;
}

}  // namespace

extern "C" {

int gradatim_io_read(const char* path, ArrowArrayStream* out, char* error, std::size_t size) {
  return one_line(error, size, [&] { return open(path, out); });
}

int gradatim_io_row_groups(const char* path, void (*sink)(void* context, int64_t rows),
                           void* context, char* error, std::size_t size) {
  return one_line(error, size, [&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(auto input, map_file(path));
    ARROW_ASSIGN_OR_RAISE(auto file, open_parquet_file(std::move(input)));
    const auto metadata = file->parquet_reader()->metadata();
    for (int g = 0; g < metadata->num_row_groups(); ++g) {
      sink(context, metadata->RowGroup(g)->num_rows());
    }
    return arrow::Status::OK();
  });
}

int gradatim_io_read_groups(const char* path, int first, int count, ArrowArrayStream* out,
                            char* error, std::size_t size) {
  return one_line(error, size, [&] { return open_groups(path, first, count, out); });
}

int gradatim_io_write(const char* ending, ArrowArrayStream* stream, int64_t rows_a_group,
                      void (*sink)(void* context, const char* bytes, std::size_t count),
                      void* context, char* error, std::size_t size) {
  return one_line(error, size, [&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(auto file, encode(ending, stream, rows_a_group));
    sink(context, reinterpret_cast<const char*>(file->data()),
         static_cast<std::size_t>(file->size()));
    return arrow::Status::OK();
  });
}

}  // extern "C"
