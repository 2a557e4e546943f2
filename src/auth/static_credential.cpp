#include "auth/static_credential.h"

#include "auth/constant_time.h"
#include "auth/encoding.h"
#include "base/ascii.h"

namespace helios::auth {

namespace {

/// nullopt: no header, or another scheme.
std::optional<std::string_view> credentials_of(std::optional<std::string_view> authorization,
                                               std::string_view scheme) {
    if (!authorization || ascii::lower(authorization->substr(0, scheme.size())) != scheme) {
        return std::nullopt;
    }
    std::string_view rest = authorization->substr(scheme.size());
    if (!rest.empty() && rest[0] != ' ') {
        return std::nullopt;  // a scheme whose name begins alike
    }
    while (rest.starts_with(' ')) {
        rest.remove_prefix(1);
    }
    while (rest.ends_with(' ')) {
        rest.remove_suffix(1);
    }
    return rest;
}

Proof wrong_secret() {
    return Proof::refused(Refusal::wrong_secret, "none of the secrets held");
}

}  // namespace

std::optional<std::string_view> bearer_of(std::optional<std::string_view> authorization) {
    return credentials_of(authorization, "bearer");
}

Proof check_value(std::optional<std::string_view> value, std::span<const std::string> secrets,
                  std::string subject) {
    if (!value) {
        return {};
    }
    return is_one_of(*value, secrets) ? Proof::held(std::move(subject)) : wrong_secret();
}

Proof check_bearer(std::optional<std::string_view> authorization,
                   std::span<const std::string> secrets, std::string subject) {
    return check_value(bearer_of(authorization), secrets, std::move(subject));
}

Proof check_basic(std::optional<std::string_view> authorization, std::string_view user,
                  std::span<const std::string> passwords, std::string subject) {
    const auto credentials = credentials_of(authorization, "basic");
    if (!credentials) {
        return {};
    }
    const auto pair = decode_base64(*credentials);
    const auto colon = pair ? pair->find(':') : std::string::npos;
    if (colon == std::string::npos) {
        return Proof::refused(Refusal::malformed,
                              "Basic credentials that are no user and password");
    }
    // Both are looked at, whichever is wrong.
    const std::string known_user(user);
    const bool right_user = is_one_of(pair->substr(0, colon), {&known_user, 1});
    const bool right_password = is_one_of(pair->substr(colon + 1), passwords);
    return right_user && right_password ? Proof::held(std::move(subject)) : wrong_secret();
}

}  // namespace helios::auth
