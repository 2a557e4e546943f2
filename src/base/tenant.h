#pragma once
/// Whose data it is. Every identity begins with a tenant, and a tenant's name stands in keys, paths
/// and answers: so it is checked once, where it comes in, and a value of this type is a good name.

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace helios {

/// 1–64 characters of a–z, 0–9, '-' and '_'. Has no default: whoever forgets it can't compile.
class TenantId {
public:
    static constexpr std::size_t bytes_max = 64;

    /// invalid: no such name.
    static Result<TenantId> parse(std::string_view text);

    const std::string& text() const { return text_; }
    friend bool operator==(const TenantId&, const TenantId&) = default;
    friend auto operator<=>(const TenantId&, const TenantId&) = default;

private:
    friend const TenantId& default_tenant();
    explicit TenantId(std::string text) : text_(std::move(text)) {}

    std::string text_;
};

/// "default": the tenant of whoever names none.
const TenantId& default_tenant();

}  // namespace helios
