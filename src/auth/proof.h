#pragma once
/// What came of looking at a request's credentials, and how several answers become one.
///
/// Everything in this room ends in a Proof. It says what is true of the credential; what each
/// sender is told about that is the gateway's table.

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/caller.h"

namespace helios::auth {

/// Why a credential did not hold although it may yet: by rotation, by a change of what we are
/// configured to take, or by time. Closed: metrics have one label for each.
enum class Refusal : std::uint8_t {
    malformed,         ///< not of its form
    wrong_secret,      ///< none of those that we hold
    wrong_signature,   ///< made with none of the secrets that we hold, or for another body
    unknown_key,       ///< names a key that we do not have
    revoked,           ///< names a key that has been taken back
    expired,           ///< its own end has passed
    too_early,         ///< its own begin has not come
    outside_window,    ///< signed too long ago for a first delivery, or by a clock that is ahead
    algorithm,         ///< not one that its issuer may use, or its key is for another
    issuer,            ///< not one that we listen to
    audience,          ///< meant for somebody else
    claim,             ///< lacks a claim that it must have, or has a wrong one
    not_listed,        ///< authentic, and not on the allow-list
    topic,             ///< an authentic sender's topic that is not on the allow-list
    url,               ///< points to where its vendor keeps nothing
    certificate,       ///< its certificate is expired, of another name or of a broken chain
    keys_unavailable,  ///< the keys to check it with could not be fetched
};

inline constexpr std::array all_refusals{
    Refusal::malformed,
    Refusal::wrong_secret,
    Refusal::wrong_signature,
    Refusal::unknown_key,
    Refusal::revoked,
    Refusal::expired,
    Refusal::too_early,
    Refusal::outside_window,
    Refusal::algorithm,
    Refusal::issuer,
    Refusal::audience,
    Refusal::claim,
    Refusal::not_listed,
    Refusal::topic,
    Refusal::url,
    Refusal::certificate,
    Refusal::keys_unavailable,
};

/// As it stands in logs and labels: "wrong_secret".
std::string_view to_string(Refusal refusal);

/// A value. No text in it ever holds a credential, nor a part of one.
struct Proof {
    /// From what weighs least to what weighs most.
    enum class Kind : std::uint8_t {
        absent,   ///< there is no credential of this kind
        refused,  ///< it does not hold; that may heal
        forged,   ///< it names a key that we hold, and is not of that key: nothing can heal it
        held,
    };

    Kind kind = Kind::absent;
    Refusal refusal = Refusal::malformed;  ///< if refused
    std::string text;                      ///< if refused or forged: what and why, for the log

    // If held.
    std::string subject;  ///< who, as audit records name it
    Roles roles{Role::sender};
    /// The sources that it may speak for; nullopt: it does not say.
    std::optional<std::vector<std::string>> sources;

    static Proof held(std::string subject);
    static Proof refused(Refusal refusal, std::string text);
    static Proof forged(std::string text);

    bool is_held() const { return kind == Kind::held; }
};

std::string_view to_string(Proof::Kind kind);

/// One answer of many checks: what weighs most, and of equals the first. So any that holds wins;
/// else forged, if one is; else refused; else absent. Absent if there are none.
Proof combined(std::span<const Proof> proofs);
Proof combined(std::initializer_list<Proof> proofs);

}  // namespace helios::auth
