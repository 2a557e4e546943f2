#pragma once
/// Who may talk to this server through a browser: the guard against DNS rebinding (Host) and
/// cross-site writes (Origin).
///
/// A page of another origin can make a browser on this machine send requests to a loopback address.
/// It cannot forge Host, Origin or Sec-Fetch-Site. Knows no credentials: this is not
/// authentication.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace helios::http {

/// "Host" taken apart: name without brackets or trailing dot; port empty if none was written.
struct Authority {
    std::string_view name;
    std::string_view port;
};
/// nullopt: not host[:port] (userinfo, a bad character, an unclosed bracket, a port that is no
/// number).
std::optional<Authority> split_authority(std::string_view text);

/// "localhost", 127.0.0.0/8, ::1.
bool is_loopback_name(std::string_view name);

/// Immutable, thread-safe.
class HostPolicy {
public:
    /// `listen_hosts` as configured. Off loopback and without `allowed_hosts` every Host is
    /// accepted: behind a wildcard address nobody but the operator knows our names, and such an
    /// address is not what rebinding attacks. On loopback alone, or as soon as one name is given,
    /// only known names are.
    HostPolicy(std::vector<std::string> listen_hosts, std::vector<std::string> allowed_hosts);

    bool allows(std::string_view host_header) const;

    /// May a request that changes state go on? `origin` and `fetch_site` are header values, nullptr
    /// when absent: not a browser, or a navigation.
    static bool same_site(std::string_view host_header, const std::string* origin,
                          const std::string* fetch_site);

private:
    std::vector<std::string> listen_hosts_;
    std::vector<std::string> allowed_hosts_;
    bool open_;
};

}  // namespace helios::http
