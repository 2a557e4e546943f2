#include "sources/endpoint.h"

#include <algorithm>
#include <fmt/format.h>
#include <initializer_list>

#include "auth/vendor_url.h"
#include "base/ascii.h"
#include "base/shown.h"
#include "http/client.h"

namespace helios::sources {
namespace {

constexpr std::size_t said_bytes_max = 300;

/// Vendors say some things with a code beside a status that says less.
ErrorKind kind_of(int status, std::string_view code) {
    const auto lower = ascii::lower(code);
    const auto names = [&](std::initializer_list<std::string_view> parts) {
        return std::ranges::any_of(
            parts, [&](auto part) { return lower.find(part) != std::string::npos; });
    };
    if (status == 429 || names({"throttl", "overlimit", "toomanyrequests", "slowdown",
                                "resource_exhausted", "requestlimitexceeded"})) {
        return ErrorKind::exhausted;
    }
    if (status >= 500 || status == 408 || names({"internalerror", "serviceunavailable"})) {
        return ErrorKind::unavailable;
    }
    if (status == 401 || status == 403 ||
        names({"accessdenied", "invalidclienttokenid", "unrecognizedclient",
               "signaturedoesnotmatch", "expiredtoken", "authfailure", "missingauthentication",
               "invalidsecurity", "invalid_grant", "invalid_client", "invalidaccesskey"})) {
        return ErrorKind::denied;
    }
    if (status == 404 || names({"queuedoesnotexist", "nonexistentqueue", "not_found"})) {
        return ErrorKind::not_found;
    }
    return ErrorKind::invalid;
}

std::string_view hint_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::denied:
            return "look at the credentials, what they are allowed, and this machine's clock";
        case ErrorKind::not_found:
            return "look at its name, its region and its account";
        default:
            return "";
    }
}

}  // namespace

Result<HttpsRequest> request_to(std::string_view text, Reach reach) {
    HELIOS_TRY_ASSIGN(const auto url, auth::VendorUrl::parse(text));
    HttpsRequest request;
    request.https = url.https;
    request.host = url.host;
    request.port = url.port;
    request.target = url.target();
    request.reach = reach;
    return request;
}

void set_json(HttpsRequest& request, std::string body, std::string_view media_type) {
    request.post = true;
    request.headers.emplace_back("Content-Type", media_type);
    request.body = std::move(body);
}

std::string form_of(const std::vector<std::pair<std::string_view, std::string_view>>& fields) {
    std::string out;
    for (const auto& [name, value] : fields) {
        out += fmt::format("{}{}={}", out.empty() ? "" : "&", http::percent_encode(name),
                           http::percent_encode(value));
    }
    return out;
}

Error error_of_answer(const HttpsAnswer& answer, std::string_view where, std::string_view code,
                      std::string_view said) {
    const auto kind = kind_of(answer.status, code);
    std::string what = fmt::format("{} answers {}", where, answer.status);
    for (const auto part : {code, said}) {
        if (!part.empty()) {
            what += ": " + shown(part, said_bytes_max);
        }
    }
    return {kind, std::move(what), std::string(hint_of(kind))};
}

Result<json::Document> object_in(const HttpsAnswer& answer, std::string_view where) {
    auto document = json::Document::parse(answer.body);
    if (!document || !document->root().is_object()) {
        return fail(ErrorKind::corrupt,
                    fmt::format("{} answers {} with what is no JSON object", where, answer.status),
                    "something between here and there may have answered instead");
    }
    return document;
}

}  // namespace helios::sources
