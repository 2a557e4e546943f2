#include "gateway/sender_checks.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "auth/claim_policies.h"
#include "auth/hmac_signature.h"
#include "auth/standard_webhooks.h"
#include "auth/static_credential.h"
#include "auth/token.h"
#include "base/hash.h"
#include "base/mutex.h"
#include "gateway/published.h"
#include "http/url.h"

namespace helios::gateway {
namespace {

constexpr std::string_view room = "gateway";
constexpr Duration said_again = std::chrono::minutes(1);

using auth::Proof;
using auth::Refusal;
using Check = std::function<Proof(const http::Request&)>;

std::optional<std::string_view> only_parameter(const http::Request& request,
                                               std::string_view name) {
    std::optional<std::string_view> found;
    for (const auto& [parameter, value] : request.query) {
        if (parameter == name) {
            if (found) {
                return std::nullopt;
            }
            found = value;
        }
    }
    return found;
}

/// A proof with the sources of the secret that it was made with.
Proof speaking_for(Proof proof, const std::vector<std::string>& sources) {
    if (proof.is_held() && !sources.empty()) {
        proof.sources = sources;
    }
    return proof;
}

/// How often each way of being refused was met, and when it was said last.
class Refusals {
public:
    explicit Refusals(telemetry::Telemetry& telemetry) : telemetry_(telemetry) {}

    void note(std::string_view source, const Proof& proof, Duration now, Instant wall) {
        const std::string_view reason = proof.kind == Proof::Kind::refused
                                            ? auth::to_string(proof.refusal)
                                            : auth::to_string(proof.kind);
        bool say = false;
        std::uint64_t unsaid = 0;
        {
            const MutexLock lock(mutex_);
            auto& entry = entries_[{std::string(source), std::string(reason)}];
            if (entry.count == nullptr) {
                entry.count = &telemetry_.metrics.counter(
                    "helios_gateway_credentials_refused_total",
                    "Requests whose sender did not prove who he is",
                    {{"source", std::string(source)}, {"reason", std::string(reason)}});
            }
            entry.count->add();
            ++entry.all;
            entry.last_at = wall;
            ++entry.unsaid;
            say = !entry.said || now - *entry.said >= said_again;
            if (say) {
                entry.said = now;
                unsaid = std::exchange(entry.unsaid, 0);
            }
        }
        if (say) {
            telemetry_.logger.warn(room, "a sender did not prove who he is",
                                   {{"source", std::string(source)},
                                    {"reason", std::string(reason)},
                                    {"detail", proof.text},
                                    {"requests", unsaid}});
        }
    }

    std::vector<Refused> of(std::string_view source) {
        const MutexLock lock(mutex_);
        std::vector<Refused> out;
        for (const auto& [name, entry] : entries_) {
            if (name.first == source) {
                out.push_back({name.second, entry.all, entry.last_at});
            }
        }
        return out;
    }

private:
    struct Entry {
        telemetry::Counter* count = nullptr;
        std::uint64_t all = 0;
        Instant last_at{};
        std::optional<Duration> said;
        std::uint64_t unsaid = 0;
    };
    telemetry::Telemetry& telemetry_;
    Mutex mutex_;
    std::map<std::pair<std::string, std::string>, Entry> entries_ HELIOS_GUARDED_BY(mutex_);
};

/// Subscriptions of SNS that are confirmed, or are being: each token is visited once, however often
/// SNS sends it, unless that failed.
class Visits {
public:
    /// False: it is not to be visited again.
    bool begin(std::string_view topic, std::string_view token) {
        const MutexLock lock(mutex_);
        const auto key = key_of(topic, token);
        if (std::ranges::find(visited_, key) != visited_.end()) {
            return false;
        }
        if (visited_.size() == items_max) {
            visited_.pop_front();
        }
        visited_.push_back(key);
        return true;
    }
    void failed(std::string_view topic, std::string_view token) {
        const MutexLock lock(mutex_);
        std::erase(visited_, key_of(topic, token));
    }

private:
    static constexpr std::size_t items_max = 1'000;
    static Digest256 key_of(std::string_view topic, std::string_view token) {
        return sha256(std::string(topic) + '\n' + std::string(token));
    }

    Mutex mutex_;
    std::deque<Digest256> visited_ HELIOS_GUARDED_BY(mutex_);
};

}  // namespace

/// One source: what is tried, in the policy's order.
struct SourceChecks {
    bool lets_all_in = false;
    bool asks_basic = false;
    std::vector<std::pair<ProofMethod, Check>> checks;
};

struct SenderChecks::State {
    State(SenderPolicies of, SenderCheckParts with)
        : policies(std::move(of)), parts(std::move(with)), refusals(parts.telemetry) {
        if (!parts.fetch) {
            parts.fetch = [](const auth::VendorUrl&, std::size_t, const FetchDone& done) {
                done(fail(ErrorKind::unavailable, "nothing can be fetched here"));
            };
        }
        certificates =
            std::make_shared<PublishedCertificates>(parts.fetch, parts.clock, parts.telemetry);
        sns.topics = policies.aws.topics.value_or(std::vector<std::string>());
        sns.chain_required = policies.aws.chain_required;
        sns.test_hosts = policies.test_hosts;
    }

    Result<const auth::Secrets*> open_secrets(std::vector<auth::SecretReference> references,
                                              auth::SecretCheck check = {}) {
        HELIOS_TRY_ASSIGN(auto opened,
                          auth::Secrets::open(std::move(references), parts.environment,
                                              parts.clock.boot_time(), std::move(check)));
        secrets.push_back(std::move(opened));
        return secrets.back().get();
    }

    Result<std::shared_ptr<PublishedKeys>> open_keys(std::string_view url) {
        HELIOS_TRY_ASSIGN(auto parsed, auth::VendorUrl::parse(url));
        published.push_back(std::make_shared<PublishedKeys>(std::move(parsed), parts.fetch,
                                                            parts.clock, parts.telemetry));
        return published.back();
    }

    /// Whether the source has an endpoint whose senders must prove who they are, or a queue of its
    /// own.
    bool authenticates(std::string_view source) const {
        if (const auto* policy = policies.find(source); policy != nullptr && policy->fetched) {
            return true;
        }
        const auto found = sources.find(source);
        return found != sources.end() && !found->second.checks.empty();
    }

    Status open_source(std::string_view source, SourceChecks& out);
    Status open_declared(const DeclaredSender& sender, SourceChecks& out);
    Result<Check> make(std::string_view source, const SenderPolicy& policy, ProofMethod method);
    Result<Check> make_aws_bearer(const SenderPolicy& policy);
    Result<Check> make_oidc(const SenderPolicy& policy);
    Result<Check> make_entra(const SenderPolicy& policy);
    Result<Check> make_speaking(std::string_view source, const SenderPolicy& policy,
                                ProofMethod method);

    /// The check of a token by published keys: `rules` before, `proof_of` after the signature.
    Check token_check(std::shared_ptr<PublishedKeys> keys, auth::TokenRules rules,
                      std::function<Proof(const auth::VerifiedToken&)> proof_of) {
        return [this, keys = std::move(keys), rules = std::move(rules),
                proof_of = std::move(proof_of)](const http::Request& request) -> Proof {
            const auto text = auth::bearer_of(request.only_header("Authorization"));
            if (!text) {
                return {};
            }
            auto token = auth::UnverifiedToken::parse(*text);
            if (!token) {
                return token.error();
            }
            const auto with = keys->keys(token->kid());
            if (!with) {
                return with.error();
            }
            const auto verified =
                auth::verify_token(*std::move(token), rules, **with, parts.clock.wall());
            return verified ? proof_of(*verified) : verified.error();
        };
    }

    Proof check_sns_message(const http::Request& request) const {
        const auto message = auth::SnsMessage::parse(request.body);
        if (!message) {
            return request.header("x-amz-sns-message-type") == nullptr
                       ? Proof()
                       : Proof::refused(Refusal::malformed, message.error().what);
        }
        const auto url = auth::signing_certificate_url(*message, sns);
        if (!url) {
            return url.error();
        }
        const auto certificate = certificates->certificate(*url);
        if (!certificate) {
            return certificate.error();
        }
        return auth::check_sns(*message, **certificate, sns, parts.clock.wall());
    }

    SenderPolicies policies;
    SenderCheckParts parts;
    auth::SnsRules sns;
    std::vector<std::unique_ptr<auth::Secrets>> secrets;
    std::vector<std::shared_ptr<PublishedKeys>> published;
    std::shared_ptr<PublishedCertificates> certificates;
    std::shared_ptr<Visits> visits = std::make_shared<Visits>();  ///< shared with those under way
    std::map<std::string, SourceChecks, std::less<>> sources;
    mutable Refusals refusals;
};

Result<Check> SenderChecks::State::make_aws_bearer(const SenderPolicy& policy) {
    if (policy.jwks_url.empty()) {
        HELIOS_TRY_ASSIGN(const auto* held, open_secrets(policy.secrets));
        return [held](const http::Request& request) {
            return auth::check_bearer(request.only_header("Authorization"), *held->current(),
                                      "aws/bearer");
        };
    }
    HELIOS_TRY_ASSIGN(auto keys, open_keys(policy.jwks_url));
    auth::TokenRules rules;
    rules.algorithms = {auth::Algorithm::rs256, auth::Algorithm::es256, auth::Algorithm::eddsa};
    rules.issuers = policy.issuers;
    rules.audiences = policy.audiences;
    return token_check(std::move(keys), std::move(rules), auth::sender_proof);
}

Result<Check> SenderChecks::State::make_oidc(const SenderPolicy& policy) {
    const auth::GoogleRules rules{policy.audiences, policy.emails, policy.issuers};
    HELIOS_TRY_ASSIGN(
        auto keys, open_keys(policy.jwks_url.empty() ? auth::google_jwks_url() : policy.jwks_url));
    return token_check(
        std::move(keys), auth::token_rules(rules),
        [rules](const auth::VerifiedToken& token) { return auth::google_proof(token, rules); });
}

Result<Check> SenderChecks::State::make_entra(const SenderPolicy& policy) {
    const auth::EntraRules rules{policy.tenant, policy.audiences};
    HELIOS_TRY_ASSIGN(
        auto keys,
        open_keys(policy.jwks_url.empty() ? auth::entra_jwks_url(policy.tenant) : policy.jwks_url));
    return token_check(
        std::move(keys), auth::token_rules(rules),
        [rules](const auth::VerifiedToken& token) { return auth::entra_proof(token, rules); });
}

/// Of direct senders: each secret with the sources that it names.
Result<Check> SenderChecks::State::make_speaking(std::string_view source,
                                                 const SenderPolicy& policy, ProofMethod method) {
    struct Held {
        const auth::Secrets* secrets;
        std::vector<std::string> sources;
        std::string subject;
    };
    std::vector<Held> held;
    for (std::size_t i = 0; i < policy.speaking.size(); ++i) {
        const auto& one = policy.speaking[i];
        HELIOS_TRY_ASSIGN(
            const auto* opened,
            open_secrets({one.reference}, method == ProofMethod::standard_webhooks
                                              ? auth::SecretCheck(auth::check_webhook_secret)
                                              : auth::SecretCheck()));
        held.push_back(
            {opened, one.sources, std::string(source) + "/secret-" + std::to_string(i + 1)});
    }
    return [this, held = std::move(held), method,
            plain = policy.hmac_plain](const http::Request& request) {
        std::vector<Proof> proofs;
        const auto authorization = request.only_header("Authorization");
        if (method == ProofMethod::bearer && parts.prove_bearer) {
            if (const auto text = auth::bearer_of(authorization)) {
                proofs.push_back(parts.prove_bearer(*text));
            }
        }
        for (const auto& one : held) {
            const auto current = one.secrets->current();
            const auto now = parts.clock.wall();
            proofs.push_back(speaking_for(
                method == ProofMethod::bearer
                    ? auth::check_bearer(authorization, *current, one.subject)
                : method == ProofMethod::hmac
                    ? auth::check_helios_signature(request.only_header("X-Helios-Signature"),
                                                   request.body, plain, *current, now, one.subject)
                    : auth::check_standard_webhook({request.only_header("webhook-id"),
                                                    request.only_header("webhook-timestamp"),
                                                    request.only_header("webhook-signature")},
                                                   request.body, std::chrono::seconds(300),
                                                   *current, now, one.subject),
                one.sources));
        }
        return auth::combined(proofs);
    };
}

Result<Check> SenderChecks::State::make(std::string_view source, const SenderPolicy& policy,
                                        ProofMethod method) {
    const auto subject = std::string(source) + "/" + std::string(to_string(method));
    switch (method) {
        case ProofMethod::api_key: {
            HELIOS_TRY_ASSIGN(const auto* held, open_secrets(policy.secrets));
            return [held, subject, name = policy.header](const http::Request& request) {
                return auth::check_value(request.only_header(name), *held->current(), subject);
            };
        }
        case ProofMethod::basic: {
            HELIOS_TRY_ASSIGN(const auto* held, open_secrets(policy.secrets));
            return [held, subject, user = policy.user](const http::Request& request) {
                return auth::check_basic(request.only_header("Authorization"), user,
                                         *held->current(), subject);
            };
        }
        case ProofMethod::query: {
            HELIOS_TRY_ASSIGN(const auto* held, open_secrets(policy.secrets));
            return [held, subject, name = policy.parameter](const http::Request& request) {
                return auth::check_value(only_parameter(request, name), *held->current(), subject);
            };
        }
        case ProofMethod::bearer:
            return source == "aws" ? make_aws_bearer(policy)
                                   : make_speaking(source, policy, method);
        case ProofMethod::hmac:
        case ProofMethod::standard_webhooks:
            return make_speaking(source, policy, method);
        case ProofMethod::sns:
            return [this](const http::Request& request) { return check_sns_message(request); };
        case ProofMethod::oidc:
            return make_oidc(policy);
        case ProofMethod::entra:
            return make_entra(policy);
        case ProofMethod::none:
        case ProofMethod::off:
            break;
    }
    return fail(ErrorKind::invalid, "no check of this method");
}

Status SenderChecks::State::open_source(std::string_view source, SourceChecks& out) {
    for (const auto method : policies.methods(source)) {
        if (method == ProofMethod::none) {
            out.lets_all_in = true;
        } else if (method != ProofMethod::off) {
            out.asks_basic = out.asks_basic || method == ProofMethod::basic;
            auto check = make(source, *policies.find(source), method);
            if (!check) {
                check.error().what = "sources." + std::string(source) + ": " + check.error().what;
                return fail(check.error());
            }
            out.checks.emplace_back(method, *std::move(check));
        }
    }
    return {};
}

Status SenderChecks::State::open_declared(const DeclaredSender& sender, SourceChecks& out) {
    if (!sender.signature) {
        out.lets_all_in = true;
        return {};
    }
    auto opened = open_secrets(sender.secrets, [form = *sender.signature](std::string_view secret) {
        return auth::check_secret(form, secret);
    });
    if (!opened) {
        opened.error().what = "senders." + sender.name() + ".secret: " + opened.error().what;
        return fail(opened.error());
    }
    out.checks.emplace_back(ProofMethod::hmac, [this, held = *opened, form = *sender.signature,
                                                subject =
                                                    sender.name()](const http::Request& request) {
        const auth::SignedRequest of{
            [&request](std::string_view name) { return request.only_header(name); }, request.body};
        return auth::check_signature(form, of, *held->current(), parts.clock.wall(), subject);
    });
    return {};
}

Result<std::unique_ptr<SenderChecks>> SenderChecks::open(SenderPolicies policies,
                                                         SenderCheckParts parts) {
    HELIOS_TRY(policies.validate());
    auto state = std::make_unique<State>(std::move(policies), std::move(parts));
    if (!state->policies.roots.empty()) {
        HELIOS_TRY_ASSIGN(state->sns.roots, auth::TrustedRoots::parse(state->policies.roots));
    }
    for (const auto source : sources_with_endpoint) {
        HELIOS_TRY(state->open_source(source, state->sources[std::string(source)]));
    }
    for (const auto& [name, sender] : state->policies.declared) {
        HELIOS_TRY(state->open_declared(sender, state->sources[name]));
    }
    return std::unique_ptr<SenderChecks>(new SenderChecks(std::move(state)));
}

SenderChecks::SenderChecks(std::unique_ptr<State> state) : state_(std::move(state)) {}
SenderChecks::~SenderChecks() = default;

namespace {

bool is_sns_handshake(const http::Request& request) {
    const auto* type = request.header("x-amz-sns-message-type");
    return type != nullptr && *type != "Notification";
}

/// As the policy has them; of a handshake of SNS its own signature first, which alone says whose
/// URL is visited.
std::vector<std::pair<ProofMethod, const Check*>> in_order(
    const std::vector<std::pair<ProofMethod, Check>>& checks, const http::Request& request) {
    std::vector<std::pair<ProofMethod, const Check*>> out;
    for (const auto& [method, check] : checks) {
        out.emplace_back(method, &check);
    }
    if (is_sns_handshake(request)) {
        std::ranges::stable_partition(
            out, [](const auto& one) { return one.first == ProofMethod::sns; });
    }
    return out;
}

}  // namespace

ProvenSender SenderChecks::check(const Door& door, const http::Request& request) const {
    const auto source = door.source();
    const SourceChecks& checks = state_->sources.find(source)->second;
    ProvenSender out;
    out.asks_basic = checks.asks_basic;
    if (checks.lets_all_in) {
        out.proof = Proof::held("anybody");
        return out;
    }
    std::vector<Proof> proofs;
    for (const auto& [method, check] : in_order(checks.checks, request)) {
        proofs.push_back((*check)(request));
        // Whatever else holds: taken for another sender's, the subscription would never be
        // confirmed. SNS asks again.
        if (method == ProofMethod::sns && is_sns_handshake(request) &&
            proofs.back().kind == Proof::Kind::refused &&
            proofs.back().refusal == Refusal::keys_unavailable) {
            break;
        }
        if (proofs.back().is_held()) {
            out.proof = std::move(proofs.back());
            out.authenticated = true;
            out.by_sns = method == ProofMethod::sns;
            return out;
        }
    }
    out.proof = auth::combined(proofs);
    if (checks.checks.empty()) {
        out.proof.text = "this source is off";
    } else if (out.proof.kind == Proof::Kind::absent) {
        out.proof.text = "no credential of the kind that this source asks for: " +
                         state_->policies.described(source);
    }
    state_->refusals.note(source, out.proof, state_->parts.clock.monotonic(),
                          state_->parts.clock.wall());
    return out;
}

bool SenderChecks::may_speak_for(const auth::Proof& proof, std::string_view source,
                                 std::string_view at) const {
    if (proof.sources) {
        return std::ranges::find(*proof.sources, source) != proof.sources->end();
    }
    return source == at || !state_->authenticates(source);
}

namespace {
constexpr std::size_t visited_bytes_max = 64u << 10;
}

void SenderChecks::visit(const auth::VendorUrl& url, FetchDone done) const {
    state_->parts.fetch(url, visited_bytes_max, std::move(done));
}

void SenderChecks::confirm_subscription(std::string_view body) const {
    auto& telemetry = state_->parts.telemetry;
    const auto message = auth::SnsMessage::parse(body);
    if (message && !state_->visits->begin(message->topic_arn, message->token)) {
        return;  // SNS has sent it again: it is visited, or was
    }
    const auto url = message ? auth::confirmation_url(*message, state_->sns)
                             : Result<auth::VendorUrl>(fail(message.error()));
    if (!url) {
        telemetry.logger.error(room, "a subscription of SNS is not confirmed",
                               {{"error", url.error().message()}});
        return;
    }
    visit(*url, [&telemetry, visits = state_->visits, topic = message->topic_arn,
                 token = message->token](const Result<Fetched>& answer) {
        if (!answer) {
            visits->failed(topic, token);
        }
        if (answer) {
            telemetry.logger.info(room, "a subscription of SNS is confirmed", {{"topic", topic}});
        } else {
            telemetry.logger.error(
                room, "a subscription of SNS could not be confirmed: request a confirmation again",
                {{"topic", topic}, {"error", answer.error().message()}});
        }
    });
}

void SenderChecks::fetch_ahead() const {
    for (const auto& keys : state_->published) {
        static_cast<void>(keys->keys(std::nullopt));
    }
}

void SenderChecks::refresh() {
    for (const auto& secret : state_->secrets) {
        for (const auto& error : secret->refresh(state_->parts.clock.boot_time())) {
            state_->parts.telemetry.logger.error(room,
                                                 "a secret can't be read again: the old one stays",
                                                 {{"error", error.message()}});
        }
    }
}

void SenderChecks::note_refused(std::string_view source, const auth::Proof& proof) const {
    state_->refusals.note(source, proof, state_->parts.clock.monotonic(),
                          state_->parts.clock.wall());
}

std::vector<Refused> SenderChecks::refusals(std::string_view source) const {
    return state_->refusals.of(source);
}

const SenderPolicies& SenderChecks::policies() const {
    return state_->policies;
}

}  // namespace helios::gateway
