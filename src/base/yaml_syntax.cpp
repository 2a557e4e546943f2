#include "base/yaml_syntax.h"

#include <algorithm>
#include <optional>
#include <string>

namespace helios::yaml {
namespace {

constexpr std::size_t mistakes_max = 50;

struct Opened {
    char what = 0;  ///< '[', '{', '"' or '\''
    Mark mark;
};

/// One line that says something of the document's structure: not empty, no comment, not inside a
/// text or brackets.
struct Line {
    int number = 0;
    int indent = 0;                    ///< columns of blanks before it, a tab being one
    std::optional<int> tab;            ///< column of a tab among them, 1-based
    std::string_view content;          ///< without indentation and comment
    std::optional<std::size_t> colon;  ///< in content, of "key:" outside quotes and brackets
    bool item = false;                 ///< "- …"
    bool opens_text = false;           ///< ends in | or >
};

/// Splits a document into its structural lines, and follows brackets and quotes through it.
class LineReader {
public:
    explicit LineReader(std::string_view text) {
        for (int number = 1; !text.empty() && lines_.size() < 100'000; ++number) {
            const auto end = std::min(text.find('\n'), text.size());
            auto line = text.substr(0, end);
            text.remove_prefix(std::min(end + 1, text.size()));
            if (line.ends_with('\r')) {
                line.remove_suffix(1);
            }
            if (number == 1 && line.starts_with("\xef\xbb\xbf")) {
                line.remove_prefix(3);
            }
            take(line, number);
        }
    }

    const std::vector<Line>& lines() const { return lines_; }
    const std::vector<Opened>& open() const { return open_; }
    std::vector<SyntaxMistake>& mistakes() { return mistakes_; }

private:
    void take(std::string_view line, int number) {
        const auto first = line.find_first_not_of(" \t");
        if (first == std::string_view::npos) {
            return;
        }
        const int indent = static_cast<int>(first);
        if (text_below_ && indent > *text_below_) {
            return;  // inside a | or > text
        }
        text_below_.reset();
        if (line[first] == '#' && open_.empty()) {
            return;
        }
        const bool structural = open_.empty();
        Line read;
        read.number = number;
        read.indent = indent;
        if (const auto tab = line.find('\t'); tab < first) {
            read.tab = static_cast<int>(tab) + 1;
        }
        const std::size_t end = follow(line, first, read);
        read.content = line.substr(first, end - first);
        read.content.remove_suffix(read.content.size() - 1 - read.content.find_last_not_of(" \t"));
        if (structural) {
            if (read.opens_text) {
                text_below_ = indent;
            }
            lines_.push_back(read);
        }
    }

    /// Through the line from `at` on; where its comment begins.
    std::size_t follow(std::string_view line, std::size_t at, Line& read) {
        const std::size_t first = at;
        bool token_begins =
            true;  // a quote or bracket here opens something; within a plain word it is a letter
        read.item =
            open_.empty() && line[at] == '-' && (at + 1 == line.size() || line[at + 1] == ' ');
        for (; at < line.size(); ++at) {
            const char c = line[at];
            const char next = at + 1 < line.size() ? line[at + 1] : ' ';
            if (!open_.empty() && (open_.back().what == '"' || open_.back().what == '\'')) {
                at += in_quotes(c, next) ? 1 : 0;
                token_begins = false;
            } else if (c == '#' && (at == 0 || line[at - 1] == ' ' || line[at - 1] == '\t')) {
                return at;
            } else if (c == ' ' || c == '\t') {
                continue;
            } else if ((c == '"' || c == '\'' || c == '[' || c == '{') &&
                       (token_begins || is_value_without_colon(line, first, at, read))) {
                open_.push_back({c, {read.number, static_cast<int>(at) + 1}});
                token_begins = c == '[' || c == '{';
            } else if ((c == ']' || c == '}') && !open_.empty()) {
                close(c, {read.number, static_cast<int>(at) + 1});
                token_begins = false;
            } else if (c == '[' && !open_.empty() && next == ']') {
                mistakes_.push_back({{read.number, static_cast<int>(at) + 1},
                                     "'[]' within brackets",
                                     "put the path into quotes, for example  \"items[]\""});
                ++at;
            } else if (c == ',' && !open_.empty()) {
                token_begins = true;
            } else if (c == ':' && (next == ' ' || next == '\t')) {
                if (open_.empty() && !read.colon) {
                    read.colon = at - first;
                }
                token_begins = true;
            } else if ((c == '|' || c == '>') && token_begins && open_.empty()) {
                read.opens_text = true;
                token_begins = false;
            } else {
                token_begins = token_begins && c == '-' && next == ' ';
            }
        }
        return line.size();
    }

    /// "key {a: 1}": what stands behind the blank was meant to be its value.
    bool is_value_without_colon(std::string_view line, std::size_t first, std::size_t at,
                                const Line& read) const {
        const auto word = line.substr(first, at - first);
        return open_.empty() && !read.colon && !read.item &&
               word.find_first_of(" \t") == word.find_last_not_of(" \t") + 1;
    }

    /// One character of a quoted text; true: the next belongs to it.
    bool in_quotes(char c, char next) {
        const char quote = open_.back().what;
        if ((quote == '"' && c == '\\') || (quote == '\'' && c == '\'' && next == '\'')) {
            return true;
        }
        if (c == quote) {
            open_.pop_back();
        }
        return false;
    }

    void close(char c, Mark mark) {
        const char expected = open_.back().what == '[' ? ']' : '}';
        if (c != expected) {
            mistakes_.push_back({mark,
                                 std::string("'") + c + "' where '" + expected + "' is needed",
                                 std::string("the '") + open_.back().what + "' stands in line " +
                                     std::to_string(open_.back().mark.line)});
        }
        open_.pop_back();
        if (c != expected && !open_.empty() && (open_.back().what == '[' ? ']' : '}') == c) {
            open_.pop_back();  // the inner one was forgotten
        }
    }

    std::vector<Line> lines_;
    std::vector<Opened> open_;
    std::vector<SyntaxMistake> mistakes_;
    std::optional<int> text_below_;
};

std::string first_word(std::string_view content) {
    return std::string(
        content.substr(0, std::min(content.find_first_of(" \t:{[\"'"), std::size_t{64})));
}

bool is_marker(const Line& line) {
    return line.content.starts_with("---") || line.content.starts_with("...") ||
           line.content.starts_with('%');
}

bool has_value(const Line& line) {
    return line.colon && *line.colon + 1 < line.content.size() && !line.opens_text;
}

/// The line should have been "key: …" and has no colon that makes it so.
std::optional<SyntaxMistake> missing_colon(const std::vector<Line>& lines, std::size_t i) {
    const Line& line = lines[i];
    if (line.colon || line.item || is_marker(line) || line.content.front() == '"' ||
        line.content.front() == '[' || line.content.front() == '{') {
        return std::nullopt;
    }
    const Line* before = i > 0 ? &lines[i - 1] : nullptr;
    const Line* after = i + 1 < lines.size() ? &lines[i + 1] : nullptr;
    // A text on lines of its own: below "key:" or "key: begin", and nothing hangs from it.
    const bool hangs =
        before != nullptr && line.indent > before->indent && (before->colon || before->item);
    const bool carries = after != nullptr && after->indent > line.indent;
    const bool among_keys = after != nullptr && after->indent == line.indent && after->colon &&
                            !(before != nullptr && has_value(*before) && hangs);
    if (hangs && !carries && !among_keys) {
        return std::nullopt;
    }
    if (before != nullptr && !before->colon && !before->item && before->indent == line.indent &&
        !carries && !among_keys) {
        return std::nullopt;  // a text that goes on
    }
    const auto word = first_word(line.content);
    const int column = line.indent + static_cast<int>(word.size()) + 1;
    if (line.content.substr(word.size()).starts_with(':')) {
        return SyntaxMistake{{line.number, column + 1},
                             "no blank after '" + word + ":'",
                             "write  " + word + ": value"};
    }
    return SyntaxMistake{{line.number, column},
                         "a ':' is missing after '" + word + "'",
                         "write  " + word + ": value"};
}

/// Indentation that belongs to nothing above.
void find_indentation(const std::vector<Line>& lines, std::vector<SyntaxMistake>& out) {
    std::vector<int> levels;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const Line& line = lines[i];
        const Line* before = i > 0 ? &lines[i - 1] : nullptr;
        if (is_marker(line)) {
            levels.clear();
            continue;
        }
        if (levels.empty() || line.indent > levels.back()) {
            if (before != nullptr && line.colon && has_value(*before) && !before->item) {
                out.push_back({{line.number, line.indent + 1},
                               "indented below '" + first_word(before->content) +
                                   "', which has a value already",
                               "align it with line " + std::to_string(before->number) +
                                   ", or remove that value"});
            }
            levels.push_back(line.indent);
            continue;
        }
        while (line.indent < levels.back() && levels.size() > 1) {
            const int above = levels.back();
            levels.pop_back();
            if (line.indent > levels.back()) {
                out.push_back({{line.number, line.indent + 1},
                               "indented by " + std::to_string(line.indent) +
                                   ", while the lines above are by " +
                                   std::to_string(levels.back()) + " and " + std::to_string(above),
                               "align it with one of them"});
                levels.push_back(line.indent);
                break;
            }
        }
        if (line.item && before != nullptr && line.indent > 0) {
            levels.back() = line.indent;
        }
    }
}

void sort_and_limit(std::vector<SyntaxMistake>& mistakes) {
    std::stable_sort(mistakes.begin(), mistakes.end(), [](const auto& a, const auto& b) {
        return std::pair(a.mark.line, a.mark.column) < std::pair(b.mark.line, b.mark.column);
    });
    if (mistakes.size() > mistakes_max) {
        mistakes.resize(mistakes_max);
    }
}

}  // namespace

std::vector<SyntaxMistake> find_tabs(std::string_view text) {
    std::vector<SyntaxMistake> out;
    const LineReader reader(text);
    for (const Line& line : reader.lines()) {
        if (line.tab) {
            out.push_back({{line.number, *line.tab},
                           "a tab in the indentation",
                           "YAML wants spaces: write two for each level"});
        }
    }
    sort_and_limit(out);
    return out;
}

std::vector<SyntaxMistake> find_mistakes(std::string_view text) {
    LineReader reader(text);
    auto out = std::move(reader.mistakes());
    for (const Opened& opened : reader.open()) {
        const bool quote = opened.what == '"' || opened.what == '\'';
        out.push_back({opened.mark,
                       std::string(quote ? "a quotation mark (" : "'") + opened.what +
                           (quote ? ")" : "'") + " is never closed",
                       std::string("add the ") + (opened.what == '['   ? "']'"
                                                  : opened.what == '{' ? "'}'"
                                                                       : "other one")});
    }
    for (std::size_t i = 0; i < reader.lines().size(); ++i) {
        if (auto found = missing_colon(reader.lines(), i)) {
            out.push_back(std::move(*found));
        }
    }
    if (out.empty()) {  // what stands after a broken line is indented against nothing
        find_indentation(reader.lines(), out);
    }
    sort_and_limit(out);
    return out;
}

}  // namespace helios::yaml
