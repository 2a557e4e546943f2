#include "base/yaml.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <sstream>
#include <utility>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "base/utf8.h"

namespace helios::yaml {
namespace {

// A person wrote this document; beyond these sizes he did not, and yaml-cpp's scanner need not find out.
constexpr std::size_t bytes_max = 1u << 20;
constexpr std::size_t depth_max = 64;
constexpr std::size_t nodes_max = 100'000;

Mark to_mark(const YAML::Mark& m) {
    return {m.line + 1, m.column + 1};
}

/// What the handler throws to leave yaml-cpp's parser; never leaves this file.
struct Refused {
    Mark mark;
    std::string what;
    std::string hint;
};

/// Builds the tree from the parser's events. Works on events, not on yaml-cpp's nodes, because nodes have already lost
/// what must be refused: aliases, tags and duplicate keys.
class TreeBuilder final : public YAML::EventHandler {
public:
    std::optional<Node> root;

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        refuse_anchor(mark, anchor);
        Node node;
        node.mark = to_mark(mark);
        put(std::move(node));
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        throw Refused{to_mark(mark), "an alias (*name) is not allowed here", "write the value out where it is used"};
    }

    void OnAnchor(const YAML::Mark& mark, const std::string&) override { refuse_anchor(mark, 1); }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
        refuse_anchor(mark, anchor);
        refuse_tag(mark, tag);
        Node node;
        node.kind = Node::Kind::scalar;
        node.mark = to_mark(mark);
        node.text = value;
        node.quoted = tag == "!";
        if (value.find('\0') != std::string::npos) {
            throw Refused{node.mark, "a NUL character in a text", "remove it"};
        }
        put(std::move(node));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, Node::Kind::sequence);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, Node::Kind::map);
    }
    void OnMapEnd() override { close(); }

private:
    struct Open {
        Node node;
        std::optional<Member> member;  ///< a map's key that waits for its value
    };

    static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (anchor != 0) {
            throw Refused{to_mark(mark), "an anchor (&name) is not allowed here", "write the value out where it is used"};
        }
    }
    static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
        if (!tag.empty() && tag != "?" && tag != "!") {
            throw Refused{to_mark(mark), "a tag (" + tag + ") is not allowed here",
                          "write the plain value; whoever reads it knows its type"};
        }
    }

    void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Kind kind) {
        refuse_anchor(mark, anchor);
        refuse_tag(mark, tag);
        if (!stack_.empty() && stack_.back().node.is_map() && !stack_.back().member) {
            throw Refused{to_mark(mark), "a key must be plain text, not a list or a map", "write  key: value"};
        }
        if (stack_.size() >= depth_max) {
            throw Refused{to_mark(mark), "nested deeper than " + std::to_string(depth_max) + " levels", "flatten the document"};
        }
        Open level;
        level.node.kind = kind;
        level.node.mark = to_mark(mark);
        stack_.push_back(std::move(level));
    }

    void close() {
        Node node = std::move(stack_.back().node);
        stack_.pop_back();
        put(std::move(node));
    }

    void put(Node node) {
        if (++nodes_ > nodes_max) {
            throw Refused{node.mark, "more than " + std::to_string(nodes_max) + " values", "split the document"};
        }
        if (stack_.empty()) {
            root = std::move(node);
            return;
        }
        Open& top = stack_.back();
        if (top.node.is_sequence()) {
            top.node.items.push_back(std::move(node));
        } else if (top.member) {
            top.member->value = std::move(node);
            top.node.members.push_back(std::move(*top.member));
            top.member.reset();
        } else {
            open_member(top, std::move(node));
        }
    }

    static void open_member(Open& map, Node key) {
        if (key.is_null()) {
            throw Refused{key.mark, "an empty key", "write  key: value"};
        }
        for (const Member& other : map.node.members) {
            if (other.key == key.text) {
                throw Refused{key.mark,
                              "the key '" + key.text + "' occurs twice; first in line " + std::to_string(other.key_mark.line),
                              "keep one of them"};
            }
        }
        map.member = Member{std::move(key.text), key.mark, {}};
    }

    std::vector<Open> stack_;
    std::size_t nodes_ = 0;
};

Mark mark_of_offset(std::string_view text, std::size_t offset) {
    const std::string_view before = text.substr(0, offset);
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    return {static_cast<int>(lines) + 1, static_cast<int>(offset - line_start) + 1};
}

}  // namespace

const Node* Node::find(std::string_view key) const {
    for (const Member& m : members) {
        if (m.key == key) {
            return &m.value;
        }
    }
    return nullptr;
}

Error error_at(std::string_view file, Mark mark, std::string what, std::string hint) {
    return Error{ErrorKind::invalid,
                 std::string(file) + ":" + std::to_string(mark.line) + ":" + std::to_string(mark.column) + ": " + std::move(what),
                 std::move(hint)};
}

Result<Node> parse(std::string_view text, std::string_view file) {
    if (text.size() > bytes_max) {
        return fail(error_at(file, {1, 1}, "larger than " + std::to_string(bytes_max) + " bytes", "is this the right file?"));
    }
    if (const std::size_t good = std::min(utf8::valid_prefix(text), text.find('\0')); good < text.size()) {
        return fail(error_at(file, mark_of_offset(text, good), "not UTF-8 text", "save the file as UTF-8"));
    }
    try {
        std::istringstream in{std::string(text)};
        YAML::Parser parser(in);
        TreeBuilder tree;
        parser.HandleNextDocument(tree);
        TreeBuilder second;
        if (parser.HandleNextDocument(second)) {
            const Mark mark = second.root ? second.root->mark : Mark{1, 1};
            return fail(error_at(file, mark, "a second document in one file",
                                 "keep one document per file; remove the '---' between them"));
        }
        if (!tree.root) {
            Node empty;
            empty.mark = {1, 1};
            return empty;
        }
        return std::move(*tree.root);
    } catch (const Refused& refused) {
        return fail(error_at(file, refused.mark, refused.what, refused.hint));
    } catch (const YAML::Exception& e) {
        const Mark mark = e.mark.is_null() ? Mark{1, 1} : to_mark(e.mark);
        return fail(error_at(file, mark, "not YAML: " + e.msg, "check indentation, quotes and colons near this place"));
    } catch (const std::exception& e) {
        return fail(error_at(file, {1, 1}, std::string("not YAML: ") + e.what(), "check indentation, quotes and colons"));
    }
}

std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
    const auto letters = std::count_if(word.begin(), word.end(), [](char c) { return c != '-' && c != '_' && c != '.'; });
    return nearest(word, candidates, std::max<std::size_t>(1, (static_cast<std::size_t>(letters) + 1) / 3));
}

std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates, std::size_t distance_max) {
    std::string_view best;
    std::size_t best_distance = distance_max + 1;
    for (const std::string_view candidate : candidates) {
        std::vector<std::size_t> row(candidate.size() + 1);
        for (std::size_t j = 0; j < row.size(); ++j) {
            row[j] = j;
        }
        std::vector<std::size_t> above(row.size());
        std::vector<std::size_t> two_above(row.size());
        for (std::size_t i = 1; i <= word.size(); ++i) {
            two_above.swap(above);
            above = row;
            row[0] = i;
            for (std::size_t j = 1; j < row.size(); ++j) {
                const std::size_t substitute = above[j - 1] + (word[i - 1] == candidate[j - 1] ? 0 : 1);
                row[j] = std::min({above[j] + 1, row[j - 1] + 1, substitute});
                if (i > 1 && j > 1 && word[i - 1] == candidate[j - 2] && word[i - 2] == candidate[j - 1]) {
                    row[j] = std::min(row[j], two_above[j - 2] + 1);
                }
            }
        }
        if (row.back() < best_distance) {
            best_distance = row.back();
            best = candidate;
        }
    }
    return std::string(best);
}

}  // namespace helios::yaml
