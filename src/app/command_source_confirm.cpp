/// `helios source confirm`: subscriptions of Event Grid that wait for a person.

#include <fmt/format.h>
#include <iostream>
#include <memory>
#include <unistd.h>
#include <vector>

#include "app/item_list.h"
#include "app/listing.h"
#include "app/screen.h"
#include "app/server_answer.h"
#include "app/source_commands.h"
#include "base/shown.h"

namespace helios::app {
namespace {

constexpr const char* path = "/api/v1/sources/azure/handshakes";

struct ConfirmArguments {
    ServerArguments server;
    std::string id;
    std::string format = "table";
};

Result<int> list(const ConfirmArguments& a, Server& server, const Environment& environment) {
    HELIOS_TRY_ASSIGN(const auto document, server.get_json(path));
    if (a.format == "json") {
        fmt::print("{}\n", document.root().raw());
        return 0;
    }
    const auto items = document.root().find("items");
    if (items.size() == 0) {
        fmt::print("no subscription waits to be confirmed\n");
        return 0;
    }
    Terminal terminal(std::cout, screen_of(STDOUT_FILENO, environment));
    Listing table(terminal, {{"id"}, {"came"}, {"until"}, {"topic"}, {"to visit"}}, false);
    for (std::size_t i = 0; i < items.size(); ++i) {
        const auto item = items.at(i);
        table.row({{shown_text(item, "id")},
                   {shown_time(item.find("receivedAt"))},
                   {shown_time(item.find("until"))},
                   {shown_text(item, "topic")},
                   {shown_text(item, "host")}});
    }
    table.end();
    return 0;
}

/// The one that begins so. invalid: more than one does.
Result<std::string> whole_id(Server& server, const std::string& beginning) {
    HELIOS_TRY_ASSIGN(const auto document, server.get_json(path));
    const auto items = document.root().find("items");
    std::vector<std::string> found;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (const auto id = items.at(i).find("id").text(); id.starts_with(beginning)) {
            found.emplace_back(id);
        }
    }
    if (found.size() > 1) {
        return fail(ErrorKind::invalid,
                    fmt::format("{} handshakes begin with {}", found.size(), printable(beginning)),
                    "give more of it");
    }
    return found.empty() ? beginning : found.front();
}

Result<int> confirm(const ConfirmArguments& a, const Environment& environment) {
    HELIOS_TRY_ASSIGN(auto server, Server::of(a.server, environment));
    if (a.id.empty()) {
        return list(a, server, environment);
    }
    HELIOS_TRY_ASSIGN(const auto id, whole_id(server, a.id));
    const auto target = fmt::format("{}/{}/confirm", path, http::percent_encode(id));
    auto response = server.client().post(server.full(target), "application/json", "");
    if (!response) {
        auto error = response.error();
        return fail(with_server_hint(std::move(error), server.url()));
    }
    if (response->status == 404 || response->status == 502) {
        return complain(error_of(*response), 1);
    }
    HELIOS_TRY_ASSIGN(const auto document, json_of(server.url(), *response));
    if (a.format == "json") {
        fmt::print("{}\n", document.root().raw());
    } else {
        fmt::print("confirmed: {} sends from now on\n", shown_text(document.root(), "topic"));
    }
    return 0;
}

}  // namespace

Command source_confirm_command(const Environment& environment) {
    auto arguments = std::make_shared<ConfirmArguments>();
    auto& a = *arguments;
    Command command;
    command.name = "confirm";
    command.summary = "Subscriptions of Event Grid that wait for a person; confirm one";
    command.description =
        "Where sources.azure.handshake is manual, or a topic is not in sources.azure.topics, a new "
        "subscription waits ten\n"
        "minutes. Without an ID those that wait are listed. With one, the server visits the URL "
        "that Event Grid sent, and Event\n"
        "Grid begins to send. When the time is over, an update of the subscription makes it ask "
        "again.\n"
        "Exit 0: listed, or confirmed. Exit 1: no such handshake waits, or Event Grid did not take "
        "it. Exit 2: usage, or the server\n"
        "can't be reached.";
    command.examples = {"helios source confirm", "helios source confirm 6a7e8feb"};
    command.options = {
        {"ID",
         "ID",
         "as the list shows it; its beginning will do, if only one has it",
         &a.id,
         false,
         {}},
        {"--format", "FORMAT", "table (default) or json", &a.format, false, {"table", "json"}}};
    add_server_options(command.options, a.server);
    command.run = [arguments, environment] {
        return exit_code_of(confirm(*arguments, environment));
    };
    return command;
}

}  // namespace helios::app
