#pragma once
/// Messages as SNS sends and signs them, and a certificate to check them with.

#include <fmt/format.h>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/certificate.h"
#include "auth/sns.h"
#include "auth/test_kit.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"

namespace helios::auth::testing {

/// Of SNS: one topic, at one time.
namespace sns {

inline const Instant now = from_nanos(1'796'040'000'000'000'000);
inline const std::string topic = "arn:aws:sns:eu-west-1:123456789012:orders";
inline const std::string certificate_url =
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem";
inline const std::string token(64, 't');

inline CertificateParts parts(std::string name, bool is_authority = false) {
    return {std::move(name), now - std::chrono::hours(24), now + std::chrono::hours(24 * 365),
            is_authority};
}

inline const Issued& root() {
    static const Issued made(parts("Root", true), SigningKey::p256());
    return made;
}
inline const Issued& intermediate() {
    static const Issued made(parts("Intermediate", true), SigningKey::p256(), &root());
    return made;
}
inline const Issued& leaf() {
    static const Issued made(parts("sns.amazonaws.com"), rsa_key(), &intermediate());
    return made;
}

inline SnsRules rules() {
    SnsRules out;
    out.topics = {"arn:aws:sns:eu-west-1:123456789012:other", topic};
    out.roots = *TrustedRoots::parse(root().pem() + intermediate().pem());
    return out;
}

/// A message as SNS sends it; members can be changed before it is signed.
struct Sent {
    std::vector<std::pair<std::string, std::string>> members{
        {"Type", "Notification"},
        {"MessageId", "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"},
        {"TopicArn", topic},
        {"Subject", "An order"},
        {"Message", "{\"id\":\"1\",\n \"text\":\"Zoë \\\"x\\\"\"}"},
        {"Timestamp", "2026-11-30T11:59:58.123Z"},
        {"SignatureVersion", "2"},
        {"SigningCertURL", certificate_url},
        {"UnsubscribeURL", "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe"}};

    Sent& set(const std::string& name, const std::string& value) {
        for (auto& [known, text] : members) {
            if (known == name) {
                text = value;
                return *this;
            }
        }
        members.emplace_back(name, value);
        return *this;
    }
    Sent& drop(std::string_view name) {
        std::erase_if(members, [&](const auto& member) { return member.first == name; });
        return *this;
    }
    std::string body(std::string_view more = "") const {
        json::Writer out;
        out.begin_object();
        for (const auto& [name, value] : members) {
            out.field(name, std::string_view(value));
        }
        std::string text = out.end_object().take();
        text.insert(text.size() - 1, more);
        return text;
    }
    SnsMessage parse() const {
        auto parsed = SnsMessage::parse(body());
        HELIOS_ASSERT(parsed, "a test's message is one");
        return *std::move(parsed);
    }
    /// Signs as SNS does, which is not by this room's own code.
    Sent& sign(const SigningKey& key = rsa_key(), bool with_token = true) {
        set("Signature", "");
        std::map<std::string, std::string> sorted(members.begin(), members.end());
        std::string text;
        for (const char* name : {"Message", "MessageId", "Subject", "SubscribeURL", "Timestamp",
                                 "Token", "TopicArn", "Type"}) {
            const bool confirmation = sorted["Type"] != "Notification";
            const std::string_view view(name);
            if (!sorted.contains(name) || (view == "Subject" && confirmation) ||
                (view == "Token" && !with_token)) {
                continue;
            }
            text += std::string(name) + "\n" + sorted[name] + "\n";
        }
        const char* digest = sorted["SignatureVersion"] == "1" ? "SHA1" : "SHA256";
        return set("Signature", base64_encode(key.sign(text, digest)));
    }
};

inline std::string subscribe_url(std::string_view of_topic = topic,
                                 std::string_view of_token = token) {
    return fmt::format(
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={}&Token={}",
        of_topic, of_token);
}
inline Sent confirmation(std::string_view type = "SubscriptionConfirmation") {
    Sent sent;
    sent.drop("Subject").drop("UnsubscribeURL").set("Type", std::string(type));
    sent.set("Token", token).set("SubscribeURL", subscribe_url());
    return sent;
}

}  // namespace sns

}  // namespace helios::auth::testing
