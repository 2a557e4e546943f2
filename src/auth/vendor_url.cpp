#include "auth/vendor_url.h"

#include <algorithm>
#include <fmt/format.h>

#include "auth/encoding.h"
#include "base/ascii.h"

namespace helios::auth {

namespace {

constexpr std::size_t host_bytes_max = 253;
constexpr std::size_t pairs_max = 32;

bool is_host_name(std::string_view host) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    };
    return !host.empty() && host.size() <= host_bytes_max && std::ranges::all_of(host, fits) &&
           !host.starts_with('.') && !host.ends_with('.') &&
           host.find("..") == std::string_view::npos;
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i] == '+' ? ' ' : text[i]);
            continue;
        }
        const auto byte = decode_hex(text.substr(i + 1, 2));
        if (!byte || byte->size() != 1) {
            return std::nullopt;
        }
        out += *byte;
        i += 2;
    }
    return out;
}

std::unexpected<Error> no_url(const char* what) {
    return fail(ErrorKind::invalid, fmt::format("not a URL that may be visited: {}", what));
}

}  // namespace

Result<VendorUrl> VendorUrl::parse(std::string_view text) {
    const auto visible = [](char c) { return c > ' ' && c < '\x7f' && c != '\\'; };
    if (text.size() > vendor_url_bytes_max || !std::ranges::all_of(text, visible)) {
        return no_url("too long, or with characters that it can't have");
    }
    VendorUrl url;
    const auto scheme_end = text.find("://");
    const std::string scheme =
        scheme_end == std::string_view::npos ? "" : ascii::lower(text.substr(0, scheme_end));
    if (scheme != "https" && scheme != "http") {
        return no_url("neither https nor http");
    }
    url.https = scheme == "https";
    text.remove_prefix(scheme_end + 3);
    if (text.find('#') != std::string_view::npos) {
        return no_url("with a fragment");
    }
    const auto authority_end = std::min(text.find_first_of("/?"), text.size());
    const auto authority = text.substr(0, authority_end);
    text.remove_prefix(authority_end);
    const auto colon = authority.find(':');
    url.host = ascii::lower(authority.substr(0, colon));
    if (!is_host_name(url.host)) {  // user information has an '@', which no host has
        return no_url("its host is no name");
    }
    url.port = url.https ? 443 : 80;
    if (colon != std::string_view::npos) {
        const auto port = parse_seconds(authority.substr(colon + 1));  // digits alone
        if (!port || *port == 0 || *port > 65'535) {
            return no_url("its port is no number");
        }
        url.port = static_cast<std::uint16_t>(*port);
    }
    const auto question = text.find('?');
    url.path = text.substr(0, question);
    if (url.path.empty()) {
        url.path = "/";
    }
    if (question != std::string_view::npos) {
        url.query = text.substr(question + 1);
    }
    return url;
}

std::string VendorUrl::authority() const {
    return fmt::format("{}:{}", host, port);
}

std::string VendorUrl::target() const {
    return query.empty() ? path : fmt::format("{}?{}", path, query);
}

std::string VendorUrl::to_string() const {
    return fmt::format("{}://{}{}", https ? "https" : "http", authority(), target());
}

std::optional<std::vector<std::pair<std::string, std::string>>> query_pairs(
    std::string_view query) {
    std::vector<std::pair<std::string, std::string>> pairs;
    while (!query.empty()) {
        const auto ampersand = query.find('&');
        const auto item = query.substr(0, ampersand);
        query.remove_prefix(ampersand == std::string_view::npos ? query.size() : ampersand + 1);
        const auto equals = item.find('=');
        auto name = percent_decoded(item.substr(0, equals));
        auto value = percent_decoded(equals == std::string_view::npos ? std::string_view()
                                                                      : item.substr(equals + 1));
        if (!name || !value || pairs.size() == pairs_max ||
            std::ranges::any_of(pairs, [&](const auto& known) { return known.first == *name; })) {
            return std::nullopt;
        }
        pairs.emplace_back(*std::move(name), *std::move(value));
    }
    return pairs;
}

}  // namespace helios::auth
