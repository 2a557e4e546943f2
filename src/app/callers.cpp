#include "app/callers.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "auth/claim_policies.h"
#include "auth/static_credential.h"
#include "auth/token.h"
#include "http/url.h"

namespace helios::app {
namespace {

constexpr std::string_view room = "auth";

/// What proxies add to a request, whether they are told to or not.
constexpr std::array<std::string_view, 3> of_proxies{"Forwarded", "Via", "X-Real-IP"};
constexpr std::string_view forwarded_prefix = "x-forwarded-";

Caller nobody() {
    Caller caller(default_tenant());
    caller.subject = "nobody";
    return caller;
}

/// Keys and tokens know two roles until people have more: who may work Helios may read it.
Roles roles_of(Roles proved) {
    return proved.has(Role::operator_)
               ? Roles{Role::sender, Role::viewer, Role::operator_, Role::approver, Role::admin}
               : proved;
}

bool may(const Roles& roles, http::Access access) {
    switch (access) {
        case http::Access::everyone:
            return true;
        case http::Access::sender:
            return roles.has(Role::sender);
        case http::Access::viewer:
            return roles.has(Role::viewer);
        case http::Access::operator_:
            return roles.has(Role::operator_);
        case http::Access::unsaid:
            break;
    }
    return false;
}

http::Response not_proved(std::string_view why) {
    return http::problem(401, "Who asks is not known", why,
                         "send `Authorization: Bearer` with an API key of an operator: `helios key "
                         "add NAME --role operator` makes one; commands take it from HELIOS_TOKEN")
        .with("WWW-Authenticate", "Bearer realm=\"helios\"");
}

}  // namespace

bool came_through_proxy(const http::Request& request) {
    return std::ranges::any_of(request.headers, [](const auto& header) {
        return std::ranges::any_of(of_proxies,
                                   [&](std::string_view name) {
                                       return http::equal_ignoring_case(header.first, name);
                                   }) ||
               http::equal_ignoring_case(header.first.substr(0, forwarded_prefix.size()),
                                         forwarded_prefix);
    });
}

Callers::Callers(bool alone, telemetry::Telemetry& telemetry, const Clock& clock)
    : alone_(alone), telemetry_(telemetry), clock_(clock) {
    std::map<auth::Refusal, telemetry::Counter*> counters;
    for (const auto refusal : auth::all_refusals) {
        counters[refusal] = &telemetry.metrics.counter(
            "helios_auth_refusals_total", "Credentials of callers that did not hold",
            {{"reason", std::string(auth::to_string(refusal))}});
    }
    count_refused_ = [counters = std::move(counters)](auth::Refusal refusal) {
        counters.at(refusal)->add();
    };
}

Result<std::unique_ptr<Callers>> Callers::open(const CallerOptions& options, bool alone,
                                               telemetry::Telemetry& telemetry,
                                               const Clock& clock) {
    std::unique_ptr<Callers> callers(new Callers(alone, telemetry, clock));
    HELIOS_TRY_ASSIGN(callers->keys_,
                      auth::ApiKeysFile::open(options.keys_file, clock.boot_time()));
    if (!options.jwt_secret_file.empty()) {
        HELIOS_TRY_ASSIGN(
            callers->jwt_secret_,
            auth::Secrets::open({{auth::SecretReference::Kind::file, options.jwt_secret_file}}, {},
                                clock.boot_time(), [](std::string_view secret) {
                                    return auth::KeySet().add_shared_secret(std::string(secret));
                                }));
    }
    return callers;
}

void Callers::refresh() {
    if (const auto error = keys_->refresh(clock_.boot_time())) {
        telemetry_.logger.error(room, "API keys can't be read again: those known stay as they are",
                                {{"error", error->message()}});
    }
    if (jwt_secret_) {
        for (const auto& error : jwt_secret_->refresh(clock_.boot_time())) {
            telemetry_.logger.error(room, "a secret can't be read again: the old one stays",
                                    {{"error", error.message()}});
        }
    }
}

std::variant<Caller, http::Response> Callers::identify(const http::Route& route,
                                                       const http::Request& request) const {
    if (alone_ && !came_through_proxy(request)) {
        return local_caller();
    }
    if (route.access == http::Access::everyone) {
        return nobody();
    }
    if (route.access == http::Access::sender) {  // the gateway asks him, by his source's policy
        Caller sender(default_tenant());
        sender.subject = "sender";
        sender.roles = Roles{Role::sender};
        return sender;
    }
    const auth::Proof proof = prove(request);
    if (!proof.is_held()) {
        if (proof.kind == auth::Proof::Kind::refused) {
            count_refused_(proof.refusal);
        }
        return not_proved(proof.kind == auth::Proof::Kind::absent ? "this server asks who you are"
                                                                  : proof.text);
    }
    Caller caller(default_tenant());
    caller.subject = proof.subject;
    caller.roles = roles_of(proof.roles);
    caller.proved = true;
    if (!may(caller.roles, route.access)) {
        return http::problem(403, "Not for this caller",
                             proof.subject + " may bring events, and this is for operators",
                             "ask with a key of the role operator");
    }
    return caller;
}

auth::Proof Callers::prove(const http::Request& request) const {
    const auto text = auth::bearer_of(request.only_header("Authorization"));
    return text ? prove_bearer(*text) : auth::Proof();
}

auth::Proof Callers::prove_bearer(std::string_view text) const {
    auto by_key = keys_->current()->check(text);
    return by_key.kind == auth::Proof::Kind::absent ? prove_by_token(text) : by_key;
}

auth::Proof Callers::prove_by_token(std::string_view text) const {
    if (!jwt_secret_) {
        return auth::Proof::refused(auth::Refusal::unknown_key,
                                    "neither an API key, nor are tokens taken here");
    }
    auto token = auth::UnverifiedToken::parse(text);
    if (!token) {
        return token.error();
    }
    auth::KeySet keys;
    for (const auto& secret : *jwt_secret_->current()) {
        static_cast<void>(keys.add_shared_secret(secret));  // looked at when it was read
    }
    const auto verified =
        auth::verify_token(*std::move(token), auth::operator_token_rules(), keys, clock_.wall());
    return verified ? auth::operator_proof(*verified) : verified.error();
}

}  // namespace helios::app
