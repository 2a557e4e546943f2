/// `helios dlq resubmit|discard|redrive`.

#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <memory>
#include <unistd.h>

#include "app/cli.h"
#include "app/dlq_commands.h"
#include "app/dlq_edits.h"
#include "app/interrupt.h"
#include "app/item_list.h"
#include "app/screen.h"
#include "app/server_answer.h"
#include "base/shown.h"
#include "base/terminal.h"

namespace helios::app {
namespace {

constexpr Duration watch_interval = std::chrono::milliseconds(500);

struct ResubmitArguments {
    ServerArguments server;
    std::string id;
    std::string payload_file;
    std::string body_file;
    DlqEdits edits;
    bool dry = false;
};

struct DiscardArguments {
    ServerArguments server;
    std::string id;
    std::string reason;
};

struct RedriveArguments {
    ServerArguments server;
    std::string reason;
    std::string source;
    std::string type;
    std::string key;
    std::string start_time;
    std::string end_time;
    std::vector<std::string> ids;
    std::string watch;
    bool dry = false;
    bool no_wait = false;
};

Result<std::string> read_input(const std::string& file, const char* option) {
    std::string content;
    if (file == "-") {
        content.assign(std::istreambuf_iterator<char>(std::cin), {});
    } else {
        std::ifstream in(file, std::ios::binary);
        if (!in) {
            return fail(ErrorKind::not_found,
                        fmt::format("{} {}: can't be read", option, printable(file)),
                        "name a file, or - for standard input");
        }
        content.assign(std::istreambuf_iterator<char>(in), {});
    }
    if (content.empty()) {
        return fail(ErrorKind::invalid, fmt::format("{} {}: is empty", option, printable(file)));
    }
    return content;
}

/// POST; any status is an answer.
Result<http::Response> post(Server& server, const std::string& target, const std::string& body) {
    auto response = server.client().post(server.full(target), "application/json", body);
    if (!response) {
        auto error = response.error();
        error.hint = fmt::format("is `helios serve` running at {}?", server.url());
        return fail(std::move(error));
    }
    return response;
}

/// The item that an id, or its beginning, names; its whole id is in it.
Result<json::Document> item_of(Server& server, const std::string& id) {
    return server.get_json("/api/v1/dlq/" + http::percent_encode(id));
}

std::string path_of(json::Value item, const char* verb) {
    return fmt::format("/api/v1/dlq/{}/{}", http::percent_encode(item.find("dlqId").text()), verb);
}

Result<int> resubmit(ResubmitArguments& a, const Environment& environment) {
    HELIOS_TRY_ASSIGN(auto server, Server::of(a.server, environment));
    if (!a.payload_file.empty()) {
        HELIOS_TRY_ASSIGN(a.edits.payload, read_input(a.payload_file, "--payload"));
    }
    if (!a.body_file.empty()) {
        HELIOS_TRY_ASSIGN(a.edits.body, read_input(a.body_file, "--body"));
    }
    HELIOS_TRY_ASSIGN(const auto request, to_json(a.edits));
    HELIOS_TRY_ASSIGN(const auto item, item_of(server, a.id));
    for (const auto& line : differences(item.root(), a.edits)) {
        fmt::print("{}\n", line);
    }
    if (a.dry) {
        return 0;
    }
    HELIOS_TRY_ASSIGN(const auto response, post(server, path_of(item.root(), "resubmit"), request));
    const auto answer = json::Document::parse(response.body);
    if (!answer || !answer->root().is_object()) {
        return fail(foreign_answer(server.url(), response));
    }
    const auto root = answer->root();
    if (response.status == 200 || response.status == 202) {
        fmt::print("{}: event {}\n", printable(root.find("status").text()),
                   printable(root.find("eventId").text()));
        return 0;
    }
    const bool is_no = response.status == 409 || response.status == 422;
    auto error = error_of(response);
    if (const auto errors = root.find("errors"); is_no && errors.size() > 0) {
        error.hint = "give it anew: --payload, --event-type, --id, --time, --source or --body";
    }
    return complain(error, is_no ? 1 : 2);
}

Result<int> discard(const DiscardArguments& a, const Environment& environment) {
    HELIOS_TRY_ASSIGN(auto server, Server::of(a.server, environment));
    HELIOS_TRY_ASSIGN(const auto item, item_of(server, a.id));
    json::Writer body;
    body.begin_object().field("reason", std::string_view(a.reason)).end_object();
    HELIOS_TRY_ASSIGN(const auto response,
                      post(server, path_of(item.root(), "discard"), body.take()));
    if (response.status == 409) {
        return complain(error_of(response), 1);
    }
    HELIOS_TRY_ASSIGN(const auto answer, json_of(server.url(), response));
    fmt::print("discarded: {}\n", printable(answer.root().find("dlqId").text()));
    return 0;
}

std::string filter_of(const RedriveArguments& a) {
    json::Writer out;
    out.begin_object().key("filter").begin_object();
    for (const auto& [name, value] :
         {std::pair("reason", &a.reason), std::pair("source", &a.source),
          std::pair("eventType", &a.type), std::pair("key", &a.key),
          std::pair("startTime", &a.start_time), std::pair("endTime", &a.end_time)}) {
        if (!value->empty()) {
            out.field(name, std::string_view(*value));
        }
    }
    if (!a.ids.empty()) {
        out.key("ids").begin_array();
        for (const auto& id : a.ids) {
            out.string(id);
        }
        out.end_array();
    }
    out.end_object();
    if (a.dry) {
        out.field("dryRun", true);
    }
    return out.end_object().take();
}

void print_preview(json::Value preview) {
    fmt::print("{} match, {} would pass\n", printable(preview.find("matched").text()),
               printable(preview.find("wouldPass").text()));
    const auto fails = preview.find("wouldFail");
    for (std::size_t i = 0; i < fails.size(); ++i) {
        fmt::print("{:>6} would fail: {}\n", printable(fails.at(i).text()),
                   printable(fails.key_at(i)));
    }
    const auto examples = preview.find("examples");
    for (std::size_t i = 0; i < examples.size(); ++i) {
        const auto example = examples.at(i);
        const auto reason = example.find("reason");
        fmt::print("  {}  {}  {}  {}\n", shown_text(example, "dlqId"),
                   shown_text(example, "source"), shown_text(example, "eventType"),
                   reason.is_string() ? printable(reason.text()) : "would pass");
    }
}

std::string progress_of(json::Value redrive) {
    return fmt::format(
        "{} of {}: {} accepted, {} duplicate, {} conflict, {} failed",
        printable(redrive.find("done").text()), printable(redrive.find("total").text()),
        printable(redrive.find("accepted").text()), printable(redrive.find("duplicate").text()),
        printable(redrive.find("conflict").text()), printable(redrive.find("failed").text()));
}

/// Until it has ended, or Ctrl-C: the server goes on with it.
Result<int> watch(Server& server, const std::string& id, const Environment& environment) {
    const Interrupt interrupt;
    Terminal terminal(std::cerr, screen_of(STDERR_FILENO, environment));
    while (true) {
        HELIOS_TRY_ASSIGN(const auto answer,
                          server.get_json("/api/v1/dlq/redrive/" + http::percent_encode(id)));
        const auto status = answer.root().find("status").text();
        if (status != "running") {
            terminal.clear_progress();
            fmt::print("{}: {}\n", printable(status), progress_of(answer.root()));
            if (const auto detail = answer.root().find("detail"); detail.is_string()) {
                fmt::print("{}\n", printable(detail.text()));
            }
            return status == "done" ? 0 : 1;
        }
        if (terminal.screen().rewrites) {
            terminal.progress(progress_of(answer.root()));
        }
        if (interrupt.wait_for(watch_interval)) {
            terminal.clear_progress();
            fmt::print(stderr,
                       "the server goes on; `helios dlq redrive --watch {}` shows how far\n",
                       printable(id));
            return 0;
        }
    }
}

Result<int> redrive(const RedriveArguments& a, const Environment& environment) {
    HELIOS_TRY_ASSIGN(auto server, Server::of(a.server, environment));
    if (!a.watch.empty()) {
        return watch(server, a.watch, environment);
    }
    HELIOS_TRY_ASSIGN(const auto response, post(server, "/api/v1/dlq/redrive", filter_of(a)));
    const auto answer = json::Document::parse(response.body);
    if (!answer || !answer->root().is_object()) {
        return fail(foreign_answer(server.url(), response));
    }
    if (response.status == 200) {
        print_preview(answer->root());
        return 0;
    }
    if (response.status != 202) {
        return fail(error_of(response));
    }
    const std::string id(answer->root().find("id").text());
    fmt::print("redrive {}: {} items\n", printable(id),
               printable(answer->root().find("total").text()));
    return a.no_wait ? Result<int>(0) : watch(server, id, environment);
}

Option id_option(std::string& id) {
    return {"ID", "ID", "as `helios dlq ls` shows it; its beginning will do, if only one has it",
            &id,  true, {}};
}

}  // namespace

Command dlq_resubmit_command(const Environment& environment) {
    auto arguments = std::make_shared<ResubmitArguments>();
    auto& a = *arguments;
    Command command;
    command.name = "resubmit";
    command.summary = "Take an item in again, as it came or edited";
    command.description =
        "It goes through the door once more, as if its sender had sent it now. What is given anew "
        "is shown first, line by\n"
        "line (- before, + after). What fails again stays in quarantine under the same id.\n"
        "Exit 0: it is an event (or, with --dry-run, shown). Exit 1: it still can't be one. Exit "
        "2: usage, or the server can't be reached.";
    command.examples = {"helios dlq resubmit af2f90cc",
                        "helios dlq resubmit af2f90cc --event-type OrderPlaced",
                        "helios dlq resubmit af2f90cc --payload corrected.json --dry-run"};
    command.options = {
        id_option(a.id),
        {"--payload",
         "FILE",
         "this payload instead (- for standard input)",
         &a.payload_file,
         false,
         {}},
        {"--event-type", "TYPE", "this type instead", &a.edits.event_type, false, {}},
        {"--event-id", "ID", "this id of the event instead", &a.edits.id, false, {}},
        {"--time",
         "TIME",
         "this time instead: RFC 3339 or epoch milliseconds",
         &a.edits.time,
         false,
         {}},
        {"--source", "SOURCE", "this source instead", &a.edits.source, false, {}},
        {"--body",
         "FILE",
         "this whole body instead, as its sender would send it",
         &a.body_file,
         false,
         {}},
        {"--dry-run", "", "only show what would change", &a.dry, false, {}}};
    add_server_options(command.options, a.server);
    command.run = [arguments, environment] {
        return exit_code_of(resubmit(*arguments, environment));
    };
    return command;
}

Command dlq_discard_command(const Environment& environment) {
    auto arguments = std::make_shared<DiscardArguments>();
    auto& a = *arguments;
    Command command;
    command.name = "discard";
    command.summary = "Decide that an item is not wanted";
    command.description =
        "It is listed under --status discarded from then on. Nothing is deleted: resubmit still "
        "takes it in.\n"
        "Exit 0: discarded. Exit 1: it is an event already. Exit 2: usage, no such item, or the "
        "server can't be reached.";
    command.examples = {"helios dlq discard af2f90cc --reason \"a test of the shop's\""};
    command.options = {id_option(a.id),
                       {"--reason", "TEXT", "why; kept with it", &a.reason, true, {}}};
    add_server_options(command.options, a.server);
    command.run = [arguments, environment] {
        return exit_code_of(discard(*arguments, environment));
    };
    return command;
}

Command dlq_redrive_command(const Environment& environment) {
    auto arguments = std::make_shared<RedriveArguments>();
    auto& a = *arguments;
    Command command;
    command.name = "redrive";
    command.summary = "Take what waits and matches in again; Ctrl-C stops watching";
    command.description =
        "Each item once, as it came, in the order in which they came. The server goes on with it "
        "whatever becomes of this\n"
        "command, and of the server; it ends it when 10 in a row, or 5 % of at least 100, fail.\n"
        "Exit 0: done, shown, or no longer watched. Exit 1: ended because too much failed. Exit 2: "
        "usage, or the server can't be reached.";
    command.examples = {"helios dlq redrive --reason unknown_source --dry-run",
                        "helios dlq redrive --reason unknown_source --source warehouse",
                        "helios dlq redrive --id af2f90cc-8cc2-550f-837b-265dbc67867c"};
    command.options = {
        {"--reason", "REASON", "only this reason", &a.reason, false, {}},
        {"--source", "SOURCE", "only this source", &a.source, false, {}},
        {"--event-type", "TYPE", "only this type", &a.type, false, {}},
        {"--key,--order-id", "KEY", "only items with this key", &a.key, false, {}},
        {"--start-time", "TIME", "only what came last at or after it", &a.start_time, false, {}},
        {"--end-time", "TIME", "only what came last before it", &a.end_time, false, {}},
        {"--id", "ID", "only this item, exhausted or not; may be given again", &a.ids, false, {}},
        {"--dry-run", "", "only say what would come of it", &a.dry, false, {}},
        {"--no-wait", "", "begin it, and do not watch", &a.no_wait, false, {}},
        {"--watch", "REDRIVE", "begin none: watch this one", &a.watch, false, {}}};
    add_server_options(command.options, a.server);
    command.run = [arguments, environment] {
        return exit_code_of(redrive(*arguments, environment));
    };
    return command;
}

}  // namespace helios::app
