#include <fmt/format.h>
#include <iostream>
#include <memory>
#include <unistd.h>

#include "app/cli.h"
#include "app/item_list.h"
#include "app/screen.h"
#include "base/shown.h"

namespace helios::app {
namespace {

constexpr std::size_t hanging = 4;

struct ExplainArguments {
    ServerArguments server;
    std::string key;
    std::string flow;
    std::string format = "text";
    bool full_ids = false;
};

/// What marks a line, in its colour.
std::string tinted(const Terminal& terminal, std::string line, bool first) {
    if (first || (!line.empty() && line.front() != ' ')) {
        return terminal.tint(Tint::bold, line);
    }
    for (const auto& [mark, tint] :
         {std::pair("✓", Tint::green), std::pair("✗", Tint::red), std::pair("!", Tint::yellow)}) {
        if (const auto at = line.find(mark);
            at != std::string::npos && line.find_first_not_of(' ') == at) {
            line.replace(at, std::string_view(mark).size(), terminal.tint(tint, mark));
        }
    }
    return line;
}

void print(Terminal& terminal, std::string_view text) {
    bool first = true;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        terminal.paragraph(tinted(terminal, printable(text.substr(0, end), "\t"), first), hanging);
        text.remove_prefix(std::min(text.size(), end + 1));
        first = false;
    }
}

Result<int> explain(const ExplainArguments& arguments, const Environment& environment) {
    HELIOS_TRY_ASSIGN(auto server, Server::of(arguments.server, environment));
    Terminal terminal(std::cout, screen_of(STDOUT_FILENO, environment));
    const auto columns = terminal.screen().columns;
    const bool text = arguments.format == "text";
    const Query query{{"format", arguments.format},
                      {"flow", arguments.flow},
                      {"columns", text && columns > 0 ? std::to_string(columns) : ""},
                      {"full_ids", text && arguments.full_ids ? "true" : ""}};
    HELIOS_TRY_ASSIGN(
        const auto response,
        server.get(target_of(
            fmt::format("/api/v1/orders/{}/explain", http::percent_encode(arguments.key)), query)));
    if (response.status == 404 && json::Document::parse(response.body)) {
        return complain(error_of(response), 1);
    }
    if (!text) {
        HELIOS_TRY_ASSIGN(const auto document, json_of(server.url(), response));
        fmt::print("{}\n", document.root().raw());
        return 0;
    }
    if (response.status != 200) {
        HELIOS_TRY(json_of(server.url(), response));
    }
    print(terminal, response.body);
    return 0;
}

}  // namespace

Command explain_command(const Environment& environment) {
    auto arguments = std::make_shared<ExplainArguments>();
    auto& a = *arguments;
    Command command;
    command.name = "explain";
    command.summary = "Explain the verdict of one case";
    command.description =
        "Asks a running server why the case of KEY stands as it does: the timeline, the legs side "
        "by side, every check with "
        "expected,\n"
        "actual and tolerance, what waits in quarantine, and what happens next.\n"
        "Exit 0: explained. Exit 1: there is no such case. Exit 2: usage, or the server can't be "
        "reached.";
    command.examples = {"helios explain ORD-1",
                        "helios explain ORD-1 --json | python3 -m json.tool"};
    command.options = {
        {"KEY", "KEY", "the case's key, for example an order id", &a.key, true, {}},
        {"--flow", "FLOW", "the flow, default: the primary one", &a.flow, false, {}},
        {"--format", "FORMAT", "text or json", &a.format, false, {"text", "json"}},
        {"--full-ids", "", "ids whole, however narrow the terminal is", &a.full_ids, false, {}}};
    add_server_options(command.options, a.server);
    command.run = [arguments, environment] {
        return exit_code_of(explain(*arguments, environment));
    };
    return command;
}

}  // namespace helios::app
