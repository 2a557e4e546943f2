#include <fmt/format.h>
#include <iostream>
#include <memory>
#include <unistd.h>

#include "app/cli.h"
#include "app/item_list.h"

namespace helios::app {
namespace {

struct MismatchArguments {
    ListArguments list;
    std::string status;
    std::string kind;
    std::string flow;
};

Result<int> mismatches(const MismatchArguments& arguments, const Environment& environment) {
    HELIOS_TRY_ASSIGN(auto list, ItemList::open(arguments.list, environment));
    HELIOS_TRY(list.server().check_flow(arguments.flow));
    Listing table(list.terminal(), verdict_columns(), arguments.list.full_ids);
    const Query query{
        {"status", arguments.status}, {"kind", arguments.kind}, {"flow", arguments.flow}};
    HELIOS_TRY_ASSIGN(const auto found,
                      list.print("/api/v1/reconciliation/mismatches", query, table, verdict_row));
    if (found == 0) {
        list.say_none("no case is partial or mismatched");
    }
    return found == 0 ? 0 : 1;
}

}  // namespace

Command mismatches_command(const Environment& environment) {
    auto arguments = std::make_shared<MismatchArguments>();
    auto& a = *arguments;
    Command command;
    command.name = "mismatches";
    command.summary = "Cases that are partial or mismatched";
    command.description =
        "The latest revision of each such case, newest first, from a running server. The times are "
        "those of the decision.\n"
        "Exit 0: there is none. Exit 1: there are. Exit 2: usage, or the server can't be reached.";
    command.examples = {
        "helios mismatches",
        "helios mismatches --status partial --limit 0 --format ndjson > partial.ndjson",
        "helios mismatches --kind amount --start-time 2026-01-05T00:00:00Z"};
    command.options = {{"--status", "STATUS", "partial or mismatched", &a.status, false, {}},
                       {"--kind",
                        "KIND",
                        "only cases with a finding of this kind, for example amount",
                        &a.kind,
                        false,
                        {}},
                       {"--flow", "FLOW", "only this flow", &a.flow, false, {}}};
    add_list_options(command.options, a.list);
    command.run = [arguments, environment] {
        return exit_code_of(mismatches(*arguments, environment));
    };
    return command;
}

}  // namespace helios::app
