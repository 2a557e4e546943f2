#pragma once
/// Credentials that are a secret itself: a header's or a query parameter's value, a bearer text,
/// Basic. Whoever sees one has it: they are for TLS only, and are compared in constant time with
/// every secret of the list.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "auth/proof.h"

namespace helios::auth {

/// What follows "Bearer " (the scheme in any case, RFC 7235). nullopt: no header, or another
/// scheme.
std::optional<std::string_view> bearer_of(std::optional<std::string_view> authorization);

/// The value of the header or parameter that carries it; nullopt, absent: the request has none.
Proof check_value(std::optional<std::string_view> value, std::span<const std::string> secrets,
                  std::string subject);

/// absent: no Authorization, or of another scheme.
Proof check_bearer(std::optional<std::string_view> authorization,
                   std::span<const std::string> secrets, std::string subject);

/// `user` is compared like a secret; the passwords are. absent: as above.
Proof check_basic(std::optional<std::string_view> authorization, std::string_view user,
                  std::span<const std::string> passwords, std::string subject);

}  // namespace helios::auth
