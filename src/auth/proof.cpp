#include "auth/proof.h"

#include <algorithm>

namespace helios::auth {

std::string_view to_string(Refusal refusal) {
    switch (refusal) {
        case Refusal::malformed:
            return "malformed";
        case Refusal::wrong_secret:
            return "wrong_secret";
        case Refusal::wrong_signature:
            return "wrong_signature";
        case Refusal::unknown_key:
            return "unknown_key";
        case Refusal::revoked:
            return "revoked";
        case Refusal::expired:
            return "expired";
        case Refusal::too_early:
            return "too_early";
        case Refusal::outside_window:
            return "outside_window";
        case Refusal::algorithm:
            return "algorithm";
        case Refusal::issuer:
            return "issuer";
        case Refusal::audience:
            return "audience";
        case Refusal::claim:
            return "claim";
        case Refusal::not_listed:
            return "not_listed";
        case Refusal::topic:
            return "topic";
        case Refusal::url:
            return "url";
        case Refusal::certificate:
            return "certificate";
        case Refusal::keys_unavailable:
            return "keys_unavailable";
    }
    return "malformed";
}

std::string_view to_string(Proof::Kind kind) {
    switch (kind) {
        case Proof::Kind::absent:
            return "absent";
        case Proof::Kind::refused:
            return "refused";
        case Proof::Kind::forged:
            return "forged";
        case Proof::Kind::held:
            return "held";
    }
    return "absent";
}

Proof Proof::held(std::string subject) {
    Proof proof;
    proof.kind = Kind::held;
    proof.subject = std::move(subject);
    return proof;
}

Proof Proof::refused(Refusal refusal, std::string text) {
    Proof proof;
    proof.kind = Kind::refused;
    proof.refusal = refusal;
    proof.text = std::move(text);
    return proof;
}

Proof Proof::forged(std::string text) {
    Proof proof;
    proof.kind = Kind::forged;
    proof.text = std::move(text);
    return proof;
}

Proof combined(std::span<const Proof> proofs) {
    // max_element answers the first of those that weigh most.
    const auto most = std::ranges::max_element(proofs, {}, &Proof::kind);
    return most == proofs.end() ? Proof{} : *most;
}

Proof combined(std::initializer_list<Proof> proofs) {
    return combined(std::span<const Proof>(proofs.begin(), proofs.size()));
}

}  // namespace helios::auth
