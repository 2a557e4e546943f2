#include <fmt/format.h>
#include <memory>

#include "app/cli.h"
#include "app/printable.h"
#include "app/server_answer.h"
#include "http/client.h"

namespace helios::app {
namespace {

struct ExplainOptions {
    std::string key;
    std::string flow;
    std::string to = default_server;
    std::string format = "text";
};

int explain(const ExplainOptions& options) {
    auto target = fmt::format("/api/v1/orders/{}/explain?format={}", http::percent_encode(options.key), options.format);
    if (!options.flow.empty()) {
        target += "&flow=" + http::percent_encode(options.flow);
    }
    const auto response = ask_server(options.to, target);
    if (!response) {
        return complain(response.error());
    }
    if (response->status == 404) {
        return complain(error_of(*response), 1);
    }
    if (response->status != 200) {
        return complain(error_of(*response));
    }
    const auto text = options.format == "text" ? printable(response->body, "\n\t") : response->body;
    fmt::print("{}{}", text, text.ends_with('\n') ? "" : "\n");
    return 0;
}

}  // namespace

Command explain_command() {
    auto options = std::make_shared<ExplainOptions>();
    Command command;
    command.name = "explain";
    command.summary = "Explain the verdict of one case";
    command.description =
        "Asks a running server why the case of KEY stands as it does: the timeline, the legs side by side, every check with "
        "expected,\n"
        "actual and tolerance, what waits in quarantine, and what happens next.\n"
        "Exit 0: explained. Exit 1: there is no such case. Exit 2: usage, or the server can't be reached.";
    command.examples = {"helios explain ORD-1", "helios explain ORD-1 --format json | python3 -m json.tool"};
    command.options = {{"KEY", "KEY", "the case's key, for example an order id", &options->key, true, {}},
                       {"--flow", "FLOW", "the flow, default: the primary one", &options->flow, false, {}},
                       {"--to", "URL", "the server, default http://127.0.0.1:8001", &options->to, false, {}},
                       {"--format", "FORMAT", "text or json", &options->format, false, {"text", "json"}}};
    command.run = [options] { return explain(*options); };
    return command;
}

}  // namespace helios::app
