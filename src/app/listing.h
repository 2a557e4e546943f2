#pragma once
/// Rows of cells under titles, for lists of any length.

#include <string>
#include <vector>

#include "base/terminal.h"

namespace helios::app {

struct Column {
    std::string title;
    bool right = false;  ///< figures
};

/// Columns are as wide as the first rows need, so nothing is printed before they have come, or
/// end().
///
/// On a screen that is too narrow, the columns that fit stand side by side; the rest of each row
/// follows below it, wrapped, and nothing is left out. Only ids that are hashes are cut there, to a
/// beginning that commands accept in place of the whole, unless `full_ids`. Without a screen each
/// row is one line and every cell whole.
class Listing {
public:
    Listing(Terminal& terminal, std::vector<Column> columns, bool full_ids);
    ~Listing();  ///< end(), but what can't be printed is told to nobody
    Listing(const Listing&) = delete;
    Listing& operator=(const Listing&) = delete;

    /// One cell for each column. Empty ones show as "-".
    void row(Terminal::Row cells);
    void end();

private:
    void lay_out();
    void print(const Terminal::Row& cells, bool titles);

    Terminal& terminal_;
    const std::vector<Column> columns_;
    const bool full_ids_;
    std::vector<Terminal::Row> waiting_;
    std::vector<std::size_t> widths_;
    std::size_t beside_ = 0;   ///< so many columns stand side by side
    bool wraps_last_ = false;  ///< all do, and the last is wrapped in what is left for it
    bool laid_out_ = false;
};

/// "8f434346" of a UUID or of a long hexadecimal hash; other texts as they are.
std::string short_id(const std::string& id);

}  // namespace helios::app
