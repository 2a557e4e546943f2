#include "http/host_policy.h"

#include <algorithm>
#include <arpa/inet.h>

#include "http/url.h"

namespace helios::http {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_name_char(char c) {
    const char lower = static_cast<char>(c | 0x20);
    return (lower >= 'a' && lower <= 'z') || is_digit(c) || c == '-' || c == '.' || c == '_';
}

bool is_ipv6_char(char c) {
    const char lower = static_cast<char>(c | 0x20);
    return (lower >= 'a' && lower <= 'f') || is_digit(c) || c == ':' || c == '.';
}

/// "https://host:8443" → its authority, with the scheme's default port left out.
std::optional<Authority> origin_authority(std::string_view origin) {
    const auto scheme_end = origin.find("://");
    if (scheme_end == std::string_view::npos) {
        return std::nullopt;  // "null", or nonsense
    }
    const auto scheme = origin.substr(0, scheme_end);
    auto authority = split_authority(origin.substr(scheme_end + 3));
    if (authority && ((scheme == "http" && authority->port == "80") ||
                      (scheme == "https" && authority->port == "443"))) {
        authority->port = {};
    }
    return authority;
}

}  // namespace

std::optional<Authority> split_authority(std::string_view text) {
    Authority parts;
    std::string_view rest;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) {
            return std::nullopt;
        }
        parts.name = text.substr(1, close - 1);
        rest = text.substr(close + 1);
        if (!std::all_of(parts.name.begin(), parts.name.end(), is_ipv6_char)) {
            return std::nullopt;
        }
    } else {
        const auto end = std::min(text.find(':'), text.size());
        parts.name = text.substr(0, end);
        rest = text.substr(end);
        if (!std::all_of(parts.name.begin(), parts.name.end(), is_name_char)) {
            return std::nullopt;
        }
        if (parts.name.size() > 1 && parts.name.ends_with('.')) {
            parts.name.remove_suffix(1);
        }
    }
    if (parts.name.empty() || (!rest.empty() && rest.front() != ':')) {
        return std::nullopt;
    }
    if (!rest.empty()) {
        parts.port = rest.substr(1);
        if (parts.port.size() > 5 || !std::all_of(parts.port.begin(), parts.port.end(), is_digit)) {
            return std::nullopt;
        }
    }
    return parts;
}

bool is_loopback_name(std::string_view name) {
    if (equal_ignoring_case(name, "localhost")) {
        return true;
    }
    if (name.size() >= INET6_ADDRSTRLEN) {
        return false;
    }
    const std::string text(name);
    in_addr v4{};
    if (inet_pton(AF_INET, text.c_str(), &v4) == 1) {
        return (ntohl(v4.s_addr) >> 24) == 127;
    }
    in6_addr v6{};
    return inet_pton(AF_INET6, text.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

HostPolicy::HostPolicy(std::vector<std::string> listen_hosts,
                       std::vector<std::string> allowed_hosts)
    : listen_hosts_(std::move(listen_hosts)),
      allowed_hosts_(std::move(allowed_hosts)),
      open_(allowed_hosts_.empty() &&
            !std::all_of(listen_hosts_.begin(), listen_hosts_.end(), is_loopback_name)) {}

bool HostPolicy::allows(std::string_view host_header) const {
    const auto host = split_authority(host_header);
    if (!host) {
        return false;
    }
    const auto is_it = [&](const std::string& ours) {
        return equal_ignoring_case(host->name, ours);
    };
    if (open_ || is_loopback_name(host->name) ||
        std::any_of(listen_hosts_.begin(), listen_hosts_.end(), is_it)) {
        return true;
    }
    return std::any_of(allowed_hosts_.begin(), allowed_hosts_.end(), [&](const std::string& entry) {
        const auto allowed = split_authority(entry);
        return allowed && equal_ignoring_case(allowed->name, host->name) &&
               (allowed->port.empty() || allowed->port == host->port);
    });
}

bool HostPolicy::same_site(std::string_view host_header, const std::string* origin,
                           const std::string* fetch_site) {
    if (fetch_site != nullptr && *fetch_site != "same-origin" && *fetch_site != "none") {
        return false;
    }
    if (origin == nullptr) {
        return true;
    }
    const auto from = origin_authority(*origin);
    auto to = split_authority(host_header);
    if (!from || !to) {
        return false;
    }
    // Host carries no scheme. Its :80 or :443 is a default port, which Origin leaves out.
    if (to->port == "80" || to->port == "443") {
        to->port = {};
    }
    return equal_ignoring_case(from->name, to->name) && from->port == to->port;
}

}  // namespace helios::http
