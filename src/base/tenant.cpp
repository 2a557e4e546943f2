#include "base/tenant.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/shown.h"

namespace helios {

Result<TenantId> TenantId::parse(std::string_view text) {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    if (text.empty() || text.size() > bytes_max || !std::all_of(text.begin(), text.end(), good)) {
        return fail(ErrorKind::invalid, fmt::format("\"{}\" is not a tenant", shown(text)),
                    "a tenant is 1 to 64 of a-z, 0-9, - and _");
    }
    return TenantId(std::string(text));
}

const TenantId& default_tenant() {
    static const TenantId tenant("default");
    return tenant;
}

}  // namespace helios
