#include "sources/sigv4.h"

#include <algorithm>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "auth/crypto.h"
#include "base/ascii.h"
#include "base/hash.h"

namespace helios::sources {
namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

/// Blanks around go, those within become one.
std::string folded(std::string_view value) {
    std::string out;
    for (const char c : value) {
        if (c != ' ' || (!out.empty() && out.back() != ' ')) {
            out.push_back(c);
        }
    }
    if (out.ends_with(' ')) {
        out.pop_back();
    }
    return out;
}

std::string canonical_query(std::string_view query) {
    std::vector<std::string> pairs;
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        std::string pair(query.substr(0, end));
        pairs.push_back(pair.find('=') == std::string::npos ? pair + "=" : pair);
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    std::ranges::sort(pairs);
    return fmt::format("{}", fmt::join(pairs, "&"));
}

std::string_view method_of(const HttpsRequest& request) {
    return request.post ? "POST" : request.put ? "PUT" : "GET";
}

}  // namespace

void sign_v4(HttpsRequest& request, const AwsKeys& keys, std::string_view region,
             std::string_view service, Instant now) {
    const auto seconds = std::chrono::time_point_cast<std::chrono::seconds>(now);
    const auto stamp = fmt::format("{:%Y%m%dT%H%M%SZ}", seconds);
    const auto day = stamp.substr(0, stamp.find('T'));
    const int usual = request.https ? 443 : 80;
    request.headers.emplace_back("Host", request.port == usual
                                             ? request.host
                                             : fmt::format("{}:{}", request.host, request.port));
    request.headers.emplace_back("X-Amz-Date", stamp);
    if (!keys.token.empty()) {
        request.headers.emplace_back("X-Amz-Security-Token", keys.token);
    }
    std::vector<std::pair<std::string, std::string>> signed_headers;
    for (const auto& [name, value] : request.headers) {
        signed_headers.emplace_back(ascii::lower(name), folded(value));
    }
    std::ranges::sort(signed_headers, {}, [](const auto& h) -> const auto& { return h.first; });
    std::string lines;
    std::string names;
    for (const auto& [name, value] : signed_headers) {
        lines += name + ":" + value + "\n";
        names += (names.empty() ? "" : ";") + name;
    }
    const auto question = std::min(request.target.find('?'), request.target.size());
    const auto query =
        std::string_view(request.target).substr(std::min(question + 1, request.target.size()));
    const auto canonical =
        fmt::format("{}\n{}\n{}\n{}\n{}\n{}", method_of(request),
                    std::string_view(request.target).substr(0, question), canonical_query(query),
                    lines, names, to_hex(sha256(request.body)));
    const auto scope = fmt::format("{}/{}/{}/aws4_request", day, region, service);
    const auto to_sign =
        fmt::format("{}\n{}\n{}\n{}", algorithm, stamp, scope, to_hex(sha256(canonical)));
    auto key = auth::hmac_sha256("AWS4" + keys.secret, {day});
    for (const auto part : {region, service, std::string_view("aws4_request")}) {
        key = auth::hmac_sha256(key, {part});
    }
    request.headers.emplace_back(
        "Authorization",
        fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", algorithm, keys.id,
                    scope, names, to_hex(auth::hmac_sha256(key, {to_sign}))));
}

}  // namespace helios::sources
