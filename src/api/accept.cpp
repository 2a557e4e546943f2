#include "api/accept.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <compare>
#include <string>

#include "base/ascii.h"

namespace helios::api {
namespace {

/// How much a type is wanted. Order of members decides.
struct Preference {
    int thousandths = 0;  ///< of the quality; 0: not acceptable
    int exactness = -1;   ///< 2: named, 1: text/*, 0: */*, -1: not mentioned
    auto operator<=>(const Preference&) const = default;
};

/// Cuts the next part off.
std::string_view next_part(std::string_view& rest, char separator) {
    const auto end = rest.find(separator);
    const auto part = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return ascii::trimmed(part);
}

/// What can't be read counts as not said.
int quality_of(std::string_view parameters) {
    while (!parameters.empty()) {
        const auto parameter = next_part(parameters, ';');
        if (parameter.size() > 2 && (parameter[0] == 'q' || parameter[0] == 'Q') &&
            parameter[1] == '=') {
            double quality = 1;
            const auto digits = parameter.substr(2);
            const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), quality,
                                              std::chars_format::fixed);
            return read.ec == std::errc{} && quality >= 0 && quality <= 1
                       ? static_cast<int>(std::lround(quality * 1000))
                       : 1000;
        }
    }
    return 1000;
}

/// The range that names the type most exactly decides.
Preference preference_of(std::string_view accept, std::string_view type) {
    Preference found;
    while (!accept.empty()) {
        auto parameters = next_part(accept, ',');
        const auto range = ascii::lower(next_part(parameters, ';'));
        const auto major = type.substr(0, type.find('/') + 1);
        const int exactness = range == type                       ? 2
                              : range == std::string(major) + "*" ? 1
                              : range == "*/*"                    ? 0
                                                                  : -1;
        if (exactness > found.exactness) {
            found = {quality_of(parameters), exactness};
        }
    }
    return found;
}

}  // namespace

bool prefers(const http::Request& request, std::string_view wanted, std::string_view usual) {
    const auto* accept = request.header("Accept");
    if (accept == nullptr) {
        return false;
    }
    const auto preference = preference_of(*accept, wanted);
    return preference.thousandths > 0 && preference > preference_of(*accept, usual);
}

}  // namespace helios::api
