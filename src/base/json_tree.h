#pragma once
/// A parsed document as json.cpp builds it and json_value.cpp reads it. Private to the two.

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace helios::json {

/// One value or key, in document order. The kind is not stored: the first byte tells it.
struct Node {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    /// Containers: where their slots start in `slots`. Strings with escapes: where their characters
    /// start in `unescaped`.
    std::uint32_t first = 0;
    /// Containers: elements or members. Strings: length of the unescaped characters.
    std::uint32_t size = 0;
};

inline constexpr std::array<Kind, 256> kind_of_first_byte = [] {
    std::array<Kind, 256> table{};
    table.fill(Kind::number);
    table['{'] = Kind::object;
    table['['] = Kind::array;
    table['"'] = Kind::string;
    table['t'] = table['f'] = Kind::boolean;
    table['n'] = Kind::null;
    return table;
}();

constexpr bool is_container(Kind kind) {
    return kind == Kind::array || kind == Kind::object;
}

struct Tree {
    std::unique_ptr<char[]> bytes;  ///< the document, then `padding` NULs
    std::vector<Node> nodes;        ///< the root first; a member's value follows its key
    /// Children of each container side by side: node of every element, or of every member's key.
    std::vector<std::uint32_t> slots;
    std::string unescaped;
    std::vector<Flaw> flaws;  ///< by offset in the document; of a string or token at most one

    std::string_view raw(const Node& n) const { return {bytes.get() + n.begin, n.end - n.begin}; }
    std::string_view characters(const Node& n) const {
        // A flawed string has bytes and no characters.
        const bool escaped =
            n.size != n.end - n.begin - 2;  // every escape is longer than what it stands for
        return escaped ? std::string_view(unescaped).substr(n.first, n.size)
                       : std::string_view(bytes.get() + n.begin + 1, n.size);
    }
    const Flaw* flaw(const Node& n) const {
        const auto found = std::ranges::lower_bound(flaws, n.begin, {}, &Flaw::offset);
        return found == flaws.end() || found->offset >= n.end ? nullptr : &*found;
    }
    Kind kind(const Node& n) const {
        return kind_of_first_byte[static_cast<unsigned char>(bytes[n.begin])];
    }
    std::uint32_t slot(const Node& container, std::size_t i) const {
        return slots[container.first + i];
    }
    std::string_view key(const Node& object, std::size_t i) const {
        return characters(nodes[slot(object, i)]);
    }
};

}  // namespace helios::json
