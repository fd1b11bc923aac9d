// What the readers of samples share: an array as samples, words as labels.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gradatim/data/samples.h"
#include "gradatim/data/samples/numpy_array.h"
#include "gradatim/data/table.h"

namespace gradatim::data {

/// The array [n, ...] as n samples, by the rules of docs/data.md. GRD-2072 for a shape that no rule
/// covers, GRD-2073 for elements that are no numbers, GRD-2076 where one is not finite.
Samples samples_of(const NumpyArray& array);

/// One label a sample, as it is written. `name` stands for the labels in messages. GRD-2074 where
/// there are more or fewer than samples, GRD-2075 for an empty label.
void set_labels(Samples& samples, const std::vector<std::string>& words, const std::string& name);

/// The labels of an array [n] or [n, 1]. GRD-2074, GRD-2075.
void set_labels(Samples& samples, const NumpyArray& array);

/// Whether all classes are whole numbers, as numpy.int64 holds them.
bool classes_are_integers(const std::vector<std::string>& classes);

/// Each format, of bytes in memory; `name` stands for the file in messages.
Samples parse_npz(std::string_view bytes, const std::string& name, const std::string& label);
Samples parse_npy(std::string_view bytes, const std::string& name);
Samples parse_idx(std::string_view bytes, const std::string& name);

/// Each source as read_samples takes it.
Samples read_npz(const std::string& path, const SamplesOptions& options);
Samples read_npy_samples(const std::string& path, const SamplesOptions& options);
Samples read_idx(const std::string& path, const SamplesOptions& options);
Samples read_image(const std::string& path, const SamplesOptions& options);
Samples read_image_folder(const std::string& folder, const SamplesOptions& options);
Samples read_table_samples(const std::string& source, const SamplesOptions& options);

/// Whether a name ends as PNG and JPEG files do.
bool is_image_name(const std::string& path);
/// Whether a folder or one below it holds an image.
bool holds_images(const std::string& folder);

/// One row a sample, and the column `label` where there are labels.
Table table_of(const Samples& samples);
/// The bytes of whole files.
std::string npz_of(const Samples& samples);
std::string npy_of(const Samples& samples);

}  // namespace gradatim::data
