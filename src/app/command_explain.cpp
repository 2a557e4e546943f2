#include <fmt/format.h>

#include <memory>

#include "app/cli.h"
#include "base/json.h"
#include "http/client.h"

namespace helios::app {
namespace {

struct ExplainOptions {
    std::string key;
    std::string flow;
    std::string to = "http://127.0.0.1:8001";
    std::string format = "text";
};

Error error_of(const http::Response& response) {
    Error error{ErrorKind::unavailable, fmt::format("the server answered {}", response.status), ""};
    const auto document = json::Document::parse(response.body);
    if (!document) {
        return error;
    }
    for (const auto* name : {"detail", "title"}) {
        if (const auto text = document->root().find(name); text.is_string()) {
            error.what = text.text();
            break;
        }
    }
    if (const auto hint = document->root().find("hint"); hint.is_string()) {
        error.hint = hint.text();
    }
    if (const auto waiting = document->root().find("quarantined"); waiting.size() > 0) {
        error.what += fmt::format("\n  in quarantine, naming this key: {}", waiting.raw());
    }
    return error;
}

int explain(const ExplainOptions& options) {
    const auto url = http::Url::parse(options.to);
    if (!url) {
        return complain(url.error());
    }
    http::Client client(url->host, url->port);
    auto target = fmt::format("{}/api/v1/orders/{}/explain?format={}", url->path == "/" ? "" : url->path, http::percent_encode(options.key), options.format);
    if (!options.flow.empty()) {
        target += "&flow=" + http::percent_encode(options.flow);
    }
    const auto response = client.get(target);
    if (!response) {
        auto error = response.error();
        error.hint = fmt::format("is `helios serve` running at {}?", options.to);
        return complain(error);
    }
    if (response->status == 404) {
        return complain(error_of(*response), 1);
    }
    if (response->status != 200) {
        return complain(error_of(*response));
    }
    fmt::print("{}{}", response->body, response->body.ends_with('\n') ? "" : "\n");
    return 0;
}

}  // namespace

Command explain_command() {
    auto options = std::make_shared<ExplainOptions>();
    Command command;
    command.name = "explain";
    command.summary = "Explain the verdict of one case";
    command.description =
        "Asks a running server why the case of KEY stands as it does: the timeline, the legs side by side, every check with expected,\n"
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
