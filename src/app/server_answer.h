#pragma once
/// What commands share that ask a running server: the question, and its refusals as errors a person understands.

#include <string>
#include <string_view>

#include "app/cli.h"
#include "app/environment.h"
#include "base/result.h"
#include "http/message.h"

namespace helios::app {

inline constexpr const char* default_server = "http://127.0.0.1:8001";

/// The server that a command talks to: `given`, as --to had it, else HELIOS_SERVER, else this machine's default.
std::string server_of(const std::string& given, const Environment& environment);

/// --to.
Option server_option(std::string& to);

/// GET `target` ("/api/v1/…", percent-encoded) of the server at `to`. Any status is an answer.
/// invalid: `to` is no URL. unavailable, timeout: nobody answers there; the hint says so.
Result<http::Response> ask_server(const std::string& to, std::string_view target);

/// A problem document as an error: its detail, else its title, its hint, and what waits in quarantine.
Error error_of(const http::Response& response);

}  // namespace helios::app
