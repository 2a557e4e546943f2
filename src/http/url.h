#pragma once
/// Request targets: taking them apart and undoing percent-encoding.
///
/// Outside bytes: whatever is not clearly right is invalid. Knows no route and no file system: ".."
/// and "/" inside a decoded segment are text like any other.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace helios::http {

/// Views into the target text.
struct Target {
    std::string_view authority;  ///< of the absolute form ("http://host/path"); else empty
    std::string_view path;       ///< raw, begins with '/', or is "*"
    std::string_view query;      ///< raw, without '?'
};

/// Origin form, absolute form (http, https) or "*". invalid: anything else, a fragment, a control
/// character or a space.
Result<Target> split_target(std::string_view target);

/// invalid: a '%' without two hex digits, NUL, or a result that is not UTF-8.
/// `plus_is_space`: as in queries (application/x-www-form-urlencoded).
Result<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

/// The whole path, decoded. As percent_decode; also invalid if a segment is "." or "..", plain or
/// encoded: proxies disagree about what those mean. "..%2f" is one segment of text.
Result<std::string> decode_path(std::string_view raw_path);

/// "a=1&b=&c" → pairs in order; at most 1024 of them. As percent_decode.
Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view raw_query);

/// ASCII only, as header names and host names are compared.
bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace helios::http
