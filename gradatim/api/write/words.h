// Words that several writers share.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/api/registry.h"

namespace gradatim::api::write {

/// Breaks at blanks so that no line is longer than `width`; every line begins with `indent`, the
/// first one with `first` instead where it is given. Ends with a line break.
std::string wrapped(std::string_view text, std::size_t width, std::string_view indent,
                    std::string_view first = {});
std::vector<std::string> words(std::string_view text);
std::string joined(std::span<const std::string> words, std::string_view separator);

/// "NewtonBoosting" of "newton_boosting".
std::string camel_case(std::string_view snake_case);
std::string_view first_segment(std::string_view name);
std::string_view last_segment(std::string_view name);
/// The name without its kind in front: "huber" of boost.loss.huber.
std::string short_name(const Entry& entry);
/// The short name of a part's default, or "auto".
std::string short_default(const Part& part);

/// "in (0, inf) [label]" or nothing.
std::string range_and_unit(const Setting& setting);
/// The GRD codes that a text of errors names.
std::vector<std::string> codes(std::string_view errors);
/// The first export of another kind with a part of this one, and that part; null where there is
/// none.
struct User {
  const Entry* entry = nullptr;
  const Part* part = nullptr;
};
User user_of(std::string_view kind, const Registry& registry);
/// True of a component that is no part of another: what one trains.
bool is_model(const Entry& entry, const Registry& registry);

/// Facts in Text.tags: the NAME of "python:NAME" ("" without), and the tasks among the tags.
std::string python_tag(const Entry& entry);
std::vector<std::string> tasks(const Entry& entry);
/// Whether it learns from arrays of samples, not from a table with a target.
bool learns_samples(const Entry& entry);
/// Whether it has latents: an encoder and a decoder.
bool is_latent(const Entry& entry);
/// Whether it is a flow with exact steps, whose architecture may be named without a keyword.
bool is_flow(const Entry& entry);
/// Whether samples become discrete codes, which a prior draws.
bool has_codes(const Entry& entry);
/// Of a model that learns from samples: whether it tells their labels, and makes none.
bool tells_labels(const Entry& entry);

}  // namespace gradatim::api::write
