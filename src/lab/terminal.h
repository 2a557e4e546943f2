#pragma once
/// Text for a person at a terminal: colour that can be switched off, tables with light rules, a bar, one line that is rewritten.
/// Knows no event.

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace helios::lab {

enum class Tint : std::uint8_t { plain, bold, dim, red, green, yellow, cyan };

/// Columns a UTF-8 text takes on the screen, colour codes aside. (The shop writes no double-width text.)
std::size_t columns_of(std::string_view text);

/// Not thread-safe. The stream outlives it.
class Terminal {
public:
    /// `rewrites`: the stream is a terminal, so a progress line may replace itself. `colour`: as NO_COLOR and the caller decided.
    Terminal(std::ostream& out, bool rewrites, bool colour) : out_(out), rewrites_(rewrites), colour_(colour) {}

    bool rewrites() const { return rewrites_; }
    std::string tint(Tint tint, std::string_view text) const;

    /// A line that stays. Clears a progress line first.
    void line(std::string_view text = {});
    /// A line that the next one replaces; without rewriting it is an ordinary line.
    void progress(std::string_view text);
    /// "███████░░░" of `width` columns.
    std::string bar(double done, std::size_t width) const;

    struct Cell {
        std::string text;
        Tint tint = Tint::plain;
    };
    /// A box: head, rule, rows; an empty row is a rule. The first `left` columns to the left, the others to the right.
    void table(const std::vector<std::string>& head, const std::vector<std::vector<Cell>>& rows, std::size_t left = 1);

private:
    void clear_progress();
    std::ostream& out_;
    bool rewrites_;
    bool colour_;
    bool progress_shown_ = false;
};

}  // namespace helios::lab
