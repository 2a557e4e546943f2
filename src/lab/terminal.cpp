#include "lab/terminal.h"

#include <algorithm>

namespace helios::lab {
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

}  // namespace

std::size_t columns_of(std::string_view text) {
    std::size_t columns = 0;
    bool in_code = false;
    for (unsigned char c : text) {
        if (c == 0x1b) {
            in_code = true;
        } else if (in_code) {
            in_code = c != 'm';
        } else if ((c & 0xc0) != 0x80) {
            columns += 1;
        }
    }
    return columns;
}

std::string Terminal::tint(Tint tint, std::string_view text) const {
    if (!colour_ || tint == Tint::plain) {
        return std::string(text);
    }
    return "\x1b[" + std::string(code_of(tint)) + "m" + std::string(text) + "\x1b[0m";
}

void Terminal::clear_progress() {
    if (progress_shown_) {
        out_ << "\r\x1b[2K";
        progress_shown_ = false;
    }
}

void Terminal::line(std::string_view text) {
    clear_progress();
    out_ << text << '\n' << std::flush;
}

void Terminal::progress(std::string_view text) {
    if (!rewrites_) {
        line(text);
        return;
    }
    clear_progress();
    out_ << text << std::flush;
    progress_shown_ = true;
}

std::string Terminal::bar(double done, std::size_t width) const {
    auto full = static_cast<std::size_t>(std::clamp(done, 0.0, 1.0) * static_cast<double>(width) + 0.5);
    return tint(Tint::green, repeat("█", full)) + tint(Tint::dim, repeat("░", width - full));
}

void Terminal::table(const std::vector<std::string>& head, const std::vector<std::vector<Cell>>& rows, std::size_t left) {
    std::vector<std::size_t> widths;
    for (const std::string& title : head) {
        widths.push_back(columns_of(title));
    }
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], columns_of(row[i].text));
        }
    }
    auto rule = [&](std::string_view begin, std::string_view middle, std::string_view end) {
        std::string text = "  " + std::string(begin);
        for (std::size_t i = 0; i < widths.size(); ++i) {
            text += repeat("─", widths[i] + 2) + std::string(i + 1 < widths.size() ? middle : end);
        }
        line(tint(Tint::dim, text));
    };
    std::string bar = tint(Tint::dim, "│");
    rule("┌", "┬", "┐");
    std::string text = "  " + bar;
    for (std::size_t i = 0; i < head.size(); ++i) {
        text += " " + tint(Tint::bold, padded(head[i], widths[i], i < left)) + " " + bar;
    }
    line(text);
    rule("├", "┼", "┤");
    for (const auto& row : rows) {
        if (row.empty()) {
            rule("├", "┼", "┤");
            continue;
        }
        text = "  " + bar;
        for (std::size_t i = 0; i < row.size(); ++i) {
            text += " " + tint(row[i].tint, padded(row[i].text, widths[i], i < left)) + " " + bar;
        }
        line(text);
    }
    rule("└", "┴", "┘");
}

}  // namespace helios::lab
