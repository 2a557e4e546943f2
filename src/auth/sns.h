#pragma once
/// Messages of Amazon SNS over HTTP: whether one is of a topic that is listed, and who signed it.
///
/// In three steps, so that nobody fetches anything here: signing_certificate_url() says what to get
/// (certificate_cache.h keeps it), check_sns() decides, and confirmation_url() is what a
/// subscription is confirmed with. Raw delivery has no envelope and no signature: it is not a
/// message of this kind, and needs another credential.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/certificate.h"
#include "auth/proof.h"
#include "auth/vendor_url.h"
#include "base/result.h"
#include "base/time.h"

namespace helios::auth {

struct SnsMessage {
    enum class Type : std::uint8_t {
        notification,
        subscription_confirmation,
        unsubscribe_confirmation,
    };

    Type type = Type::notification;
    std::string message_id;
    std::string topic_arn;
    std::string message;
    std::optional<std::string> subject;
    std::string timestamp;  ///< as signed
    Instant sent_at{};
    std::string signature_version;
    std::string signature;  ///< as written: base64
    std::string signing_certificate_url;
    std::string token;          ///< confirmations; of an UnsubscribeConfirmation perhaps empty
    std::string subscribe_url;  ///< confirmations

    /// invalid: no envelope of SNS: not a JSON object, a name twice, a type that is none of the
    /// three, a member that is missing or no text, or that has a line end in it where only Message
    /// may: the signed text would not say where a member ends.
    static Result<SnsMessage> parse(std::string_view body);
};

std::string_view to_string(SnsMessage::Type type);  ///< "Notification"

/// The text that is signed. AWS's guide has Token in it for both confirmations; one of AWS's own
/// libraries leaves it out for UnsubscribeConfirmation: `with_token` false.
std::string canonical_string(const SnsMessage& message, bool with_token = true);

struct SnsRules {
    std::vector<std::string> topics;  ///< ARNs; empty: nobody is admitted
    TrustedRoots roots;
    /// SNS publishes its certificate without those between it and its root, so for most
    /// installations the chain ends there, and what vouches for it is the TLS connection to AWS
    /// that it came over. True: it must be complete.
    bool chain_required = false;
    /// How old a first delivery or one of its repetitions may be: SNS tries for an hour.
    Duration age_max = std::chrono::minutes(75);
    Duration ahead_max = std::chrono::minutes(15);  ///< of our clock
    /// "host:port" that stand for SNS in tests, http too.
    std::vector<std::string> test_hosts;
};

/// Where the certificate is, of a message whose topic is listed. refused: topic, url.
std::expected<VendorUrl, Proof> signing_certificate_url(const SnsMessage& message,
                                                        const SnsRules& rules);

/// held: by the topic's ARN. forged: the certificate is SNS's and valid, and the signature is not
/// of its key. refused: topic, url, outside_window, certificate, algorithm, malformed.
/// `certificate`: what signing_certificate_url() leads to.
Proof check_sns(const SnsMessage& message, const Certificate& certificate, const SnsRules& rules,
                Instant now);

/// What to get to confirm a subscription, of a message that held. invalid: not a
/// SubscriptionConfirmation, or its SubscribeURL is not https at SNS in the topic's region, asking
/// to confirm that topic with that token and nothing else. An UnsubscribeConfirmation has such a
/// URL too; it would subscribe again, and is never visited.
Result<VendorUrl> confirmation_url(const SnsMessage& message, const SnsRules& rules);

}  // namespace helios::auth
