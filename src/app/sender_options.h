#pragma once
/// How options about senders are written: methods, secrets by reference, and secrets that speak for
/// sources.

#include <map>
#include <string>
#include <vector>

#include "auth/secret.h"
#include "base/result.h"
#include "gateway/sender_policy.h"

namespace helios::app {

using ProofMethods = std::vector<gateway::ProofMethod>;
using SecretReferences = std::vector<auth::SecretReference>;
/// Prefix of a URI → source.
using SourcesByPrefix = std::map<std::string, std::string, std::less<>>;
using SpeakingSecrets = std::vector<gateway::SpeakingSecret>;

/// "api_key, sns". invalid: a name that is none, with the nearest.
Result<ProofMethods> parse_proof_methods(const std::vector<std::string>& items);
std::string format_proof_methods(const ProofMethods& methods);

/// "file:/run/secrets/new, env:OLD". invalid: anything else; the text is in no message.
Result<SecretReferences> parse_secret_references(const std::vector<std::string>& items);
std::string format_secret_references(const SecretReferences& references);

/// "file:/run/secrets/shop=orders+stock": a secret, and the sources that it speaks for.
Result<SpeakingSecrets> parse_speaking_secrets(const std::vector<std::string>& items);
std::string format_speaking_secrets(const SpeakingSecrets& secrets);

/// "auto" or "manual". invalid: anything else.
Result<gateway::HandshakeMode> parse_handshake_mode(std::string_view text);
std::string format_handshake_mode(gateway::HandshakeMode mode);

/// "https://shop.example/=shop": the last "=" counts. invalid: without one, or an empty part.
Result<SourcesByPrefix> parse_sources_by_prefix(const std::vector<std::string>& items);
std::string format_sources_by_prefix(const SourcesByPrefix& map);

}  // namespace helios::app
