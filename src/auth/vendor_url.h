#pragma once
/// URLs that a message asks us to fetch: taken apart strictly, so that what is checked is what is
/// visited. Whoever fetches takes the parts, never the text: without redirects, and at a public
/// address only.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace helios::auth {

inline constexpr std::size_t vendor_url_bytes_max = 2048;

struct VendorUrl {
    bool https = true;
    std::string host;  ///< in lower case; letters, digits, '-' and '.' only
    std::uint16_t port = 443;
    std::string path;   ///< begins with '/'; as written
    std::string query;  ///< without '?'; as written

    /// invalid: not http or https, no visible ASCII throughout, user information, a backslash, a
    /// fragment, a host that is no name, a port that is no number, longer than 2048 bytes.
    static Result<VendorUrl> parse(std::string_view text);

    std::string authority() const;  ///< "host:port", always with the port
    std::string target() const;     ///< path and query, as they are asked for
    std::string to_string() const;
};

/// Pairs of a query, percent-decoded. nullopt: an escape that is none, or a name twice: two readers
/// would take different ones.
std::optional<std::vector<std::pair<std::string, std::string>>> query_pairs(std::string_view query);

}  // namespace helios::auth
