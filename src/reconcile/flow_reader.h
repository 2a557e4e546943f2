#pragma once
/// From the YAML tree to a Flow, with a complaint at its place for everything that is not the
/// language. Private to read_flow(): flow_read.cpp reads the sections, flow_read_values.cpp the
/// words, durations and paths in them.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/yaml.h"
#include "reconcile/flow.h"

namespace helios::reconcile {

using Names = std::vector<std::string_view>;

/// One complaint per mistake goes to `errors`, which outlives it. For one read().
class FlowReader {
public:
    FlowReader(std::string_view file, std::vector<Error>& errors) : file_(file), errors_(errors) {}

    Flow read(const yaml::Node& root);

private:
    using Node = yaml::Node;

    // Complaints and plain values.
    void complain(yaml::Mark mark, std::string what, std::string hint = {}) {
        errors_.push_back(yaml::error_at(file_, mark, std::move(what), std::move(hint)));
    }
    bool is_map(const Node& node, std::string_view what, const Names& keys);
    const Node* required(const Node& map, std::string_view key, std::string_view example);
    std::string text(const Node& node, std::string_view what);
    std::string name(std::string_view word, yaml::Mark mark, std::string_view what);
    bool boolean(const Node& node, std::string_view what);
    Duration duration(const Node& node, std::string_view what);
    Duration duration_or_forever(const Node& node, std::string_view what);
    std::vector<const Node*> list(const Node& node, std::string_view what);
    std::vector<std::string> words(const Node& node, std::string_view what);
    std::string choice(const Node& node, std::string_view what, const Names& names);

    // Paths.
    /// each: the path must end in [] and is returned without it; else it must not walk a list.
    std::optional<model::Path> path(const Node& node, bool each);
    std::vector<model::Path> paths(const Node& node, std::string_view what);
    std::vector<OccurredSource> occurred(const Node& node);

    // Sections.
    void key(const Node& root);
    void legs(const Node& root);
    Leg leg(const std::string& leg_name, const Node& node);
    Identity identity(const Node& node);
    StatusRule status(const Node& node);
    void reads(Leg& leg, const Node& node);
    Read read_one(const std::string& read_name, const Node& node);
    std::optional<ReadSource> read_source(const Node& node, Read::Type type);
    void link_currencies(Leg& leg, const Node& node);
    std::size_t events_max(const Node& node);
    void revises(Leg& leg, const Node& node);
    void checks(const Node& root);
    Check check(const std::string& check_name, const Node& node);
    std::optional<ReadRef> reference(const Node& node, std::optional<Read::Type> type);
    const Read* find_read(std::string_view word) const;
    void compared(Check& check, const Node& node, std::optional<Read::Type> type);
    void skew(Check& check, const Node& node);
    std::string leg_hint(std::string_view word) const;
    void anchor(const Node& root);

    std::string_view file_;
    std::vector<Error>& errors_;
    Flow flow_;
    std::vector<model::Path> key_paths_;
    std::vector<OccurredSource> occurred_;
};

}  // namespace helios::reconcile
