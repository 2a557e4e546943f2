#pragma once
/// Text for a person at a terminal: as wide as the screen is, coloured and drawn as far as the
/// screen can, and one line that is rewritten. Writes into the stream it is given; what the screen
/// can is told to it (`app` measures). Without a screen, nothing is wrapped, and no control
/// sequence is written.

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace helios {

enum class Tint : std::uint8_t { plain, bold, dim, red, green, yellow, cyan };

/// What the other end of a stream can.
struct Screen {
    bool rewrites = false;    ///< a line can replace itself
    bool colour = false;      ///< colour codes are understood, and wanted
    bool ascii = false;       ///< drawing and marks in ASCII
    std::size_t columns = 0;  ///< its width; 0: there is none, lines are as long as they are
};

/// Columns a UTF-8 text takes on the screen: colour codes and combining characters none, East Asian
/// wide ones and most emoji two.
std::size_t columns_of(std::string_view text);

/// `text` in lines of at most `columns`, broken between words, and inside a word that is longer
/// than a line. 0: as it is.
std::vector<std::string> wrapped(std::string_view text, std::size_t columns);

/// At most `columns` of `text`, with "…" in place of what is left out. Colour codes don't count and
/// are kept. 0: all of it.
std::string shortened(std::string_view text, std::size_t columns);

/// `text` with the characters that this program draws and marks with (lines, bars, ✓ ✗ … · → ≤ and
/// the like) in ASCII, one for one: columns stay where they are. Other characters stay too: they
/// are somebody's data.
std::string in_ascii(std::string_view text);

/// Not thread-safe. The stream outlives it.
class Terminal {
public:
    Terminal(std::ostream& out, Screen screen) : out_(out), screen_(screen) {}
    ~Terminal() { clear_progress(); }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    const Screen& screen() const { return screen_; }
    std::string tint(Tint tint, std::string_view text) const;

    /// Lines that stay, as they are: one, or several with LF between them. Clears a progress line
    /// first.
    void line(std::string_view text = {});
    /// A line that stays; what does not fit goes below, indented like it and by `hanging` more.
    void paragraph(std::string_view text, std::size_t hanging = 0);
    /// A line that the next one replaces, cut to the screen; without rewriting it is an ordinary
    /// line.
    void progress(std::string_view text);
    /// Takes a progress line away.
    void clear_progress();
    /// "███████░░░" of `width` columns.
    std::string bar(double done, std::size_t width) const;

    struct Cell {
        std::string text;
        Tint tint = Tint::plain;
    };
    using Row = std::vector<Cell>;
    /// A box: head, rule, rows; an empty row is a rule. The first `left` columns to the left, the
    /// others to the right. Where the screen is narrower, cells are wrapped; where not even their
    /// words fit, each row becomes a paragraph.
    void table(const std::vector<std::string>& head, const std::vector<Row>& rows,
               std::size_t left = 1);

private:
    void put(std::string_view text);
    void box(const std::vector<std::string>& head, const std::vector<Row>& rows, std::size_t left,
             const std::vector<std::size_t>& widths);
    std::ostream& out_;
    Screen screen_;
    bool progress_shown_ = false;
};

}  // namespace helios
