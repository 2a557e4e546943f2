#pragma once
/// Strict YAML for documents people write by hand: flows, the catalogue, configuration.
///
/// Scalars are text; whoever reads them knows the type ("no" is not false, 0012 is not 10).
/// Aliases, anchors, tags, duplicate keys, several documents and non-scalar keys are errors. Every
/// node knows its place, so that every complaint can name one.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace helios::yaml {

struct Mark {
    int line = 0;    ///< 1-based
    int column = 0;  ///< 1-based
};

struct Member;

struct Node {
    enum class Kind : unsigned char { null, scalar, sequence, map } kind = Kind::null;
    Mark mark;
    std::string text;             ///< scalar: as written, quotes and escapes resolved; null: empty
    bool quoted = false;          ///< the scalar was quoted
    std::vector<Node> items;      ///< sequence
    std::vector<Member> members;  ///< map, in file order

    bool is_scalar() const { return kind == Kind::scalar; }
    bool is_sequence() const { return kind == Kind::sequence; }
    bool is_map() const { return kind == Kind::map; }
    bool is_null() const { return kind == Kind::null; }
    const Node* find(std::string_view key) const;  ///< nullptr if absent or not a map
};

struct Member {
    std::string key;
    Mark key_mark;
    Node value;
};

/// invalid: "file:line:column: what", hint says what to do. An empty document is a null node.
Result<Node> parse(std::string_view text, std::string_view file);

/// Every complaint at once, in order of places. Where the grammar holds there is a tree beside
/// them, so that its reader can add more: what was refused is left out of it.
struct Reading {
    std::optional<Node> root;
    std::vector<Error> errors;
};
Reading read(std::string_view text, std::string_view file);

/// "file:line:column: what" with hint, of kind invalid.
Error error_at(std::string_view file, Mark mark, std::string what, std::string hint = {});

/// The candidate nearest to `word` by edit distance, or empty: for "unknown key; did you mean …".
/// Near is a mistake in three letters, at least one; a swap of neighbours is one, case none.
std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates);
/// The same with another bound.
std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates,
                    std::size_t distance_max);

}  // namespace helios::yaml
