#include <algorithm>
#include <functional>

#include "base/assert.h"
#include "base/json.h"
#include "base/json_tree.h"

namespace helios::json {
namespace {

constexpr std::size_t few = 16;  ///< up to here comparing all with all is cheaper than sorting

template <class Keys>
bool any_equal(Keys key, std::size_t n) {
    if (n <= few) {
        for (std::size_t i = 1; i < n; ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                if (key(i) == key(j)) {
                    return true;
                }
            }
        }
        return false;
    }
    std::vector<std::string_view> sorted(n);
    for (std::size_t i = 0; i < n; ++i) {
        sorted[i] = key(i);
    }
    std::ranges::sort(sorted);
    return std::ranges::adjacent_find(sorted) != sorted.end();
}

/// The first member from number `from` on that has this name, or their count if none has.
std::size_t find_member(const Tree& tree, const Node& object, std::string_view name,
                        std::size_t from) {
    const Node* const nodes = tree.nodes.data();
    const std::uint32_t* const slots = tree.slots.data() + object.first;
    for (std::size_t i = from; i < object.size; ++i) {
        const Node& key = nodes[slots[i]];
        if (key.size != name.size()) {
            continue;
        }
        // Most of equal length differ in their first byte: they are worth no call.
        const auto characters = tree.characters(key);
        if (name.empty() || (characters.front() == name.front() && characters == name)) {
            return i;
        }
    }
    return object.size;
}

}  // namespace

Value Document::root() const {
    return Value(tree_.get(), 0);
}

Kind Value::kind() const {
    HELIOS_ASSERT(present(), "asked an absent JSON value for its kind");
    return tree_->kind(tree_->nodes[node_]);
}

std::string_view Value::raw() const {
    return present() ? tree_->raw(tree_->nodes[node_]) : std::string_view();
}

std::string_view Value::text() const {
    if (!present()) {
        return {};
    }
    const Node& node = tree_->nodes[node_];
    switch (tree_->kind(node)) {
        case Kind::object:
        case Kind::array:
            return {};
        case Kind::string:
            return tree_->characters(node);
        default:
            return tree_->flaws.empty() || tree_->flaw(node) == nullptr ? tree_->raw(node)
                                                                        : std::string_view();
    }
}

std::optional<Flaw> Value::flaw() const {
    const Node* node = present() ? &tree_->nodes[node_] : nullptr;
    const Flaw* found = node == nullptr || tree_->flaws.empty() ? nullptr : tree_->flaw(*node);
    return found == nullptr
               ? std::nullopt
               : std::optional(Flaw{found->kind, found->offset - node->begin, found->what});
}

std::size_t Value::size() const {
    if (!present()) {
        return 0;
    }
    const Node& node = tree_->nodes[node_];
    return is_container(tree_->kind(node)) ? node.size : 0;
}

Value Value::at(std::size_t index) const {
    if (!present()) {
        return {};
    }
    const Node& node = tree_->nodes[node_];
    const Kind kind = tree_->kind(node);
    if (!is_container(kind) || index >= node.size) {
        return {};
    }
    const std::uint32_t slot = tree_->slot(node, index);
    return Value(tree_, kind == Kind::object ? slot + 1 : slot);
}

std::string_view Value::key_at(std::size_t index) const {
    if (!present()) {
        return {};
    }
    const Node& node = tree_->nodes[node_];
    if (tree_->kind(node) != Kind::object || index >= node.size) {
        return {};
    }
    return tree_->key(node, index);
}

Value Value::find(std::string_view key) const {
    if (!present()) {
        return {};
    }
    const Node& node = tree_->nodes[node_];
    if (tree_->kind(node) != Kind::object) {
        return {};
    }
    const std::size_t found = find_member(*tree_, node, key, 0);
    return found == node.size ? Value() : Value(tree_, tree_->slot(node, found) + 1);
}

bool Value::has_duplicate(std::string_view key) const {
    if (!present()) {
        return false;
    }
    const Node& node = tree_->nodes[node_];
    if (tree_->kind(node) != Kind::object) {
        return false;
    }
    const std::size_t first = find_member(*tree_, node, key, 0);
    return first < node.size && find_member(*tree_, node, key, first + 1) < node.size;
}

bool Value::has_duplicate_keys() const {
    if (!is_object()) {
        return false;
    }
    const Node& node = tree_->nodes[node_];
    return any_equal([&](std::size_t i) { return tree_->key(node, i); }, node.size);
}

}  // namespace helios::json
