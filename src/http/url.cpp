#include "http/url.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "base/utf8.h"
#include "http/client.h"

namespace helios::http {

namespace {

constexpr std::size_t query_params_max = 1024;

int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool is_dot_segment(std::string_view segment) {
    return segment == "." || segment == "..";
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                              [](char x, char y) { return lower(x) == lower(y); });
}

Result<Target> split_target(std::string_view target) {
    const auto is_bad = [](char c) {
        return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F || c == '#';
    };
    if (std::any_of(target.begin(), target.end(), is_bad)) {
        return fail(ErrorKind::invalid,
                    "the request target contains a space, a control character or a fragment");
    }
    Target parts;
    if (target == "*") {
        parts.path = target;
        return parts;
    }
    if (!target.starts_with('/')) {
        const auto scheme_end = target.find("://");
        const auto scheme = target.substr(0, scheme_end == std::string_view::npos ? 0 : scheme_end);
        if (!equal_ignoring_case(scheme, "http") && !equal_ignoring_case(scheme, "https")) {
            return fail(ErrorKind::invalid, "the request target is neither a path nor an http URL");
        }
        target.remove_prefix(scheme_end + 3);
        const auto authority_end = std::min(target.find_first_of("/?"), target.size());
        parts.authority = target.substr(0, authority_end);
        target.remove_prefix(authority_end);
        if (parts.authority.empty()) {
            return fail(ErrorKind::invalid, "the request target names no host");
        }
    }
    const auto question = target.find('?');
    parts.path = target.substr(0, question);
    if (question != std::string_view::npos) {
        parts.query = target.substr(question + 1);
    }
    if (parts.path.empty()) {
        parts.path = "/";
    }
    return parts;
}

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return fail(
                    ErrorKind::invalid,
                    fmt::format("a '%' at position {} is not followed by two hex digits", i),
                    "write a literal % as %25");
            }
            c = static_cast<char>(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c == '\0') {
            return fail(ErrorKind::invalid, "a NUL character is not allowed here", "leave %00 out");
        }
        decoded.push_back(c);
    }
    if (!utf8::is_valid(decoded)) {
        return fail(ErrorKind::invalid, "the decoded text is not UTF-8",
                    "percent-encode the bytes of UTF-8");
    }
    return decoded;
}

Result<std::string> decode_path(std::string_view raw_path) {
    // Segment by segment: only so does an encoded slash not become a separator.
    std::string_view rest = raw_path;
    while (!rest.empty()) {
        rest.remove_prefix(1);  // the slash
        const auto end = std::min(rest.find('/'), rest.size());
        const auto segment = rest.substr(0, end);
        if (is_dot_segment(segment)) {
            return fail(ErrorKind::invalid, "a path segment is \".\" or \"..\"");
        }
        if (segment.find('%') != std::string_view::npos) {
            HELIOS_TRY_ASSIGN(const std::string decoded, percent_decode(segment));
            if (is_dot_segment(decoded)) {
                return fail(ErrorKind::invalid, "a path segment is \".\" or \"..\"");
            }
        }
        rest.remove_prefix(end);
    }
    return percent_decode(raw_path);
}

Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view raw_query) {
    std::vector<std::pair<std::string, std::string>> params;
    while (!raw_query.empty()) {
        const auto end = std::min(raw_query.find('&'), raw_query.size());
        const auto pair = raw_query.substr(0, end);
        raw_query.remove_prefix(std::min(end + 1, raw_query.size()));
        if (pair.empty()) {
            continue;
        }
        if (params.size() == query_params_max) {
            return fail(ErrorKind::invalid,
                        fmt::format("the query has more than {} parameters", query_params_max),
                        "ask for less at once");
        }
        const auto equals = pair.find('=');
        HELIOS_TRY_ASSIGN(std::string name, percent_decode(pair.substr(0, equals), true));
        std::string value;
        if (equals != std::string_view::npos) {
            HELIOS_TRY_ASSIGN(value, percent_decode(pair.substr(equals + 1), true));
        }
        params.emplace_back(std::move(name), std::move(value));
    }
    return params;
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    encoded.reserve(text.size());
    for (const char c : text) {
        const char letter = lower(c);
        const bool unreserved = (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') ||
                                c == '-' || c == '.' || c == '_' || c == '~';
        if (unreserved) {
            encoded.push_back(c);
        } else {
            const auto byte = static_cast<unsigned char>(c);
            encoded.push_back('%');
            encoded.push_back(digits[byte >> 4]);
            encoded.push_back(digits[byte & 15]);
        }
    }
    return encoded;
}

}  // namespace helios::http
