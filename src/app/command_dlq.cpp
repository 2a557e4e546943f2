#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <memory>
#include <vector>

#include "app/cli.h"
#include "app/numbers.h"
#include "app/printable.h"
#include "app/server_answer.h"
#include "base/json.h"
#include "base/time.h"
#include "http/client.h"

namespace helios::app {
namespace {

constexpr std::size_t page_items = 100;
constexpr std::size_t column_characters_max = 48;

struct DlqOptions {
    std::string to = default_server;
    std::string format;
    // ls
    std::string source;
    std::string reason;
    std::string key;
    std::string limit = "100";
    // show
    std::string id;
};

struct Column {
    const char* title;
    const char* member;
};
constexpr std::array<Column, 8> columns{{{"id", "dlqId"},
                                         {"last received", "lastReceivedAt"},
                                         {"times", "times"},
                                         {"source", "source"},
                                         {"type", "eventType"},
                                         {"key", "orderId"},
                                         {"reason", "reason"},
                                         {"detail", "detail"}}};

bool begins_character(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}
std::size_t characters_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

/// A cell: one line, not longer than the column may be.
std::string cell_of(json::Value item, const Column& column) {
    const auto value = item.find(column.member);
    std::string out = printable(value.present() ? value.text() : "");
    if (const auto at = parse_rfc3339(out); at && column.member == std::string_view("lastReceivedAt")) {
        return format_rfc3339(std::chrono::floor<std::chrono::milliseconds>(at->at));  // as columns show it; show has every digit
    }
    if (out.empty()) {
        return "-";
    }
    if (&column != &columns.back() && characters_of(out) > column_characters_max) {
        std::size_t end = 0;
        for (std::size_t taken = 0; taken < column_characters_max; ++end) {
            taken += begins_character(out[end]) ? 1 : 0;
        }
        out.resize(end - 1);
        out += "…";
    }
    return out;
}

/// One page under another; columns only ever widen.
class Table {
public:
    void print(json::Value items) {
        std::vector<std::array<std::string, columns.size()>> rows;
        if (!began_) {
            rows.emplace_back();
            std::transform(columns.begin(), columns.end(), rows.back().begin(),
                           [](const Column& column) { return column.title; });
        }
        began_ = true;
        for (std::size_t i = 0; i < items.size(); ++i) {
            rows.emplace_back();
            std::transform(columns.begin(), columns.end(), rows.back().begin(),
                           [&](const Column& column) { return cell_of(items.at(i), column); });
        }
        for (const auto& row : rows) {
            for (std::size_t i = 0; i < row.size(); ++i) {
                widths_[i] = std::max(widths_[i], characters_of(row[i]));
            }
        }
        for (const auto& row : rows) {
            std::string line;
            for (std::size_t i = 0; i + 1 < row.size(); ++i) {
                line += row[i] + std::string(widths_[i] - characters_of(row[i]) + 2, ' ');
            }
            fmt::print("{}{}\n", line, row.back());
        }
    }

private:
    bool began_ = false;
    std::array<std::size_t, columns.size()> widths_{};
};

std::string list_target(const DlqOptions& options, std::size_t limit, std::string_view cursor) {
    auto target = fmt::format("/api/v1/dlq?limit={}", limit);
    for (const auto& [name, value] : {std::pair<const char*, std::string_view>{"source", options.source},
                                      {"reason", options.reason},
                                      {"order_id", options.key},
                                      {"cursor", cursor}}) {
        if (!value.empty()) {
            target += fmt::format("&{}={}", name, http::percent_encode(value));
        }
    }
    return target;
}

int list(const DlqOptions& options) {
    std::size_t left = 0;
    if (const auto read = read_number(options.limit, "--limit", left); !read) {
        return complain(read.error());
    }
    const bool all = left == 0;
    Table table;
    std::string cursor;
    bool any = false;
    do {
        const auto response = ask_server(options.to, list_target(options, all ? page_items : std::min(left, page_items), cursor));
        if (!response || response->status != 200) {
            return complain(response ? error_of(*response) : response.error());
        }
        const auto page = json::Document::parse(response->body);
        if (!page) {
            return complain(page.error());
        }
        const auto items = page->root().find("items");
        if (options.format == "ndjson") {
            for (std::size_t i = 0; i < items.size(); ++i) {
                fmt::print("{}\n", items.at(i).raw());
            }
        } else if (items.size() > 0) {
            table.print(items);
        }
        if (items.size() == 0) {
            cursor.clear();
            break;
        }
        any = true;
        left -= all ? 0 : std::min(left, items.size());
        const auto next = page->root().find("nextCursor");
        cursor = next.is_string() ? next.text() : std::string_view();
    } while (!cursor.empty() && (all || left > 0));
    if (options.format != "ndjson" && !any) {
        fmt::print("nothing waits in quarantine{}\n",
                   options.source.empty() && options.reason.empty() && options.key.empty() ? "" : " with these filters");
    }
    if (!cursor.empty()) {
        fmt::print(stderr, "there is more; --limit 0 shows all\n");
    }
    return 0;
}

/// Each member on its line, the body last and as it came.
void print_item(json::Value item) {
    for (std::size_t i = 0; i < item.size(); ++i) {
        const auto name = item.key_at(i);
        const auto value = item.at(i);
        if (name == "body" || name == "bodyEncoding") {
            continue;
        }
        if (value.is_array()) {
            for (std::size_t j = 0; j < value.size(); ++j) {
                fmt::print("{:<16} {}\n", j == 0 ? name : "", printable(value.at(j).text()));
            }
        } else if (value.is_object()) {
            for (std::size_t j = 0; j < value.size(); ++j) {
                const auto inner = value.at(j);
                fmt::print("{:<16} {}: {}\n", j == 0 ? name : "", printable(value.key_at(j)),
                           printable(inner.is_string() ? inner.text() : inner.raw()));
            }
        } else {
            fmt::print("{:<16} {}\n", name, printable(value.text()));
        }
    }
    const auto body = item.find("body");
    if (!body.is_string()) {
        fmt::print("\nthe body is past retention\n");
        return;
    }
    const bool base64 = item.find("bodyEncoding").present() && item.find("bodyEncoding").text() == "base64";
    fmt::print("\n{}{}\n", base64 ? "body, base64:\n" : "", printable(body.text(), "\n\t"));
}

int show(const DlqOptions& options) {
    const auto response = ask_server(options.to, "/api/v1/dlq/" + http::percent_encode(options.id));
    if (!response) {
        return complain(response.error());
    }
    if (response->status != 200) {
        return complain(error_of(*response), response->status == 404 ? 1 : 2);
    }
    if (options.format == "json") {
        fmt::print("{}{}", response->body, response->body.ends_with('\n') ? "" : "\n");
        return 0;
    }
    const auto item = json::Document::parse(response->body);
    if (!item) {
        return complain(item.error());
    }
    print_item(item->root());
    return 0;
}

Command ls_command() {
    auto options = std::make_shared<DlqOptions>();
    Command command;
    command.name = "ls";
    command.summary = "List what waits in quarantine, newest first";
    command.description =
        "One line per item: a sender's retry of the same one only raises `times`.\n"
        "Exit 0: listed, even if there is nothing. Exit 2: usage, or the server can't be reached.";
    command.examples = {"helios dlq ls", "helios dlq ls --source gcp --reason missing_field",
                        "helios dlq ls --limit 0 --format ndjson > quarantine.ndjson"};
    command.options = {
        {"--to", "URL", "the server, default http://127.0.0.1:8001", &options->to, false, {}},
        {"--source", "SOURCE", "only this source", &options->source, false, {}},
        {"--reason", "REASON", "only this reason, for example missing_field", &options->reason, false, {}},
        {"--key", "KEY", "only items whose key could be read and is this, for example an order id", &options->key, false, {}},
        {"--limit", "N", "at most so many, default 100; 0: all", &options->limit, false, {}},
        {"--format", "FORMAT", "table (default) or ndjson", &options->format, false, {"table", "ndjson"}}};
    command.run = [options] { return list(*options); };
    return command;
}

Command show_command() {
    auto options = std::make_shared<DlqOptions>();
    Command command;
    command.name = "show";
    command.summary = "Print one item whole";
    command.description =
        "Its reason, its errors, its headers (credentials are fingerprints) and its body as it came (base64 if it is not "
        "UTF-8).\n"
        "As text, control characters that would steer a terminal show as `?`; --format json has every byte.\n"
        "Exit 0: printed. Exit 1: nothing in quarantine has this id. Exit 2: usage, or the server can't be reached.";
    command.examples = {"helios dlq show af2f90cc", "helios dlq show af2f90cc-8cc2-550f-837b-265dbc67867c",
                        "helios dlq show af2f90cc-8cc2-550f-837b-265dbc67867c --format json | python3 -m json.tool"};
    command.options = {{"ID",
                        "ID",
                        "as `helios dlq ls` shows it, or `dlqId` of an answer; its beginning will do, if only one has it",
                        &options->id,
                        true,
                        {}},
                       {"--to", "URL", "the server, default http://127.0.0.1:8001", &options->to, false, {}},
                       {"--format", "FORMAT", "text (default) or json", &options->format, false, {"text", "json"}}};
    command.run = [options] { return show(*options); };
    return command;
}

}  // namespace

Command dlq_command() {
    Command command;
    command.name = "dlq";
    command.summary = "Look into the quarantine of a running server";
    command.description =
        "What could not be accepted waits in quarantine (the dead-letter queue), whole, with its reason. Nothing here changes "
        "it.";
    command.subcommands = {ls_command(), show_command()};
    return command;
}

}  // namespace helios::app
