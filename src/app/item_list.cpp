#include "app/item_list.h"

#include <charconv>
#include <fmt/format.h>
#include <iostream>
#include <unistd.h>

#include "app/numbers.h"
#include "app/screen.h"
#include "base/shown.h"
#include "base/time.h"

namespace helios::app {

void add_list_options(std::vector<Option>& options, ListArguments& a) {
    options.push_back(
        {"--start-time", "TIME", "from then on (RFC 3339, with a zone)", &a.start_time, false, {}});
    options.push_back({"--end-time", "TIME", "before then", &a.end_time, false, {}});
    options.push_back(
        {"--limit", "N", "at most so many, default 100; 0: all", &a.limit, false, {}});
    options.push_back({"--format",
                       "FORMAT",
                       "table (default), json or ndjson",
                       &a.format,
                       false,
                       {"table", "json", "ndjson"}});
    options.push_back({"--full-ids", "", "ids whole, on a terminal too", &a.full_ids, false, {}});
    add_server_options(options, a.server);
}

ItemList::ItemList(const ListArguments& arguments, Server server, std::size_t limit,
                   const Environment& environment)
    : arguments_(arguments),
      server_(std::move(server)),
      limit_(limit),
      terminal_(std::make_unique<Terminal>(std::cout, screen_of(STDOUT_FILENO, environment))) {}

Result<ItemList> ItemList::open(const ListArguments& arguments, const Environment& environment) {
    std::size_t limit = 0;
    HELIOS_TRY(read_number(arguments.limit, "--limit", limit));
    for (const auto& [name, text] : {std::pair("--start-time", &arguments.start_time),
                                     std::pair("--end-time", &arguments.end_time)}) {
        HELIOS_TRY(text->empty() ? Result<Instant>(Instant{}) : read_time(*text, name));
    }
    HELIOS_TRY_ASSIGN(auto server, Server::of(arguments.server, environment));
    return ItemList(arguments, std::move(server), limit, environment);
}

Result<std::uint64_t> ItemList::print(std::string_view path, Query query, Listing& table,
                                      Terminal::Row (*row)(json::Value)) {
    query.emplace_back("start_time", arguments_.start_time);
    query.emplace_back("end_time", arguments_.end_time);
    std::uint64_t found = 0;
    const bool document = arguments_.format == "json";
    const bool as_table = arguments_.format == "table";
    const auto more = server_.each_item(path, query, limit_, [&](json::Value item) {
        if (as_table) {
            table.row(row(item));
        } else {
            fmt::print("{}{}{}",
                       !document    ? ""
                       : found == 0 ? "{\"items\":["
                                    : ",",
                       item.raw(), document ? "" : "\n");
        }
        ++found;
    });
    HELIOS_TRY(more);
    table.end();
    if (document) {
        fmt::print("{}],\"more\":{}}}\n", found == 0 ? "{\"items\":[" : "", *more);
    }
    if (*more && !document) {
        fmt::print(stderr, "there is more; --limit 0 shows all\n");
    }
    return found;
}

void ItemList::say_none(const std::string& what) {
    if (arguments_.format == "table") {
        terminal_->line(what);
    }
}

std::string shown_text(json::Value item, std::string_view name) {
    const auto value = item.find(name);
    return printable(value.present() && !value.is_null() ? value.text() : "");
}

std::string shown_time(json::Value time) {
    const auto text = printable(time.is_string() ? time.text() : "");
    const auto at = parse_rfc3339(text);
    return at ? format_rfc3339(std::chrono::floor<std::chrono::milliseconds>(at->at)) : text;
}

std::string seconds_of(json::Value seconds) {
    double value = 0;
    const auto text = seconds.is_number() ? seconds.text() : std::string_view();
    if (text.empty() ||
        std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) {
        return "–";
    }
    return value < 1 ? fmt::format("{:.0f} ms", value * 1000) : fmt::format("{:.1f} s", value);
}

Tint tint_of_status(std::string_view status) {
    return status == "matched"      ? Tint::green
           : status == "partial"    ? Tint::yellow
           : status == "mismatched" ? Tint::red
                                    : Tint::dim;
}

std::vector<Column> verdict_columns() {
    return {{"flow"}, {"key"}, {"rev", true}, {"status"}, {"at risk", true}, {"findings"}};
}

Terminal::Row verdict_row(json::Value verdict) {
    std::string what;
    const auto missing = verdict.find("missingEvents");
    for (std::size_t i = 0; i < missing.size(); ++i) {
        what += (i == 0 ? "missing " : ", ") + printable(missing.at(i).text());
    }
    const auto findings = verdict.find("findings");
    for (std::size_t i = 0; i < findings.size(); ++i) {
        const auto finding = findings.at(i);
        const auto kind = shown_text(finding, "kind");
        if (kind == "missing") {
            continue;
        }
        what += (what.empty() ? "" : "; ") + kind;
        if (const auto expected = shown_text(finding, "expected"),
            actual = shown_text(finding, "actual");
            !expected.empty() && !actual.empty()) {
            what += fmt::format(" expected {} actual {} {}", expected, actual,
                                shown_text(finding, "unit"));
        }
    }
    std::string risk;
    const auto money = verdict.find("atRisk");
    for (std::size_t i = 0; i < money.size(); ++i) {
        risk += (i == 0 ? "" : ", ") + shown_text(money.at(i), "amount") + " " +
                shown_text(money.at(i), "currency");
    }
    const auto status = shown_text(verdict, "status");
    return {{shown_text(verdict, "flow")},
            {shown_text(verdict, "key")},
            {shown_text(verdict, "revision")},
            {status, tint_of_status(status)},
            {risk},
            {what}};
}

int exit_code_of(const Result<int>& answer) {
    return answer ? *answer : complain(answer.error());
}

}  // namespace helios::app
