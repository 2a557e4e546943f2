#pragma once
/// The words, durations and paths of a flow file, with a complaint at its place for each that is
/// none. Knows no section of the language: flow_read.cpp does, and the kinds in checks/.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/yaml.h"
#include "reconcile/flow.h"

namespace helios::reconcile {

using Names = std::vector<std::string_view>;

/// "a, b, c"
std::string listed(const Names& names);

/// One complaint per mistake goes to `errors`, which outlives it. What could not be read is
/// returned empty: a flow with complaints is never used.
class ValueReader {
public:
    using Node = yaml::Node;

    ValueReader(std::string_view file, std::vector<Error>& errors) : file_(file), errors_(errors) {}

    void complain(yaml::Mark mark, std::string what, std::string hint = {}) {
        errors_.push_back(yaml::error_at(file_, mark, std::move(what), std::move(hint)));
    }
    /// Also complains of each key that is not among `keys`.
    bool is_map(const Node& node, std::string_view what, const Names& keys);
    /// nullptr, with a complaint, if it is absent.
    const Node* required(const Node& map, std::string_view key, std::string_view example);
    std::string text(const Node& node, std::string_view what);
    std::string name(std::string_view word, yaml::Mark mark, std::string_view what);
    bool boolean(const Node& node, std::string_view what);
    Duration duration(const Node& node, std::string_view what);
    Duration duration_or_forever(const Node& node, std::string_view what);
    /// The elements of a list; a single value is a list of one.
    std::vector<const Node*> list(const Node& node, std::string_view what);
    std::vector<std::string> words(const Node& node, std::string_view what);
    /// One of `names`, or empty with a complaint.
    std::string choice(const Node& node, std::string_view what, const Names& names);

    /// each: the path must end in [] and is returned without it; else it must not walk a list.
    std::optional<model::Path> path(const Node& node, bool each);
    std::vector<model::Path> paths(const Node& node, std::string_view what);
    std::vector<OccurredSource> occurred(const Node& node);

private:
    std::string_view file_;
    std::vector<Error>& errors_;
};

}  // namespace helios::reconcile
