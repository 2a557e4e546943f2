#include "app/sender_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/shown.h"
#include "base/yaml.h"

namespace helios::app {
namespace {

template <class T, class Format>
std::string joined(const std::vector<T>& items, Format format) {
    std::string out;
    for (const auto& item : items) {
        out += (out.empty() ? "" : ", ") + std::string(format(item));
    }
    return out;
}

std::vector<std::string> at_plus(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const auto end = std::min(text.find('+'), text.size());
        if (end != 0) {
            out.emplace_back(text.substr(0, end));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

}  // namespace

Result<ProofMethods> parse_proof_methods(const std::vector<std::string>& items) {
    ProofMethods out;
    for (const auto& item : items) {
        const auto method = gateway::proof_method_named(item);
        if (!method) {
            std::vector<std::string_view> names;
            for (unsigned i = 0;
                 i <= static_cast<unsigned>(gateway::ProofMethod::standard_webhooks); ++i) {
                names.push_back(to_string(static_cast<gateway::ProofMethod>(i)));
            }
            const auto near = yaml::nearest(item, names);
            return fail(ErrorKind::invalid,
                        fmt::format("\"{}\" is no way to prove who one is", shown(item)),
                        near.empty() ? fmt::format("one of {}", fmt::join(names, ", "))
                                     : fmt::format("did you mean {}?", near));
        }
        out.push_back(*method);
    }
    return out;
}

std::string format_proof_methods(const ProofMethods& methods) {
    return joined(methods, [](gateway::ProofMethod method) { return to_string(method); });
}

Result<SecretReferences> parse_secret_references(const std::vector<std::string>& items) {
    SecretReferences out;
    for (const auto& item : items) {
        HELIOS_TRY_ASSIGN(auto reference, auth::parse_secret_reference(item));
        out.push_back(std::move(reference));
    }
    return out;
}

std::string format_secret_references(const SecretReferences& references) {
    return joined(references, [](const auto& reference) { return reference.to_string(); });
}

Result<SpeakingSecrets> parse_speaking_secrets(const std::vector<std::string>& items) {
    SpeakingSecrets out;
    for (const auto& item : items) {
        const auto equals = std::min(item.rfind('='), item.size());
        HELIOS_TRY_ASSIGN(auto reference, auth::parse_secret_reference(item.substr(0, equals)));
        auto sources = at_plus(std::string_view(item).substr(std::min(equals + 1, item.size())));
        if (equals != item.size() && sources.empty()) {
            return fail(ErrorKind::invalid, "a secret's \"=\" is followed by no source",
                        "write file:/run/secrets/shop=orders+stock, or leave the \"=\" out");
        }
        out.push_back({std::move(reference), std::move(sources)});
    }
    return out;
}

Result<gateway::HandshakeMode> parse_handshake_mode(std::string_view text) {
    if (text != "auto" && text != "manual") {
        return fail(ErrorKind::invalid,
                    fmt::format("\"{}\" is neither auto nor manual", shown(text)),
                    "auto: answered at once; manual: `helios source confirm`");
    }
    return text == "auto" ? gateway::HandshakeMode::automatic : gateway::HandshakeMode::manual;
}

std::string format_handshake_mode(gateway::HandshakeMode mode) {
    return mode == gateway::HandshakeMode::automatic ? "auto" : "manual";
}

Result<SourcesByPrefix> parse_sources_by_prefix(const std::vector<std::string>& items) {
    SourcesByPrefix out;
    for (const auto& item : items) {
        const auto equals = item.rfind('=');
        if (equals == std::string::npos || equals == 0 || equals + 1 == item.size()) {
            return fail(ErrorKind::invalid, fmt::format("\"{}\" is no PREFIX=SOURCE", shown(item)),
                        "write https://shop.example/=shop");
        }
        out[item.substr(0, equals)] = item.substr(equals + 1);
    }
    return out;
}

std::string format_sources_by_prefix(const SourcesByPrefix& map) {
    std::string out;
    for (const auto& [prefix, source] : map) {
        out += (out.empty() ? "" : ", ") + prefix + "=" + source;
    }
    return out;
}

std::string format_speaking_secrets(const SpeakingSecrets& secrets) {
    return joined(secrets, [](const auto& secret) {
        return secret.reference.to_string() +
               (secret.sources.empty() ? "" : fmt::format("={}", fmt::join(secret.sources, "+")));
    });
}

}  // namespace helios::app
