#include "base/yaml.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <set>
#include <sstream>
#include <utility>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "base/yaml_syntax.h"

namespace helios::yaml {
namespace {

// A person wrote this document; beyond these sizes he did not, and yaml-cpp's scanner need not find
// out.
constexpr std::size_t bytes_max = 1u << 20;
constexpr std::size_t nearest_bytes_max = 128;
constexpr std::size_t depth_max = 64;
constexpr std::size_t nodes_max = 100'000;

Mark to_mark(const YAML::Mark& m) {
    return {m.line + 1, m.column + 1};
}

/// A complaint; thrown where there is no going on, to leave yaml-cpp's parser. Never leaves this
/// file.
struct Refused {
    Mark mark;
    std::string what;
    std::string hint;
};

/// Builds the tree from the parser's events. Works on events, not on yaml-cpp's nodes, because
/// nodes have already lost what must be refused: aliases, tags and duplicate keys.
class TreeBuilder final : public YAML::EventHandler {
public:
    std::optional<Node> root;
    std::vector<Refused> refused;

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        refuse_anchor(mark, anchor);
        Node node;
        node.mark = to_mark(mark);
        put(std::move(node));
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        refuse({to_mark(mark), "an alias (*name) is not allowed here",
                "write the value out where it is used"});
        Node node;
        node.mark = to_mark(mark);
        put(std::move(node));
    }

    void OnAnchor(const YAML::Mark& mark, const std::string&) override { refuse_anchor(mark, 1); }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        refuse_anchor(mark, anchor);
        refuse_tag(mark, tag);
        Node node;
        node.kind = Node::Kind::scalar;
        node.mark = to_mark(mark);
        node.text = value;
        node.quoted = tag == "!";
        if (value.find('\0') != std::string::npos) {
            refuse({node.mark, "a NUL character in a text", "remove it"});
        }
        put(std::move(node));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, Node::Kind::sequence);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, Node::Kind::map);
    }
    void OnMapEnd() override { close(); }

private:
    struct Open {
        Node node;
        std::optional<Member> member;  ///< a map's key that waits for its value
        bool discard = false;          ///< the value of a key that was refused
    };

    void refuse(Refused complaint) {
        constexpr std::size_t complaints_max = 100;
        refused.push_back(std::move(complaint));
        if (refused.size() >= complaints_max) {
            throw Refused{refused.back().mark, "and more complaints of this kind",
                          "mend the first ones and look again"};
        }
    }
    void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
        const Mark at = to_mark(mark);
        const bool told = !refused.empty() && refused.back().mark.line == at.line &&
                          refused.back().mark.column == at.column;
        if (anchor != 0 && !told) {  // the parser says it twice, with the name and with the value
            refuse({at, "an anchor (&name) is not allowed here",
                    "write the value out where it is used"});
        }
    }
    void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
        if (!tag.empty() && tag != "?" && tag != "!") {
            refuse({to_mark(mark), "a tag (" + tag + ") is not allowed here",
                    "write the plain value; whoever reads it knows its type"});
        }
    }

    void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
              Node::Kind kind) {
        refuse_anchor(mark, anchor);
        refuse_tag(mark, tag);
        if (!stack_.empty() && stack_.back().node.is_map() && !stack_.back().member) {
            throw Refused{to_mark(mark), "a key must be plain text, not a list or a map",
                          "write  key: value"};
        }
        if (stack_.size() >= depth_max) {
            throw Refused{to_mark(mark),
                          "nested deeper than " + std::to_string(depth_max) + " levels",
                          "flatten the document"};
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
            throw Refused{node.mark, "more than " + std::to_string(nodes_max) + " values",
                          "split the document"};
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
            if (top.member->value.is_null()) {
                top.member->value.mark =
                    top.member->key_mark;  // the parser says where the next thing begins
            }
            if (!std::exchange(top.discard, false)) {
                top.node.members.push_back(std::move(*top.member));
            }
            top.member.reset();
        } else {
            open_member(top, std::move(node));
        }
    }

    void open_member(Open& map, Node key) {
        if (key.is_null()) {
            refuse({key.mark, "an empty key", "write  key: value"});
            map.discard = true;
        }
        for (const Member& other : map.node.members) {
            if (other.key == key.text && !key.is_null()) {
                refuse({key.mark,
                        "the key '" + key.text + "' occurs twice; first in line " +
                            std::to_string(other.key_mark.line),
                        "keep one of them"});
                map.discard = true;
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
    const std::size_t line_start =
        before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
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
                 std::string(file) + ":" + std::to_string(mark.line) + ":" +
                     std::to_string(mark.column) + ": " + std::move(what),
                 std::move(hint)};
}

namespace {

/// The tree, and what it refused into `out`. False: the grammar is broken, and the last complaint
/// is the parser's.
bool build(std::string_view text, Reading& out, std::vector<Refused>& refused) {
    TreeBuilder tree, second;
    const auto keep = [&] {
        refused.insert(refused.end(), tree.refused.begin(), tree.refused.end());
    };
    try {
        std::istringstream in{std::string(text)};
        YAML::Parser parser(in);
        parser.HandleNextDocument(tree);
        if (parser.HandleNextDocument(second)) {
            tree.refused.push_back({second.root ? second.root->mark : Mark{1, 1},
                                    "a second document in one file",
                                    "keep one document per file; remove the '---' between them"});
        }
        keep();
        Node empty;
        empty.mark = {1, 1};
        out.root = tree.root ? std::move(*tree.root) : std::move(empty);
        return true;
    } catch (const Refused& last) {
        keep();
        refused.push_back(last);
        return true;
    } catch (const YAML::Exception& e) {
        keep();
        refused.push_back({e.mark.is_null() ? Mark{1, 1} : to_mark(e.mark), "not YAML: " + e.msg,
                           "check indentation, quotes and colons near this place"});
    } catch (const std::exception& e) {
        keep();
        refused.push_back(
            {{1, 1}, std::string("not YAML: ") + e.what(), "check indentation, quotes and colons"});
    }
    return false;
}

/// Keys that the parser made of lines without a colon ("version 1" → null): taken out of the tree,
/// their lines told.
void take_colonless(Node& node, std::set<int>& lines) {
    std::erase_if(node.members, [&](const Member& member) {
        const bool no_value = member.value.is_null() && member.key.find(' ') != std::string::npos;
        const bool bracket = member.key.find(" {") != std::string::npos ||
                             member.key.find(" [") != std::string::npos;
        if (no_value || bracket) {
            lines.insert(member.key_mark.line);
        }
        return no_value || bracket;
    });
    for (Member& member : node.members) {
        take_colonless(member.value, lines);
    }
    for (Node& item : node.items) {
        take_colonless(item, lines);
    }
}

/// What is to be said of the syntax, instead of the parser's complaint or although it had none.
std::vector<SyntaxMistake> syntax_of(std::string_view text, bool grammatical, Reading& out) {
    auto mistakes = find_tabs(text);
    if (!grammatical) {
        return mistakes.empty() ? find_mistakes(text) : mistakes;
    }
    std::set<int> lines;
    if (out.root) {
        take_colonless(*out.root, lines);
    }
    if (!lines.empty()) {
        for (auto& mistake : find_mistakes(text)) {
            if (lines.erase(mistake.mark.line) != 0) {
                mistakes.push_back(std::move(mistake));
            }
        }
        for (const int line : lines) {
            mistakes.push_back({{line, 1}, "a line without a colon", "write  key: value"});
        }
    }
    return mistakes;
}

}  // namespace

Reading read(std::string_view text, std::string_view file) {
    Reading out;
    const auto complain = [&](Mark mark, std::string what, std::string hint) {
        out.errors.push_back(error_at(file, mark, std::move(what), std::move(hint)));
    };
    if (text.size() > bytes_max) {
        complain({1, 1}, "larger than " + std::to_string(bytes_max) + " bytes",
                 "is this the right file?");
        return out;
    }
    if (const std::size_t good = std::min(utf8::valid_prefix(text), text.find('\0'));
        good < text.size()) {
        complain(mark_of_offset(text, good), "not UTF-8 text", "save the file as UTF-8");
        return out;
    }
    std::vector<Refused> refused;
    const bool grammatical = build(text, out, refused);
    auto mistakes = syntax_of(text, grammatical, out);
    if (!grammatical && !mistakes.empty()) {
        refused.pop_back();  // we know better
    }
    for (auto& mistake : mistakes) {
        refused.push_back({mistake.mark, std::move(mistake.what), std::move(mistake.hint)});
    }
    std::stable_sort(refused.begin(), refused.end(), [](const Refused& a, const Refused& b) {
        return std::pair(a.mark.line, a.mark.column) < std::pair(b.mark.line, b.mark.column);
    });
    for (auto& each : refused) {
        complain(each.mark, std::move(each.what), std::move(each.hint));
    }
    return out;
}

Result<Node> parse(std::string_view text, std::string_view file) {
    auto reading = read(text, file);
    if (!reading.errors.empty()) {
        return fail(std::move(reading.errors.front()));
    }
    return std::move(*reading.root);
}

std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
    if (word.size() > nearest_bytes_max) {
        return {};
    }
    for (const auto candidate : candidates) {
        if (ascii::lower(candidate) == ascii::lower(word)) {
            return std::string(candidate);
        }
    }
    const auto letters = std::count_if(word.begin(), word.end(),
                                       [](char c) { return c != '-' && c != '_' && c != '.'; });
    return nearest(word, candidates,
                   std::max<std::size_t>(1, (static_cast<std::size_t>(letters) + 1) / 3));
}

std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates,
                    std::size_t distance_max) {
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
                const std::size_t substitute =
                    above[j - 1] + (word[i - 1] == candidate[j - 1] ? 0 : 1);
                row[j] = std::min({above[j] + 1, row[j - 1] + 1, substitute});
                if (i > 1 && j > 1 && word[i - 1] == candidate[j - 2] &&
                    word[i - 2] == candidate[j - 1]) {
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
