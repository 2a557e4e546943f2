#include "http/websocket_handshake.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/hash.h"
#include "http/url.h"

namespace helios::http {

namespace {

constexpr std::size_t nonce_bytes = 16;  // RFC 6455, 4.1: what a key is the base64 of

/// Whether `token` is in the list that all header fields of that name make together.
bool lists(const Request& request, std::string_view name, std::string_view token) {
    for (const auto& [field, value] : request.headers) {
        if (!equal_ignoring_case(field, name)) {
            continue;
        }
        for (std::string_view rest = value; !rest.empty();) {
            const auto comma = std::min(rest.find(','), rest.size());
            if (equal_ignoring_case(ascii::trimmed(rest.substr(0, comma)), token)) {
                return true;
            }
            rest.remove_prefix(std::min(comma + 1, rest.size()));
        }
    }
    return false;
}

/// The value of a field that may occur once; nullptr: it does not, or more than once.
const std::string* only(const Request& request, std::string_view name) {
    const std::string* found = nullptr;
    for (const auto& [field, value] : request.headers) {
        if (equal_ignoring_case(field, name)) {
            if (found != nullptr) {
                return nullptr;
            }
            found = &value;
        }
    }
    return found;
}

Response upgrade_required(std::string_view detail) {
    return problem(
               426, "Upgrade required", detail,
               "connect with a WebSocket client: ws:// in place of http://, protocol version 13")
        .with("Upgrade", "websocket")
        .with("Sec-WebSocket-Version", "13");
}

Response bad_handshake(std::string_view detail) {
    return problem(400, "Bad WebSocket handshake", detail,
                   "see RFC 6455, 4.1; a WebSocket client sends this by itself");
}

}  // namespace

std::optional<Response> refuse_handshake(const RequestHead& head, const Request& request) {
    if (request.method != Method::get || head.http_1_0 || !lists(request, "Upgrade", "websocket") ||
        !lists(request, "Connection", "upgrade")) {
        return upgrade_required("this path speaks WebSocket only");
    }
    const std::string* version = only(request, "Sec-WebSocket-Version");
    if (version == nullptr || ascii::trimmed(*version) != "13") {
        return upgrade_required("the WebSocket version asked for is not 13");
    }
    const std::string* key = only(request, "Sec-WebSocket-Key");
    std::string nonce;
    if (key == nullptr || !base64_decode(ascii::trimmed(*key), nonce) ||
        nonce.size() != nonce_bytes) {
        return bad_handshake(
            "Sec-WebSocket-Key must be there, once, and be the base64 of 16 bytes");
    }
    if (head.has_body) {
        return bad_handshake("a request for a WebSocket has no body");
    }
    return std::nullopt;
}

}  // namespace helios::http
