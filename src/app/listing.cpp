#include "app/listing.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace helios::app {
namespace {

constexpr std::size_t rows_measured = 200;
constexpr std::size_t padding_max =
    48;  // a cell that is wider pushes what is behind it; the other rows stay together
constexpr std::size_t last_columns_min = 20;
constexpr std::size_t hash_characters_min = 32;
constexpr std::size_t short_id_characters = 8;
constexpr std::size_t below_indent = 4;

bool is_hash(std::string_view text) {
    return text.size() >= hash_characters_min &&
           text.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos;
}

}  // namespace

std::string short_id(const std::string& id) {
    return is_hash(id) ? id.substr(0, short_id_characters) : id;
}

Listing::Listing(Terminal& terminal, std::vector<Column> columns, bool full_ids)
    : terminal_(terminal),
      columns_(std::move(columns)),
      full_ids_(full_ids || terminal.screen().columns == 0) {}

Listing::~Listing() {
    try {
        end();
    } catch (const std::exception&) {
        return;  // finish_output says it
    }
}

void Listing::row(Terminal::Row cells) {
    for (auto& cell : cells) {
        if (cell.text.empty()) {
            cell.text = "-";
        } else if (!full_ids_) {
            cell.text = short_id(cell.text);
        }
    }
    if (laid_out_) {
        print(cells, false);
        return;
    }
    waiting_.push_back(std::move(cells));
    if (waiting_.size() == rows_measured) {
        lay_out();
    }
}

void Listing::end() {
    if (!laid_out_ && !waiting_.empty()) {
        lay_out();
    }
}

void Listing::lay_out() {
    laid_out_ = true;
    Terminal::Row titles;
    for (const auto& column : columns_) {
        widths_.push_back(columns_of(column.title));
        titles.push_back({column.title, Tint::bold});
    }
    std::size_t widest_last = widths_.back();
    for (const auto& cells : waiting_) {
        for (std::size_t i = 0; i < cells.size(); ++i) {
            widths_[i] = std::max(widths_[i], std::min(columns_of(cells[i].text), padding_max));
        }
        widest_last = std::max(widest_last, columns_of(cells.back().text));
    }
    beside_ = widths_.size();
    if (const auto room = terminal_.screen().columns; room != 0) {
        std::size_t taken = 0;
        for (beside_ = 0; beside_ + 1 < widths_.size() && taken + widths_[beside_] <= room;
             ++beside_) {
            taken += widths_[beside_] + 2;
        }
        const bool all_but_last = beside_ + 1 == widths_.size();
        if (all_but_last && taken + std::min(widest_last, last_columns_min) <= room) {
            beside_ = widths_.size();
            widths_.back() = room - taken;
            wraps_last_ = true;
        }
        beside_ = std::max<std::size_t>(beside_, 1);
    }
    print(titles, true);
    for (const auto& cells : std::exchange(waiting_, {})) {
        print(cells, false);
    }
}

void Listing::print(const Terminal::Row& cells, bool titles) {
    std::string line;
    std::size_t column = 0;  // where the next cell begins
    for (std::size_t i = 0; i < beside_; ++i) {
        const auto& cell = cells[i];
        const auto width = columns_of(cell.text);
        if (i + 1 == beside_ && wraps_last_) {
            const auto parts = wrapped(cell.text, widths_[i]);
            for (std::size_t at = 0; at < parts.size(); ++at) {
                terminal_.line((at == 0 ? line : std::string(column, ' ')) +
                               terminal_.tint(cell.tint, parts[at]));
            }
            return;
        }
        const std::string pad(widths_[i] - std::min(widths_[i], width), ' ');
        const bool last = i + 1 == beside_;
        line += columns_[i].right ? pad + terminal_.tint(cell.tint, cell.text)
                                  : terminal_.tint(cell.tint, cell.text) + (last ? "" : pad);
        line += last ? "" : "  ";
        column += std::max(width, widths_[i]) + 2;
    }
    terminal_.paragraph(line, below_indent);
    std::string below;
    for (std::size_t i = beside_; i < cells.size(); ++i) {
        if (titles || cells[i].text != "-") {
            below += (below.empty() ? "" : "  ") + terminal_.tint(cells[i].tint, cells[i].text);
        }
    }
    if (!below.empty()) {
        terminal_.paragraph(std::string(below_indent, ' ') + below);
    }
}

}  // namespace helios::app
