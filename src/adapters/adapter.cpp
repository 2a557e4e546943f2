#include "adapters/adapter.h"

#include <algorithm>

#include "base/ascii.h"

namespace helios::adapters {

const std::string* RawRequest::header(std::string_view name) const {
    const auto found = std::ranges::find_if(headers, [&](const Header& header) {
        return std::ranges::equal(
            header.first, name, {}, [](char c) { return ascii::lower(c); },
            [](char c) { return ascii::lower(c); });
    });
    return found == headers.end() ? nullptr : &found->second;
}

}  // namespace helios::adapters
