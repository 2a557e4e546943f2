#pragma once
/// Whether a request proves who sends it: the policies of all sources (sender_policy.h), held
/// against what the request brings.
///
/// Nothing here waits. Keys and certificates that are not there yet are fetched in the background,
/// and the request is refused so that its sender comes again.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/proof.h"
#include "auth/secret.h"
#include "auth/sns.h"
#include "base/clock.h"
#include "base/result.h"
#include "gateway/fetch.h"
#include "gateway/receipt.h"
#include "gateway/refusal_counts.h"
#include "gateway/sender_policy.h"
#include "http/message.h"
#include "telemetry/telemetry.h"

namespace helios::gateway {

/// What a request's credentials are worth at its endpoint.
struct ProvenSender {
    auth::Proof proof;  ///< held: it may come in
    /// By a credential; false although held: the policy is `none`.
    bool authenticated = false;
    bool by_sns = false;      ///< by the signature of an SNS message, which covers no other
    bool asks_basic = false;  ///< who comes without Authorization is to be asked for it
};

/// What it is made of.
struct SenderCheckParts {
    const Clock& clock;
    telemetry::Telemetry& telemetry;
    auth::Environment environment{};  ///< where secrets named env: are
    Fetch fetch{};                    ///< absent: nothing can be fetched
    /// API keys and tokens of whoever runs Helios: `bearer` of direct senders. Absent: none is
    /// known.
    std::function<auth::Proof(std::string_view text)> prove_bearer{};
};

/// Thread-safe. Clock and telemetry outlive it; so must what `fetch` calls, or it is told that the
/// fetch has failed.
class SenderChecks {
public:
    /// Of policies that are valid. Errors of auth::Secrets::open.
    static Result<std::unique_ptr<SenderChecks>> open(SenderPolicies policies,
                                                      SenderCheckParts parts);
    ~SenderChecks();
    SenderChecks(const SenderChecks&) = delete;
    SenderChecks& operator=(const SenderChecks&) = delete;

    ProvenSender check(const Door& door, const http::Request& request) const;

    /// Whether a sender with this proof may bring events of `source` to the endpoint of `at`
    /// (direct, cloudevents): of those that the credential names, or, if it names none, of the
    /// endpoint's own and of those whose own endpoint authenticates nobody. So a cloud that is
    /// authenticated, or fetched, can't be spoken for.
    bool may_speak_for(const auth::Proof& proof, std::string_view source,
                       std::string_view at) const;

    /// Visits a SubscriptionConfirmation's URL, in the background, if it is where SNS confirms that
    /// topic: of a message that held. Says in the log what came of it.
    void confirm_subscription(std::string_view body) const;

    /// Gets what a person wants visited, in the background. As Fetch.
    void visit(const auth::VendorUrl& url, FetchDone done) const;

    /// Fetches what will be needed, so that the first request need not come again.
    void fetch_ahead() const;
    /// Reads secrets again that may have changed; what can't be read is a log line.
    void refresh();

    const SenderPolicies& policies() const;

    /// What check() could not see, for it stands in the events: counted and said as its refusals.
    void note_refused(std::string_view source, const auth::Proof& proof) const;

    /// How senders of a source did not prove who they are, since this process began.
    std::vector<Refused> refusals(std::string_view source) const;

private:
    struct State;
    explicit SenderChecks(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace helios::gateway
