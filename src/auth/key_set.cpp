#include "auth/key_set.h"

#include <algorithm>
#include <array>

#include "auth/constant_time.h"

namespace helios::auth {

namespace {

constexpr std::array all_algorithms{Algorithm::hs256, Algorithm::rs256, Algorithm::es256,
                                    Algorithm::eddsa};

Algorithm algorithm_of(PublicKey::Kind kind) {
    switch (kind) {
        case PublicKey::Kind::rsa:
            return Algorithm::rs256;
        case PublicKey::Kind::p256:
            return Algorithm::es256;
        case PublicKey::Kind::ed25519:
            return Algorithm::eddsa;
    }
    return Algorithm::rs256;
}

Scheme scheme_of(PublicKey::Kind kind) {
    switch (kind) {
        case PublicKey::Kind::rsa:
            return Scheme::rsa_sha256;
        case PublicKey::Kind::p256:
            return Scheme::ecdsa_p256_sha256;
        case PublicKey::Kind::ed25519:
            return Scheme::ed25519;
    }
    return Scheme::rsa_sha256;
}

}  // namespace

std::string_view to_string(Algorithm algorithm) {
    switch (algorithm) {
        case Algorithm::hs256:
            return "HS256";
        case Algorithm::rs256:
            return "RS256";
        case Algorithm::es256:
            return "ES256";
        case Algorithm::eddsa:
            return "EdDSA";
    }
    return "HS256";
}

std::optional<Algorithm> algorithm_named(std::string_view name) {
    const auto found = std::ranges::find_if(
        all_algorithms, [&](Algorithm algorithm) { return to_string(algorithm) == name; });
    return found == all_algorithms.end() ? std::nullopt : std::optional(*found);
}

bool KeySet::Key::verifies(std::string_view message, std::string_view signature) const {
    if (const auto* secret = std::get_if<std::string>(&material)) {
        return equal_in_constant_time(hmac_sha256(*secret, {message}), signature);
    }
    const auto& key = std::get<PublicKey>(material);
    return key.verifies(scheme_of(key.kind()), message, signature);
}

void KeySet::add(PublicKey key, std::optional<std::string> kid) {
    const Algorithm algorithm = algorithm_of(key.kind());
    keys_.push_back({algorithm, std::move(kid), std::move(key)});
}

Status KeySet::add_shared_secret(std::string secret) {
    if (secret.size() < shared_secret_bytes_min) {
        return fail(ErrorKind::invalid,
                    "a secret for HS256 of " + std::to_string(secret.size()) + " bytes",
                    "give one of at least 32 random bytes: openssl rand -base64 48");
    }
    keys_.push_back({Algorithm::hs256, std::nullopt, std::move(secret)});
    return {};
}

bool KeySet::has(std::string_view kid) const {
    return std::ranges::any_of(keys_, [&](const Key& key) { return key.kid == kid; });
}

}  // namespace helios::auth
