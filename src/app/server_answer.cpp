#include "app/server_answer.h"

#include <fmt/format.h>

#include "app/printable.h"
#include "base/json.h"
#include "http/client.h"

namespace helios::app {

std::string server_of(const std::string& given, const Environment& environment) {
    if (!given.empty()) {
        return given;
    }
    const auto found = environment.find("HELIOS_SERVER");
    return found == environment.end() || found->second.empty() ? default_server : found->second;
}

Option server_option(std::string& to) {
    return {"--to", "URL", "the server; default HELIOS_SERVER, else http://127.0.0.1:8001", &to, false, {}};
}

Result<http::Response> ask_server(const std::string& to, std::string_view target) {
    HELIOS_TRY_ASSIGN(const auto url, http::Url::parse(to));
    http::Client client(url.host, url.port);
    auto response = client.get(fmt::format("{}{}", url.path == "/" ? "" : url.path, target));
    if (!response) {
        auto error = response.error();
        error.hint = fmt::format("is `helios serve` running at {}?", to);
        return fail(std::move(error));
    }
    return response;
}

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
        error.what += "\n  in quarantine, naming this key:";
        for (std::size_t i = 0; i < waiting.size(); ++i) {
            const auto item = waiting.at(i);
            std::string line;
            for (const auto* name : {"dlqId", "source", "eventType", "reason", "detail"}) {
                if (const auto text = item.find(name); text.is_string() && !text.text().empty()) {
                    line += (line.empty() ? "" : "  ") + printable(text.text());
                }
            }
            error.what += "\n    " + line;
        }
        error.hint = "`helios dlq show ID` shows one whole";
    }
    return error;
}

}  // namespace helios::app
