#include <cstdio>
#include <fmt/format.h>
#include <iostream>
#include <memory>
#include <unistd.h>

#include "app/cli.h"
#include "app/interrupt.h"
#include "app/item_list.h"
#include "app/screen.h"

namespace helios::app {
namespace {

struct StreamArguments {
    ServerArguments server;
    std::string flow;
    std::string key;
    std::string status;
    std::string kind;
    std::string after;
    bool payloads = false;
    std::string format = "text";
};

/// One revision as a line: as a row of a list, without columns.
void print_line(Terminal& terminal, json::Value verdict) {
    const auto row = verdict_row(verdict);
    auto text =
        fmt::format("{}  {} {}  rev {}  {}",
                    shown_time(verdict.find("reconciledAt").present() ? verdict.find("reconciledAt")
                                                                      : verdict.find("openedAt")),
                    row[0].text, row[1].text, row[2].text, terminal.tint(row[3].tint, row[3].text));
    for (const auto at : {4, 5}) {
        const auto& cell = row[static_cast<std::size_t>(at)].text;
        text += cell.empty() ? "" : (at == 4 ? "  at risk " : "  ") + cell;
    }
    terminal.paragraph(text, 4);
}

Error at_position(Error error, const std::string& position) {
    if (!position.empty()) {
        error.hint +=
            fmt::format("{}go on with --after {}", error.hint.empty() ? "" : "\n  ", position);
    }
    return error;
}

Result<int> stream(const StreamArguments& a, const Environment& environment) {
    const Interrupt interrupt;
    HELIOS_TRY_ASSIGN(auto server, Server::of(a.server, environment));
    auto& client = server.client();
    client.stop_on(interrupt.descriptor(), Duration::zero());
    if (const auto known = server.check_flow(a.flow); !known) {
        return known.error().kind == ErrorKind::stopping ? Result<int>(0) : fail(known.error());
    }
    const Query query{{"flow", a.flow}, {"key", a.key},     {"status", a.status},
                      {"kind", a.kind}, {"after", a.after}, {"payloads", a.payloads ? "true" : ""}};
    const auto opened = client.open_websocket(server.full(target_of("/api/v1/stream", query)));
    if (!opened && opened.error().kind == ErrorKind::stopping) {
        return 0;
    }
    if (!opened) {
        return fail(with_server_hint(opened.error(), server.url()));
    }
    if (opened->status != 101) {
        return fail(json::Document::parse(opened->body) ? error_of(*opened)
                                                        : foreign_answer(server.url(), *opened));
    }
    Terminal terminal(std::cout, screen_of(STDOUT_FILENO, environment));
    std::string position = a.after;
    for (;;) {
        const auto text = client.next_text();
        if (!text && text.error().kind == ErrorKind::stopping) {
            return 0;
        }
        if (!text) {
            return fail(at_position(text.error(), position));
        }
        const auto document = json::Document::parse(*text);
        if (!document || !document->root().find("status").is_string()) {
            return fail(at_position({ErrorKind::corrupt, "what came is no verdict",
                                     "is this the address of a Helios server?"},
                                    position));
        }
        if (a.format == "text") {
            print_line(terminal, document->root());
        } else {
            fmt::print("{}\n", *text);
        }
        if (std::fflush(stdout) != 0) {
            return 2;  // main says why
        }
        position = document->root().find("position").text();
    }
}

}  // namespace

Command stream_command(const Environment& environment) {
    auto arguments = std::make_shared<StreamArguments>();
    auto& a = *arguments;
    Command command;
    command.name = "stream";
    command.summary = "Verdicts as they are made; Ctrl-C stops";
    command.description =
        "Every revision of every case from now on, or from behind a position, each on its line. "
        "When the connection ends it "
        "says\n"
        "with which --after to go on: then nothing is skipped and nothing repeated.\n"
        "Exit 0: stopped by Ctrl-C. Exit 2: usage, or the server can't be reached, has ended, or "
        "says nothing for --timeout.";
    command.examples = {
        "helios stream",
        "helios stream --status mismatched --format ndjson | tee mismatches.ndjson"};
    command.options = {
        {"--flow", "FLOW", "only this flow", &a.flow, false, {}},
        {"--key", "KEY", "only the case of this key, for example an order id", &a.key, false, {}},
        {"--status", "STATUS", "only revisions with this status", &a.status, false, {}},
        {"--kind", "KIND", "only revisions with a finding of this kind", &a.kind, false, {}},
        {"--after",
         "POSITION",
         "begin behind it: `position` of a revision or of an ingest answer",
         &a.after,
         false,
         {}},
        {"--payloads", "", "with the events' payloads (ndjson)", &a.payloads, false, {}},
        {"--format",
         "FORMAT",
         "text or ndjson (json is the same)",
         &a.format,
         false,
         {"text", "ndjson", "json"}}};
    add_server_options(command.options, a.server);
    command.run = [arguments, environment] {
        return exit_code_of(stream(*arguments, environment));
    };
    return command;
}

}  // namespace helios::app
