#pragma once
/// What the commands that ask a running server share: its address, the request, its refusals as
/// errors a person understands, and its lists page by page.

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/cli.h"
#include "app/environment.h"
#include "base/json.h"
#include "base/result.h"
#include "http/client.h"
#include "http/message.h"

namespace helios::app {

inline constexpr const char* default_server = "http://127.0.0.1:8001";

/// --to, --ca-file and --timeout as they were typed.
struct ServerArguments {
    std::string to;
    std::string ca_file;
    std::string timeout;
};

/// The server that a command talks to: `given`, as --to had it, else HELIOS_SERVER, else this
/// machine's default.
std::string server_of(const std::string& given, const Environment& environment);

/// What a server is sent with each request to know who asks: the key or token of HELIOS_TOKEN.
http::Headers credentials_of(const Environment& environment);

/// Whose word about an https server counts: `given`, as --ca-file had it, else HELIOS_CA_FILE, else
/// (empty) the system's authorities.
std::string ca_file_of(const std::string& given, const Environment& environment);

Option server_option(std::string& to);
Option ca_file_option(std::string& ca_file);
/// --to, --ca-file and --timeout.
void add_server_options(std::vector<Option>& options, ServerArguments& arguments);

using Query = std::vector<std::pair<const char*, std::string>>;

/// `path` with those of `query` that have a value, percent-encoded.
std::string target_of(std::string_view path, const Query& query);

/// A running server. Not thread-safe.
class Server {
public:
    /// invalid: no URL, or no time.
    static Result<Server> of(const ServerArguments& arguments, const Environment& environment);

    /// GET `target` ("/api/v1/…", percent-encoded). Any status is an answer. unavailable, timeout:
    /// nobody answers there; the hint says so.
    Result<http::Response> get(std::string_view target);

    /// The answer as JSON. Errors of get(), the server's own refusals as error_of() has them, and
    /// corrupt: it is no Helios.
    Result<json::Document> get_json(std::string_view target);

    /// Each item of a paged list in order, at most `limit` of them (0: all). True: there are more.
    /// What the server hints at is passed on. Errors of get_json() and of `item`.
    Result<bool> each_item(std::string_view path, const Query& query, std::size_t limit,
                           const std::function<void(json::Value item)>& item);

    /// invalid: a flow is named that the server has never had.
    Status check_flow(const std::string& flow);

    const std::string& url() const { return to_; }
    http::Client& client() { return client_; }
    /// "/base/api/v1/…" of "/api/v1/…".
    std::string full(std::string_view target) const { return base_ + std::string(target); }

private:
    Server(std::string to, const http::Url& url, Duration timeout, std::string ca_file);
    std::string to_;
    std::string base_;
    http::Client client_;
};

/// An error of asking `url`, for a person: whether anybody answers there at all, unless the error
/// knows better.
Error with_server_hint(Error error, const std::string& url);

/// A problem document as an error: its detail, else its title, its hint, and what waits in
/// quarantine.
Error error_of(const http::Response& response);

/// The body of an answer as an object. Errors as of Server::get_json().
Result<json::Document> json_of(const std::string& url, const http::Response& response);

/// "what answers at URL is no Helios …".
Error foreign_answer(const std::string& url, const http::Response& response);

}  // namespace helios::app
