#include "auth/jwks.h"

#include <fmt/format.h>

#include "auth/encoding.h"
#include "base/shown.h"

namespace helios::auth {

namespace {

constexpr json::Limits limits{.depth_max = 16, .nodes_max = 32u << 10};
constexpr std::size_t kid_bytes_max = 256;

std::string_view text_of(json::Value key, std::string_view name) {
    const json::Value value = key.find(name);
    return value.is_string() ? value.text() : std::string_view();
}

/// invalid: not there, or no base64url.
Result<std::string> bytes_of(json::Value key, std::string_view name) {
    auto bytes = decode_base64url(text_of(key, name));
    if (!bytes || bytes->empty()) {
        return fail(ErrorKind::invalid, fmt::format("its {} is no base64url", name));
    }
    return *std::move(bytes);
}

bool may_verify(json::Value key) {
    const json::Value operations = key.find("key_ops");
    if (!operations.present()) {
        return true;
    }
    for (std::size_t i = 0; i < operations.size(); ++i) {
        if (operations.is_array() && operations.at(i).is_string() &&
            operations.at(i).text() == "verify") {
            return true;
        }
    }
    return false;
}

Result<PublicKey> parse_material(json::Value key) {
    const std::string_view kty = text_of(key, "kty");
    const std::string_view crv = text_of(key, "crv");
    if (kty == "RSA") {
        HELIOS_TRY_ASSIGN(const auto n, bytes_of(key, "n"));
        HELIOS_TRY_ASSIGN(const auto e, bytes_of(key, "e"));
        return PublicKey::rsa(n, e);
    }
    if (kty == "EC" && crv == "P-256") {
        HELIOS_TRY_ASSIGN(const auto x, bytes_of(key, "x"));
        HELIOS_TRY_ASSIGN(const auto y, bytes_of(key, "y"));
        return PublicKey::p256(x, y);
    }
    if (kty == "OKP" && crv == "Ed25519") {
        HELIOS_TRY_ASSIGN(const auto x, bytes_of(key, "x"));
        return PublicKey::ed25519(x);
    }
    return fail(ErrorKind::invalid,
                fmt::format("the kind \"{}\" \"{}\" is not used here", shown(kty), shown(crv)));
}

Status take_key(json::Value key, KeySet& into) {
    if (!key.is_object()) {
        return fail(ErrorKind::invalid, "not an object");
    }
    if (key.find("use").present() && text_of(key, "use") != "sig") {
        return fail(ErrorKind::invalid, "it is not for signatures");
    }
    if (!may_verify(key)) {
        return fail(ErrorKind::invalid, "it is not for verifying");
    }
    const json::Value kid = key.find("kid");
    if (kid.present() && (!kid.is_string() || kid.text().size() > kid_bytes_max)) {
        return fail(ErrorKind::invalid, "its kid is no text of at most 256 bytes");
    }
    HELIOS_TRY_ASSIGN(auto material, parse_material(key));
    KeySet one;
    one.add(std::move(material),
            kid.present() ? std::optional(std::string(kid.text())) : std::nullopt);
    const KeySet::Key& made = one.keys().front();
    if (key.find("alg").present() && text_of(key, "alg") != to_string(made.algorithm)) {
        return fail(ErrorKind::invalid,
                    fmt::format("it is for \"{}\"", shown(text_of(key, "alg"))));
    }
    into.add(std::get<PublicKey>(made.material), made.kid);
    return {};
}

}  // namespace

Result<Jwks> parse_jwks(std::string_view bytes) {
    if (bytes.size() > jwks_bytes_max) {
        return fail(ErrorKind::invalid, fmt::format("a key set of {} bytes; at most {} are read",
                                                    bytes.size(), jwks_bytes_max));
    }
    auto document = parse_strict_object(bytes, limits);
    if (!document) {
        return fail(ErrorKind::invalid, "a key set that is " + document.error().what);
    }
    const json::Value keys = document->root().find("keys");
    if (!keys.is_array() || keys.size() > jwks_keys_max) {
        return fail(ErrorKind::invalid,
                    fmt::format("a key set without a list \"keys\" of at most {}", jwks_keys_max));
    }
    Jwks jwks;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (auto taken = take_key(keys.at(i), jwks.keys); !taken) {
            jwks.skipped.push_back(
                {taken.error().kind,
                 fmt::format("key \"{}\" is not used: {}", shown(text_of(keys.at(i), "kid")),
                             taken.error().what),
                 ""});
        }
    }
    if (jwks.keys.keys().empty()) {
        return fail(ErrorKind::invalid, jwks.skipped.empty() ? "a key set without keys"
                                                             : "a key set without a usable key: " +
                                                                   jwks.skipped.front().what);
    }
    return jwks;
}

}  // namespace helios::auth
