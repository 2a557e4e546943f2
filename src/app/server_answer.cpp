#include "app/server_answer.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

#include "app/numbers.h"
#include "base/shown.h"
#include "base/terminal.h"

namespace helios::app {
namespace {

constexpr std::size_t page_items = 100;
constexpr Duration timeout_default = std::chrono::seconds(30);

}  // namespace

std::string server_of(const std::string& given, const Environment& environment) {
    if (!given.empty()) {
        return given;
    }
    const auto found = environment.find("HELIOS_SERVER");
    return found == environment.end() || found->second.empty() ? default_server : found->second;
}

http::Headers credentials_of(const Environment& environment) {
    const auto found = environment.find("HELIOS_TOKEN");
    return found == environment.end() || found->second.empty()
               ? http::Headers()
               : http::Headers{{"Authorization", "Bearer " + found->second}};
}

std::string ca_file_of(const std::string& given, const Environment& environment) {
    const auto found = environment.find("HELIOS_CA_FILE");
    return !given.empty() || found == environment.end() ? given : found->second;
}

Option server_option(std::string& to) {
    return {"--to", "URL", "the server; default HELIOS_SERVER, else http://127.0.0.1:8001",
            &to,    false, {}};
}

Option ca_file_option(std::string& ca_file) {
    return {"--ca-file",
            "FILE",
            "PEM of who issued an https server's certificate; default HELIOS_CA_FILE, else the "
            "system's",
            &ca_file,
            false,
            {}};
}

void add_server_options(std::vector<Option>& options, ServerArguments& arguments) {
    options.push_back(server_option(arguments.to));
    options.push_back(ca_file_option(arguments.ca_file));
    options.push_back({"--timeout",
                       "TIME",
                       "how long to wait for an answer, default 30s",
                       &arguments.timeout,
                       false,
                       {}});
}

std::string target_of(std::string_view path, const Query& query) {
    std::string target(path);
    char separator = '?';
    for (const auto& [name, value] : query) {
        if (!value.empty()) {
            target += fmt::format("{}{}={}", std::exchange(separator, '&'), name,
                                  http::percent_encode(value));
        }
    }
    return target;
}

Server::Server(std::string to, const http::Url& url, Duration timeout, std::string ca_file)
    : to_(std::move(to)),
      base_(url.path == "/" ? std::string() : url.path),
      client_(url, timeout, std::move(ca_file)) {}

Result<Server> Server::of(const ServerArguments& arguments, const Environment& environment) {
    auto to = server_of(arguments.to, environment);
    HELIOS_TRY_ASSIGN(const auto url, http::Url::parse(to));
    Duration timeout = timeout_default;
    HELIOS_TRY(read_wait(arguments.timeout, "--timeout", timeout));
    if (timeout == Duration::zero()) {
        return fail(ErrorKind::invalid, "--timeout 0 leaves no time for an answer");
    }
    Server server(std::move(to), url, timeout, ca_file_of(arguments.ca_file, environment));
    HELIOS_TRY(server.client_.send_always(credentials_of(environment)));
    return server;
}

Result<http::Response> Server::get(std::string_view target) {
    auto response = client_.get(full(target));
    if (!response) {
        auto error = response.error();
        return fail(with_server_hint(std::move(error), to_));
    }
    return response;
}

Error with_server_hint(Error error, const std::string& url) {
    if (error.kind == ErrorKind::unavailable || error.kind == ErrorKind::timeout ||
        error.hint.empty()) {
        error.hint = fmt::format("is `helios serve` running at {}?", url);
    }
    return error;
}

Result<json::Document> Server::get_json(std::string_view target) {
    HELIOS_TRY_ASSIGN(const auto response, get(target));
    return json_of(to_, response);
}

/// No Helios ever had a flow of that name: a filter by it would show nothing, and hide that.
Status Server::check_flow(const std::string& flow) {
    if (flow.empty()) {
        return {};
    }
    HELIOS_TRY_ASSIGN(const auto document, get_json("/api/v1/flows"));
    const auto items = document.root().find("items");
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < items.size(); ++i) {
        names.insert(items.at(i).find("flow").text());
    }
    return names.contains(flow)
               ? Status{}
               : fail(ErrorKind::invalid,
                      fmt::format("--flow \"{}\": the server has no such flow", printable(flow)),
                      fmt::format("there are: {}",
                                  printable(fmt::format("{}", fmt::join(names, ", ")))));
}

Result<bool> Server::each_item(std::string_view path, const Query& query, std::size_t limit,
                               const std::function<void(json::Value item)>& item) {
    const bool all = limit == 0;
    std::string cursor;
    for (std::size_t left = limit; all || left > 0;) {
        auto page_query = query;
        page_query.emplace_back("limit",
                                std::to_string(all ? page_items : std::min(left, page_items)));
        page_query.emplace_back("cursor", cursor);
        HELIOS_TRY_ASSIGN(const auto page, get_json(target_of(path, page_query)));
        const auto items = page.root().find("items");
        if (!items.is_array()) {
            return fail(ErrorKind::corrupt,
                        fmt::format("what answers at {} is no Helios: it sent no list", to_),
                        "is this the address of a Helios server?");
        }
        for (std::size_t i = 0; i < items.size(); ++i) {
            item(items.at(i));
        }
        if (const auto hint = page.root().find("hint"); hint.is_string()) {
            fmt::print(stderr, "{}\n", printable(hint.text()));
        }
        const auto next = page.root().find("nextCursor");
        cursor = next.is_string() ? next.text() : std::string_view();
        if (cursor.empty() || items.size() == 0) {
            return false;
        }
        left -= all ? 0 : std::min(left, items.size());
    }
    return true;
}

Result<json::Document> json_of(const std::string& url, const http::Response& response) {
    auto document = json::Document::parse(response.body);
    const bool readable = document && document->root().is_object();
    if (response.status != 200) {
        return fail(readable ? error_of(response) : foreign_answer(url, response));
    }
    return readable ? std::move(document) : fail(foreign_answer(url, response));
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

Error foreign_answer(const std::string& url, const http::Response& response) {
    const auto type =
        std::find_if(response.headers.begin(), response.headers.end(), [](const auto& header) {
            return header.first == "Content-Type" || header.first == "content-type";
        });
    return {
        ErrorKind::corrupt,
        fmt::format("what answers at {} is no Helios, or an answer was cut: status {}, {}: {}", url,
                    response.status,
                    type == response.headers.end() ? "no content type" : printable(type->second),
                    printable(shortened(std::string_view(response.body).substr(0, 200), 80))),
        "is this the address of a Helios server?"};
}

}  // namespace helios::app
