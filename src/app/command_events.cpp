#include <fmt/format.h>
#include <memory>

#include "app/cli.h"
#include "app/item_list.h"

namespace helios::app {
namespace {

struct EventArguments {
    ListArguments list;
    std::string key;
    std::string type;
    std::string source;
};

Terminal::Row row_of(json::Value event) {
    return {{shown_text(event, "eventId")},
            {shown_time(event.find("receivedAt"))},
            {shown_text(event, "source")},
            {shown_text(event, "eventType")},
            {shown_text(event, "key")}};
}

Result<int> events(const EventArguments& arguments, const Environment& environment) {
    HELIOS_TRY_ASSIGN(auto list, ItemList::open(arguments.list, environment));
    Listing table(list.terminal(), {{"event"}, {"received"}, {"source"}, {"type"}, {"key"}},
                  arguments.list.full_ids);
    const Query query{
        {"order_id", arguments.key}, {"event_type", arguments.type}, {"source", arguments.source}};
    HELIOS_TRY_ASSIGN(const auto found, list.print("/api/v1/events", query, table, row_of));
    if (found == 0) {
        list.say_none("no such event");
    }
    return 0;
}

}  // namespace

Command events_command(const Environment& environment) {
    auto arguments = std::make_shared<EventArguments>();
    auto& a = *arguments;
    Command command;
    command.name = "events";
    command.summary = "Events that were accepted";
    command.description =
        "Newest first, from a running server; json and ndjson have them with their payloads. The "
        "times are those of receipt.\n"
        "Exit 0: listed, even if there is none. Exit 2: usage, or the server can't be reached.";
    command.examples = {"helios events --key ORD-1",
                        "helios events --source gcp --limit 0 --format ndjson > payments.ndjson"};
    command.options = {{"--key,--order-id",
                        "KEY",
                        "only events with this key, for example an order id",
                        &a.key,
                        false,
                        {}},
                       {"--event-type",
                        "TYPE",
                        "only this type, for example PaymentProcessed",
                        &a.type,
                        false,
                        {}},
                       {"--source", "SOURCE", "only this source", &a.source, false, {}}};
    add_list_options(command.options, a.list);
    command.run = [arguments, environment] {
        return exit_code_of(events(*arguments, environment));
    };
    return command;
}

}  // namespace helios::app
