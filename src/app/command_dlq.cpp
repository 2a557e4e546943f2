#include <fmt/format.h>
#include <memory>
#include <vector>

#include "app/cli.h"
#include "app/dlq_commands.h"
#include "app/item_list.h"
#include "base/shown.h"

namespace helios::app {
namespace {

struct ListDlqArguments {
    ListArguments list;
    std::string status;
    std::string source;
    std::string reason;
    std::string type;
    std::string key;
};

struct ShowDlqArguments {
    ServerArguments server;
    std::string id;
    std::string format = "text";
};

std::vector<Column> columns() {
    return {{"id"},   {"last received"}, {"times", true}, {"source"},
            {"type"}, {"key"},           {"reason"},      {"detail"}};
}

Terminal::Row row_of(json::Value item) {
    return {{shown_text(item, "dlqId")},     {shown_time(item.find("lastReceivedAt"))},
            {shown_text(item, "times")},     {shown_text(item, "source")},
            {shown_text(item, "eventType")}, {shown_text(item, "orderId")},
            {shown_text(item, "reason")},    {shown_text(item, "detail")}};
}

Result<int> list(const ListDlqArguments& arguments, const Environment& environment) {
    HELIOS_TRY_ASSIGN(auto items, ItemList::open(arguments.list, environment));
    Listing table(items.terminal(), columns(), arguments.list.full_ids);
    const Query query{{"status", arguments.status},
                      {"source", arguments.source},
                      {"reason", arguments.reason},
                      {"event_type", arguments.type},
                      {"order_id", arguments.key}};
    const bool filtered =
        !(arguments.status + arguments.source + arguments.reason + arguments.type + arguments.key +
          arguments.list.start_time + arguments.list.end_time)
             .empty();
    HELIOS_TRY_ASSIGN(const auto found, items.print("/api/v1/dlq", query, table, row_of));
    if (found == 0) {
        items.say_none(filtered ? "nothing waits in quarantine with these filters"
                                : "nothing waits in quarantine");
    }
    return 0;
}

/// An element of a list: its text, or its members' texts.
std::string in_one_line(json::Value value) {
    if (!value.is_object()) {
        return printable(value.text());
    }
    std::string line;
    for (std::size_t i = 0; i < value.size(); ++i) {
        line += fmt::format("{}{} {}", line.empty() ? "" : ", ", printable(value.key_at(i)),
                            printable(value.at(i).text()));
    }
    return line;
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
                fmt::print("{:<16} {}\n", j == 0 ? name : "", in_one_line(value.at(j)));
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
    const bool base64 =
        item.find("bodyEncoding").present() && item.find("bodyEncoding").text() == "base64";
    fmt::print("\n{}{}\n", base64 ? "body, base64:\n" : "", printable(body.text(), "\n\t"));
}

Result<int> show(const ShowDlqArguments& arguments, const Environment& environment) {
    HELIOS_TRY_ASSIGN(auto server, Server::of(arguments.server, environment));
    HELIOS_TRY_ASSIGN(const auto response,
                      server.get("/api/v1/dlq/" + http::percent_encode(arguments.id)));
    if (response.status == 404) {
        return complain(error_of(response), 1);
    }
    HELIOS_TRY_ASSIGN(const auto item, json_of(server.url(), response));
    if (arguments.format == "json") {
        fmt::print("{}\n", item.root().raw());
    } else {
        print_item(item.root());
    }
    return 0;
}

Command ls_command(const Environment& environment) {
    auto arguments = std::make_shared<ListDlqArguments>();
    auto& a = *arguments;
    Command command;
    command.name = "ls";
    command.summary = "List what waits in quarantine, newest first";
    command.description =
        "One line per item: a sender's retry of the same one only raises `times`.\n"
        "Exit 0: listed, even if there is nothing. Exit 2: usage, or the server can't be reached.";
    command.examples = {"helios dlq ls", "helios dlq ls --source gcp --reason missing_field",
                        "helios dlq ls --limit 0 --format ndjson > quarantine.ndjson"};
    command.options = {
        {"--status",
         "STATUS",
         "waiting (default), accepted, discarded or exhausted",
         &a.status,
         false,
         {"waiting", "accepted", "discarded", "exhausted"}},
        {"--source", "SOURCE", "only this source", &a.source, false, {}},
        {"--event-type", "TYPE", "only this type", &a.type, false, {}},
        {"--reason", "REASON", "only this reason, for example missing_field", &a.reason, false, {}},
        {"--key,--order-id",
         "KEY",
         "only items whose key could be read and is this, for example an order id",
         &a.key,
         false,
         {}}};
    add_list_options(command.options, a.list);
    command.run = [arguments, environment] { return exit_code_of(list(*arguments, environment)); };
    return command;
}

Command show_command(const Environment& environment) {
    auto arguments = std::make_shared<ShowDlqArguments>();
    auto& a = *arguments;
    Command command;
    command.name = "show";
    command.summary = "Print one item whole";
    command.description =
        "Its reason, its errors, its headers (credentials are fingerprints) and its body as it "
        "came (base64 if it is not "
        "UTF-8).\n"
        "As text, control characters that would steer a terminal show as `?`; --format json has "
        "every byte.\n"
        "Exit 0: printed. Exit 1: nothing in quarantine has this id. Exit 2: usage, or the server "
        "can't be reached.";
    command.examples = {"helios dlq show af2f90cc",
                        "helios dlq show af2f90cc-8cc2-550f-837b-265dbc67867c",
                        "helios dlq show af2f90cc-8cc2-550f-837b-265dbc67867c --format json | "
                        "python3 -m json.tool"};
    command.options = {
        {"ID",
         "ID",
         "as `helios dlq ls` shows it, or `dlqId` of an answer; its beginning will do, if only one "
         "has it",
         &a.id,
         true,
         {}},
        {"--format", "FORMAT", "text (default) or json", &a.format, false, {"text", "json"}}};
    add_server_options(command.options, a.server);
    command.run = [arguments, environment] { return exit_code_of(show(*arguments, environment)); };
    return command;
}

}  // namespace

Command dlq_command(const Environment& environment) {
    Command command;
    command.name = "dlq";
    command.summary = "Work the quarantine of a running server";
    command.description =
        "What could not be accepted waits in quarantine (the dead-letter queue), whole, with its "
        "reason. ls and show look into it; resubmit, discard and redrive decide what becomes of "
        "it.";
    command.subcommands = {ls_command(environment), show_command(environment),
                           dlq_resubmit_command(environment), dlq_discard_command(environment),
                           dlq_redrive_command(environment)};
    return command;
}

}  // namespace helios::app
