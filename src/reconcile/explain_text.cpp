// The explanation as aligned text: what a person reads in a terminal, at 3 a.m., on 100 columns.
#include <algorithm>
#include <map>

#include "base/shown.h"
#include "reconcile/checks/check_kind.h"
#include "reconcile/explain.h"

namespace helios::reconcile {
namespace {

constexpr std::size_t cell_max = 38;
constexpr std::size_t last_cell_max = 120;  // nothing stands behind it
constexpr std::size_t hash_characters_min = 32;
constexpr std::size_t short_id_characters = 8;

/// Code points, which is what a terminal shows of the texts that occur here.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u;
    }));
}

std::string cut(std::string text, std::size_t most) {
    if (width(text) <= most) {
        return text;
    }
    std::size_t seen = 0, i = 0;
    for (; i < text.size(); ++i) {
        if ((static_cast<unsigned char>(text[i]) & 0xc0u) != 0x80u && ++seen == most) {
            break;
        }
    }
    return text.substr(0, i) + "…";
}

std::string pad(std::string text, std::size_t to) {
    const std::size_t w = width(text);
    return w >= to ? text : text + std::string(to - w, ' ');
}

/// To the millisecond: what people compare; JSON has every digit.
std::string shown_time(Instant t) {
    return format_rfc3339(std::chrono::floor<std::chrono::milliseconds>(t));
}

/// Rows of cells; columns as wide as their widest cell, the last of a row as wide as it is.
class Table {
public:
    void row(std::vector<std::string> cells) {
        for (std::size_t i = 0; i < cells.size(); ++i) {
            cells[i] = cut(printable(cells[i]), i + 1 == cells.size() ? last_cell_max : cell_max);
        }
        rows_.push_back(std::move(cells));
    }
    std::string text(std::string_view indent) const {
        std::vector<std::size_t> widths;
        for (const auto& row : rows_) {
            widths.resize(std::max(widths.size(), row.size()));
            for (std::size_t i = 0; i + 1 < row.size(); ++i) {
                widths[i] = std::max(widths[i], width(row[i]));
            }
        }
        std::string out;
        for (const auto& row : rows_) {
            std::string line(indent);
            for (std::size_t i = 0; i < row.size(); ++i) {
                line += i + 1 < row.size() ? pad(row[i], widths[i] + 2) : row[i];
            }
            line.erase(line.find_last_not_of(' ') + 1);
            out += line + "\n";
        }
        return out;
    }
    bool empty() const { return rows_.empty(); }

    /// Of its widest line.
    std::size_t columns(std::string_view indent) const {
        std::size_t most = 0;
        const auto lines = text(indent);
        for (std::string_view rest = lines; !rest.empty();
             rest.remove_prefix(rest.find('\n') + 1)) {
            most = std::max(most, width(rest.substr(0, rest.find('\n'))));
        }
        return most;
    }

    void shorten_hashes() {
        for (auto& row : rows_) {
            for (auto& cell : row) {
                const bool hash = cell.size() >= hash_characters_min &&
                                  cell.find_first_not_of("0123456789abcdef-") == std::string::npos;
                cell = hash ? cell.substr(0, short_id_characters) : cell;
            }
        }
    }

    /// Column after column: the first row's cell, and below it each row's title and cell.
    std::string text_by_columns(std::string_view indent) const {
        std::size_t titles = 0;
        for (const auto& row : rows_) {
            titles = std::max(titles, width(row.front()));
        }
        std::string out;
        for (std::size_t i = 1; i < rows_.front().size(); ++i) {
            out += std::string(indent) + rows_.front()[i] + "\n";
            for (std::size_t r = 1; r < rows_.size(); ++r) {
                const auto& row = rows_[r];
                out +=
                    i < row.size() && !row[i].empty()
                        ? std::string(indent) + "  " + pad(row.front(), titles + 2) + row[i] + "\n"
                        : "";
            }
        }
        return out;
    }

private:
    std::vector<std::vector<std::string>> rows_;
};

std::string text_of(const model::ReadValue& value) {
    using Kind = model::ReadValue::Kind;
    std::string out;
    switch (value.kind) {
        case Kind::absent:
            return "–";
        case Kind::bad:
            return "✗ " + value.text;
        case Kind::items:
            for (const auto& [key, quantity] : value.items) {
                out += (out.empty() ? "" : ", ") + quantity + " × " + key;
            }
            return out.empty() ? "(none)" : out;
        default:
            return value.text;
    }
}

const model::LegRecord* main_event(const Explanation& e, const std::string& leg) {
    const model::LegRecord* any = nullptr;
    for (const LegEvent& event : e.events) {
        if (event.record.leg == leg && event.taken) {
            return &event.record;
        }
        if (event.record.leg == leg && event.record.flow_version == e.flow->version) {
            any = &event.record;
        }
    }
    return any;
}

std::string leg_state(const Explanation& e, std::size_t i) {
    if (e.view.state.is_satisfied(i)) {
        return e.view.judgement.late(e.flow->legs[i].name) ? "✓ here, late" : "✓ here";
    }
    if (main_event(e, e.flow->legs[i].name) != nullptr) {
        return "✗ came, does not count";
    }
    const auto& missing = e.view.judgement.missing;
    if (std::find(missing.begin(), missing.end(), e.flow->legs[i].name) != missing.end()) {
        return "✗ missing";
    }
    return e.flow->legs[i].optional ? "– optional" : "… awaited";
}

std::string legs_table(const Explanation& e, const TextLayout& layout) {
    Table table;
    const auto row = [&](const std::string& title, const auto& cell) {
        std::vector<std::string> cells{title};
        for (std::size_t i = 0; i < e.flow->legs.size(); ++i) {
            cells.push_back(cell(i, main_event(e, e.flow->legs[i].name)));
        }
        table.row(std::move(cells));
    };
    using Event = const model::LegRecord*;
    row("", [&](std::size_t i, Event) { return e.flow->legs[i].name; });
    row("state", [&](std::size_t i, Event) { return leg_state(e, i); });
    row("event",
        [&](std::size_t, Event r) { return r != nullptr ? r->event_id : std::string("–"); });
    row("type", [&](std::size_t i, Event) { return e.flow->legs[i].type; });
    row("source",
        [&](std::size_t, Event r) { return r != nullptr ? r->source : std::string("–"); });
    row("identity",
        [&](std::size_t, Event r) { return r != nullptr ? r->identity : std::string("–"); });
    row("happened", [&](std::size_t, Event r) {
        return r != nullptr && r->occurred ? shown_time(*r->occurred) : std::string("–");
    });
    row("received",
        [&](std::size_t, Event r) { return r != nullptr ? shown_time(r->at) : std::string("–"); });
    row("deadline", [&](std::size_t i, Event) {
        return e.view.deadlines[i] == never ? "none" : shown_time(e.view.deadlines[i]);
    });
    std::vector<std::string> names;
    for (const LegEvent& event : e.events) {
        for (const auto& [name, value] : event.record.reads) {
            if (std::find(names.begin(), names.end(), name) == names.end()) {
                names.push_back(name);
            }
        }
    }
    for (const auto& name : names) {
        row(name, [&](std::size_t, Event r) {
            if (r != nullptr) {
                for (const auto& [read, value] : r->reads) {
                    if (read == name) {
                        return text_of(value);
                    }
                }
            }
            return std::string();
        });
    }
    const auto too_wide = [&] {
        return layout.columns != 0 && table.columns("  ") > layout.columns;
    };
    if (too_wide() && !layout.full_ids) {
        Table shorter = table;
        shorter.shorten_hashes();
        if (shorter.columns("  ") <= layout.columns) {
            return shorter.text("  ");
        }
    }
    return too_wide() ? table.text_by_columns("  ") : table.text("  ");
}

std::string mark(CheckOutcome::State state) {
    switch (state) {
        case CheckOutcome::State::passed:
            return "✓";
        case CheckOutcome::State::failed:
            return "✗";
        case CheckOutcome::State::waiting:
            return "…";
        case CheckOutcome::State::not_compared:
            return "–";
    }
    return "";
}

std::string checks_table(const Explanation& e) {
    Table table;
    for (const CheckOutcome& c : e.view.judgement.checks) {
        std::string values;
        if (!c.expected.empty() || !c.actual.empty()) {
            values = kind_of(c.kind).describe(c);
        }
        std::vector<std::string> cells{mark(c.state) + " " + c.check,
                                       std::string(to_string(c.kind)),
                                       values.empty() ? c.note : values};
        if (!values.empty() && c.state != CheckOutcome::State::failed && !c.note.empty()) {
            cells.push_back(c.note);
        }
        table.row(std::move(cells));
    }
    return table.text("  ");
}

std::string findings_text(const std::vector<model::Finding>& findings) {
    std::string out;
    for (const auto& f : findings) {
        out += "  " + std::string(f.severity == model::Severity::warning ? "! " : "✗ ") +
               pad(std::string(model::to_string(f.kind)), 10) + printable(f.detail) +
               (f.final ? "" : "  (not final)") + "\n";
    }
    return out;
}

std::string headline(const Explanation& e) {
    std::string status(model::to_string(e.verdict.status));
    std::transform(status.begin(), status.end(), status.begin(),
                   [](char c) { return static_cast<char>(c - 'a' + 'A'); });
    std::string out = printable(e.verdict.key) + "   " + status;
    for (const auto& money : e.verdict.at_risk) {
        out += "   at risk " + money.amount + " " + money.currency;
    }
    out += "\nflow " + e.flow->name + " version " + std::to_string(e.flow->version) +
           ", instance " + std::to_string(e.verdict.instance) + ", revision " +
           std::to_string(e.verdict.revision);
    out += "\nopened " + shown_time(e.verdict.opened_at) +
           (e.verdict.reconciled_at ? ", decided " + shown_time(*e.verdict.reconciled_at)
                                    : ", not decided yet") +
           "\n";
    return out;
}

std::string timeline_table(const Explanation& e) {
    Table table;
    std::string out;
    std::size_t widest = 0;
    for (const auto& entry : e.timeline) {
        widest = std::max(widest, width(shown_time(entry.at)));
    }
    for (const auto& entry : e.timeline) {
        const char* sign = entry.what == "event" ? "→" : entry.what == "revision" ? "=" : "·";
        out += "  " + pad(shown_time(entry.at), widest) + "  " + sign + " " +
               printable(entry.text) + "\n";
    }
    return out;
}

std::string list(const std::vector<std::string>& lines) {
    std::string out;
    for (const auto& line : lines) {
        out += "  " + printable(line) + "\n";
    }
    return out;
}

std::string other_events(const Explanation& e) {
    Table table;
    for (const LegEvent& event : e.events) {
        if (!event.taken && event.role != "other version") {
            table.row({event.record.leg, event.record.event_id, event.role, event.record.identity,
                       "received " + shown_time(event.record.at)});
        }
    }
    return table.text("  ");
}

}  // namespace

std::string to_text(const Explanation& e, const ExplainRequest& request, const TextLayout& layout) {
    std::string out = headline(e);
    const auto section = [&](std::string_view title, const std::string& body) {
        if (!body.empty()) {
            out += "\n" + std::string(title) + "\n" + body;
        }
    };
    section("Findings", findings_text(e.verdict.findings));
    section("Legs side by side", legs_table(e, layout));
    section(e.view.judgement.awaited ? "Checks so far (nothing is final while a leg is awaited)"
                                     : "Checks",
            checks_table(e));
    section("Would be found if nothing more came", findings_text(e.view.judgement.tentative));
    section("What later events changed", list(e.revised));
    section("What would have matched", list(e.would_match));
    section("Other events of this case", other_events(e));
    section("Timeline", timeline_table(e));
    std::string waiting;
    for (const auto& item : request.quarantined) {  // the id whole: `helios dlq show` takes it
        waiting += "  " + printable(item.id) + "\n";
        Table about;
        about.row({item.source, item.event_type, item.event_id, item.reason, item.detail});
        waiting += about.text("      ");
    }
    section("Waits in quarantine and names this key", waiting);
    section("What happens next", list(e.next));
    section("What this explanation can't see", list(e.caveats));
    return out;
}

}  // namespace helios::reconcile
