#include "base/terminal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/utf8.h"

namespace helios {
namespace {

std::string_view code_of(Tint tint) {
    switch (tint) {
        case Tint::plain:
            return "";
        case Tint::bold:
            return "1";
        case Tint::dim:
            return "2";
        case Tint::red:
            return "31";
        case Tint::green:
            return "32";
        case Tint::yellow:
            return "33";
        case Tint::cyan:
            return "36";
    }
    return "";
}

std::string repeat(std::string_view piece, std::size_t times) {
    std::string text;
    for (std::size_t i = 0; i < times; ++i) {
        text += piece;
    }
    return text;
}

std::string padded(std::string_view text, std::size_t width, bool left) {
    std::string pad(width - std::min(width, columns_of(text)), ' ');
    return left ? std::string(text) + pad : pad + std::string(text);
}

struct Range {
    char32_t first;
    char32_t last;
};
// Unicode's East Asian Width W and F, and emoji that terminals draw two columns wide; combining
// marks and format characters.
constexpr std::array wide{
    Range{0x1100, 0x115F},   Range{0x2E80, 0x303E},   Range{0x3041, 0x33FF},
    Range{0x3400, 0x4DBF},   Range{0x4E00, 0xA4CF},   Range{0xA960, 0xA97C},
    Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},   Range{0xFE30, 0xFE6F},
    Range{0xFF00, 0xFF60},   Range{0xFFE0, 0xFFE6},   Range{0x1F300, 0x1F64F},
    Range{0x1F680, 0x1F6FF}, Range{0x1F900, 0x1F9FF}, Range{0x20000, 0x3FFFD}};
constexpr std::array no_width{Range{0x0300, 0x036F}, Range{0x0483, 0x0489}, Range{0x0591, 0x05BD},
                              Range{0x064B, 0x065F}, Range{0x0E31, 0x0E31}, Range{0x0E34, 0x0E3A},
                              Range{0x200B, 0x200F}, Range{0x2060, 0x2064}, Range{0x20D0, 0x20FF},
                              Range{0xFE00, 0xFE0F}, Range{0xFEFF, 0xFEFF}};

template <std::size_t n>
bool among(const std::array<Range, n>& ranges, char32_t c) {
    return std::any_of(ranges.begin(), ranges.end(),
                       [c](const Range& range) { return range.first <= c && c <= range.last; });
}

/// What stands at the beginning of a text: a character with what it takes, or a colour code, which
/// takes nothing.
struct Piece {
    std::size_t bytes = 1;
    std::size_t columns = 1;
};

Piece first_piece(std::string_view text) {
    const auto first = static_cast<unsigned char>(text.front());
    if (first == 0x1b) {
        const auto end = text.find('m');
        return {end == std::string_view::npos ? text.size() : end + 1, 0};
    }
    const std::size_t bytes = first < 0x80 ? 1 : utf8::sequence_length(text);
    if (bytes <= 1) {
        return {};  // ASCII, or a byte that is no text: terminals show a mark for it
    }
    char32_t c = first & (0x7Fu >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
        c = c << 6 | (static_cast<unsigned char>(text[i]) & 0x3Fu);
    }
    return {bytes, among(no_width, c) ? 0u : among(wide, c) ? 2u : 1u};
}

/// Bytes at the beginning of `text` that take at most `columns`; at least one character, so that
/// work goes on.
std::size_t prefix_within(std::string_view text, std::size_t columns) {
    std::size_t bytes = 0;
    for (std::size_t taken = 0; bytes < text.size();) {
        const auto piece = first_piece(text.substr(bytes));
        if (taken + piece.columns > columns && taken > 0) {
            break;
        }
        taken += piece.columns;
        bytes += piece.bytes;
    }
    return bytes;
}

std::size_t longest_word(std::string_view text) {
    std::size_t most = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        most = std::max(most, columns_of(text.substr(0, end)));
        text.remove_prefix(std::min(text.size(), end + 1));
    }
    return most;
}

std::size_t sum_of(const std::vector<std::size_t>& widths) {
    std::size_t sum = 0;
    for (const auto width : widths) {
        sum += width;
    }
    return sum;
}

// "  │ a │ b │": two blanks, and for each column its bar and blanks, and a bar.
std::size_t box_columns(const std::vector<std::size_t>& widths) {
    return 2 + sum_of(widths) + 3 * widths.size() + 1;
}

constexpr std::pair<std::string_view, char> drawings[] = {
    {"─", '-'}, {"━", '-'}, {"│", '|'},  {"┃", '|'}, {"┌", '+'}, {"┐", '+'}, {"└", '+'}, {"┘", '+'},
    {"├", '+'}, {"┤", '+'}, {"┬", '+'},  {"┴", '+'}, {"┼", '+'}, {"█", '#'}, {"░", '.'}, {"✓", '+'},
    {"✗", 'x'}, {"…", '~'}, {"·", '-'},  {"•", '*'}, {"→", '>'}, {"←", '<'}, {"–", '-'}, {"—", '-'},
    {"≤", '<'}, {"≥", '>'}, {"±", '~'},  {"×", 'x'}, {"≠", '#'}, {"−", '-'}, {"▲", '^'}, {"▼", 'v'},
    {"●", '*'}, {"○", 'o'}, {"’", '\''}, {"“", '"'}, {"”", '"'}, {"╌", '-'}};

}  // namespace

std::size_t columns_of(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const auto piece = first_piece(text);
        columns += piece.columns;
        text.remove_prefix(piece.bytes);
    }
    return columns;
}

std::vector<std::string> wrapped(std::string_view text, std::size_t columns) {
    if (columns == 0 || columns_of(text) <= columns) {
        return {std::string(text)};
    }
    std::vector<std::string> lines(1);
    std::size_t taken = 0;
    while (!text.empty()) {
        // A word with the blanks before it, which go where a line is broken.
        const auto blanks = std::min(text.find_first_not_of(' '), text.size());
        const auto end = std::min(text.find(' ', blanks), text.size());
        auto word = text.substr(blanks, end - blanks);
        text.remove_prefix(end);
        const auto width = columns_of(word);
        const bool first = lines.size() == 1 && lines.back().empty();
        if (word.empty()) {
            break;
        }
        if ((first || taken > 0) && taken + blanks + width <= columns) {
            lines.back().append(blanks, ' ').append(word);
            taken += blanks + width;
            continue;
        }
        if (taken > 0) {
            lines.emplace_back();
        }
        for (auto bytes = prefix_within(word, columns); bytes < word.size();
             bytes = prefix_within(word, columns)) {
            lines.back() = word.substr(0, bytes);
            word.remove_prefix(bytes);
            lines.emplace_back();
        }
        lines.back() = word;
        taken = columns_of(word);
    }
    return lines;
}

std::string shortened(std::string_view text, std::size_t columns) {
    if (columns == 0 || columns_of(text) <= columns) {
        return std::string(text);
    }
    std::string out;
    std::size_t taken = 0;
    bool cut = false;
    while (!text.empty()) {
        const auto piece = first_piece(text);
        if (text.front() == '\x1b') {
            out.append(text.substr(0, piece.bytes));  // what was switched on must be switched off
        } else if (!cut && taken + piece.columns > columns - 1) {
            out += "…";
            cut = true;
        } else if (!cut) {
            out.append(text.substr(0, piece.bytes));
            taken += piece.columns;
        }
        text.remove_prefix(piece.bytes);
    }
    return out;
}

std::string in_ascii(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const bool ascii = static_cast<unsigned char>(text.front()) < 0x80;
        const auto* drawing =
            ascii ? std::end(drawings)
                  : std::find_if(std::begin(drawings), std::end(drawings),
                                 [&](const auto& d) { return text.starts_with(d.first); });
        out.push_back(drawing == std::end(drawings) ? text.front() : drawing->second);
        text.remove_prefix(drawing == std::end(drawings) ? 1 : drawing->first.size());
    }
    return out;
}

std::string Terminal::tint(Tint tint, std::string_view text) const {
    if (!screen_.colour || tint == Tint::plain) {
        return std::string(text);
    }
    return "\x1b[" + std::string(code_of(tint)) + "m" + std::string(text) + "\x1b[0m";
}

void Terminal::put(std::string_view text) {
    if (screen_.ascii) {
        out_ << in_ascii(text);
    } else {
        out_ << text;
    }
}

void Terminal::clear_progress() {
    if (progress_shown_) {
        out_ << "\r\x1b[2K" << std::flush;
        progress_shown_ = false;
    }
}

void Terminal::line(std::string_view text) {
    clear_progress();
    put(text);
    out_ << '\n';
    if (screen_.rewrites) {
        out_ << std::flush;
    }
}

void Terminal::paragraph(std::string_view text, std::size_t hanging) {
    const auto indent = std::min(text.find_first_not_of(' '), text.size());
    const auto below = indent + hanging;
    if (screen_.columns == 0 || columns_of(text) <= screen_.columns ||
        below + 8 > screen_.columns) {
        for (const auto& part : wrapped(text, screen_.columns)) {
            line(part);
        }
        return;
    }
    auto rest = text.substr(indent);
    const auto lines = wrapped(rest, screen_.columns - indent);
    line(std::string(indent, ' ') + lines.front());
    rest.remove_prefix(std::min(rest.size(), lines.front().size()));
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    for (const auto& part : wrapped(rest, screen_.columns - below)) {
        line(std::string(below, ' ') + part);
    }
}

void Terminal::progress(std::string_view text) {
    if (!screen_.rewrites) {
        paragraph(text, 4);
        out_ << std::flush;
        return;
    }
    clear_progress();
    // Short of the last column: some terminals go to the next line by writing it.
    put(shortened(text, screen_.columns > 1 ? screen_.columns - 1 : 0));
    out_ << std::flush;
    progress_shown_ = true;
}

std::string Terminal::bar(double done, std::size_t width) const {
    const auto full = static_cast<std::size_t>(
        std::llround(std::clamp(done, 0.0, 1.0) * static_cast<double>(width)));
    return tint(Tint::green, repeat("█", full)) + tint(Tint::dim, repeat("░", width - full));
}

void Terminal::box(const std::vector<std::string>& head, const std::vector<Row>& rows,
                   std::size_t left, const std::vector<std::size_t>& widths) {
    auto rule = [&](std::string_view begin, std::string_view middle, std::string_view end) {
        std::string text = "  " + std::string(begin);
        for (std::size_t i = 0; i < widths.size(); ++i) {
            text += repeat("─", widths[i] + 2) + std::string(i + 1 < widths.size() ? middle : end);
        }
        line(tint(Tint::dim, text));
    };
    const std::string bar = tint(Tint::dim, "│");
    auto print = [&](const Row& row) {
        std::vector<std::vector<std::string>> cells;
        std::size_t height = 1;
        for (std::size_t i = 0; i < row.size(); ++i) {
            cells.push_back(wrapped(row[i].text, widths[i]));
            height = std::max(height, cells.back().size());
        }
        for (std::size_t at = 0; at < height; ++at) {
            std::string text = "  " + bar;
            for (std::size_t i = 0; i < row.size(); ++i) {
                const auto part =
                    at < cells[i].size() ? std::string_view(cells[i][at]) : std::string_view();
                text += " " + tint(row[i].tint, padded(part, widths[i], i < left)) + " " + bar;
            }
            line(text);
        }
    };
    rule("┌", "┬", "┐");
    Row titles;
    for (const auto& title : head) {
        titles.push_back({title, Tint::bold});
    }
    print(titles);
    rule("├", "┼", "┤");
    for (const auto& row : rows) {
        if (row.empty()) {
            rule("├", "┼", "┤");
        } else {
            print(row);
        }
    }
    rule("└", "┴", "┘");
}

void Terminal::table(const std::vector<std::string>& head, const std::vector<Row>& rows,
                     std::size_t left) {
    std::vector<std::size_t> widths;
    std::vector<std::size_t> least;
    for (const std::string& title : head) {
        widths.push_back(columns_of(title));
        least.push_back(longest_word(title));
    }
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], columns_of(row[i].text));
            least[i] = std::max(least[i], longest_word(row[i].text));
        }
    }
    if (screen_.columns != 0 && box_columns(least) > screen_.columns) {
        for (const auto& row : rows) {
            std::string text = row.empty() ? "" : "  " + tint(Tint::bold, row.front().text);
            for (std::size_t i = 1; i < row.size(); ++i) {
                if (!row[i].text.empty()) {
                    text += (i == 1 ? ": " : ", ") + (i < left ? "" : head[i] + " ") +
                            tint(row[i].tint, row[i].text);
                }
            }
            paragraph(text, 2);
        }
        return;
    }
    while (screen_.columns != 0 && box_columns(widths) > screen_.columns) {
        // The widest that can give way, so that what is short stays on one line.
        std::size_t widest = widths.size();
        for (std::size_t i = 0; i < widths.size(); ++i) {
            if (widths[i] > least[i] && (widest == widths.size() || widths[i] > widths[widest])) {
                widest = i;
            }
        }
        --widths[widest];
    }
    box(head, rows, left, widths);
}

}  // namespace helios
