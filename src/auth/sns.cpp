#include "auth/sns.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "auth/encoding.h"
#include "base/json.h"
#include "base/shown.h"

namespace helios::auth {

namespace {

using Type = SnsMessage::Type;

constexpr json::Limits limits{.depth_max = 64, .nodes_max = 256u << 10};
constexpr std::string_view certificate_name = "sns.amazonaws.com";

std::expected<VendorUrl, std::string> vendor_url(std::string_view text, const SnsRules& rules,
                                                 std::string& region) {
    auto url = VendorUrl::parse(text);
    if (!url) {
        return std::unexpected(url.error().what);
    }
    if (std::ranges::find(rules.test_hosts, url->authority()) != rules.test_hosts.end()) {
        region.clear();
        return *std::move(url);
    }
    // ^sns\.[a-zA-Z0-9-]{3,}\.amazonaws\.com(\.cn)?$
    std::string_view host = url->host;
    constexpr std::string_view begin = "sns.";
    bool ours = host.starts_with(begin);
    host.remove_prefix(ours ? begin.size() : 0);
    std::string_view end = ".amazonaws.com";
    if (host.ends_with(".cn")) {
        end = ".amazonaws.com.cn";
    }
    ours = ours && host.ends_with(end);
    host.remove_suffix(ours ? end.size() : 0);
    ours = ours && host.size() >= 3 && host.find('.') == std::string_view::npos;
    if (!ours || !url->https || url->port != 443) {
        return std::unexpected(fmt::format("not https at SNS: \"{}\"", shown(url->host)));
    }
    region = host;
    return *std::move(url);
}

/// "arn:aws:sns:eu-west-1:123456789012:orders"; empty: not one.
std::string_view region_of(std::string_view arn) {
    std::array<std::string_view, 6> parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto colon = i + 1 == parts.size() ? std::string_view::npos : arn.find(':');
        parts[i] = arn.substr(0, colon);
        arn.remove_prefix(colon == std::string_view::npos ? arn.size() : colon + 1);
    }
    return parts[0] == "arn" && parts[2] == "sns" ? parts[3] : std::string_view();
}

bool is_listed(const SnsMessage& message, const SnsRules& rules) {
    return std::ranges::find(rules.topics, message.topic_arn) != rules.topics.end();
}

std::optional<Type> type_named(std::string_view name) {
    for (const Type type :
         {Type::notification, Type::subscription_confirmation, Type::unsubscribe_confirmation}) {
        if (to_string(type) == name) {
            return type;
        }
    }
    return std::nullopt;
}

/// Reads members into texts, and keeps the first complaint.
class Members {
public:
    explicit Members(json::Value root) : root_(root) {}

    enum class Lines : std::uint8_t { one, many };
    std::string text(std::string_view name, std::string_view other_spelling = {},
                     Lines lines = Lines::one) {
        json::Value value = root_.find(name);
        if (!value.present() && !other_spelling.empty()) {
            value = root_.find(other_spelling);
        }
        if (!value.is_string()) {
            complain(fmt::format("its {} is no text", name));
            return {};
        }
        if (lines == Lines::one && value.text().find_first_of("\r\n") != std::string_view::npos) {
            complain(fmt::format("its {} has more than one line", name));
        }
        return std::string(value.text());
    }
    bool has(std::string_view name) const {
        const json::Value value = root_.find(name);
        return value.present() && !value.is_null();
    }
    void complain(std::string what) {
        if (complaint_.empty()) {
            complaint_ = std::move(what);
        }
    }
    const std::string& complaint() const { return complaint_; }

private:
    json::Value root_;
    std::string complaint_;
};

std::expected<Scheme, Proof> scheme_of(const SnsMessage& message) {
    if (message.signature_version == "1") {
        return Scheme::rsa_sha1;
    }
    if (message.signature_version == "2") {
        return Scheme::rsa_sha256;
    }
    return std::unexpected(
        Proof::refused(Refusal::algorithm,
                       fmt::format("a message with the signature version \"{}\"; there are 1 and 2",
                                   shown(message.signature_version))));
}

/// nullopt: good.
std::optional<Proof> check_certificate(const Certificate& certificate, const VendorUrl& url,
                                       const SnsRules& rules, Instant now) {
    const auto refuse = [](std::string text) {
        return Proof::refused(Refusal::certificate, std::move(text));
    };
    if (now < certificate.not_before() || now > certificate.not_after()) {
        return refuse(fmt::format("a certificate that is valid from {} to {}",
                                  format_rfc3339(certificate.not_before()),
                                  format_rfc3339(certificate.not_after())));
    }
    if (!certificate.is_for(std::string(certificate_name)) && !certificate.is_for(url.host)) {
        return refuse("a certificate that was not issued to SNS");
    }
    const auto answer = rules.roots.check(certificate, now);
    const bool enough =
        answer.chain == TrustedRoots::Chain::complete ||
        (answer.chain == TrustedRoots::Chain::issuer_unknown && !rules.chain_required);
    return enough ? std::nullopt
                  : std::optional(refuse("a certificate whose chain does not hold: " + answer.why));
}

std::optional<Proof> check_time(const SnsMessage& message, const SnsRules& rules, Instant now) {
    if (message.sent_at >= now - rules.age_max && message.sent_at <= now + rules.ahead_max) {
        return std::nullopt;
    }
    return Proof::refused(Refusal::outside_window,
                          fmt::format("a message of {}, which SNS would no longer repeat, or by a "
                                      "clock that is ahead",
                                      format_rfc3339(message.sent_at)));
}

}  // namespace

std::string_view to_string(SnsMessage::Type type) {
    switch (type) {
        case Type::notification:
            return "Notification";
        case Type::subscription_confirmation:
            return "SubscriptionConfirmation";
        case Type::unsubscribe_confirmation:
            return "UnsubscribeConfirmation";
    }
    return "Notification";
}

Result<SnsMessage> SnsMessage::parse(std::string_view body) {
    auto document = parse_strict_object(body, limits);
    if (!document) {
        return fail(ErrorKind::invalid, "not a message of SNS: " + document.error().what);
    }
    Members members(document->root());
    SnsMessage message;
    const auto type = type_named(members.text("Type"));
    if (!type) {
        return fail(ErrorKind::invalid, "not a message of SNS: its Type is none of the three");
    }
    message.type = *type;
    message.message_id = members.text("MessageId");
    message.topic_arn = members.text("TopicArn");
    message.message = members.text("Message", {}, Members::Lines::many);
    message.timestamp = members.text("Timestamp");
    message.signature_version = members.text("SignatureVersion");
    message.signature = members.text("Signature");
    message.signing_certificate_url = members.text("SigningCertURL", "SigningCertUrl");
    if (message.type == Type::notification) {
        if (members.has("Subject")) {
            message.subject = members.text("Subject");
        }
    } else {
        message.subscribe_url = members.text("SubscribeURL", "SubscribeUrl");
        if (message.type == Type::subscription_confirmation || members.has("Token")) {
            message.token = members.text("Token");
        }
    }
    if (const auto sent = parse_rfc3339(message.timestamp)) {
        message.sent_at = sent->at;
    } else {
        members.complain("its Timestamp is no time");
    }
    if (!members.complaint().empty()) {
        return fail(ErrorKind::invalid, "not a message of SNS: " + members.complaint());
    }
    return message;
}

std::string canonical_string(const SnsMessage& message, bool with_token) {
    std::string out;
    const auto add = [&](std::string_view name, std::string_view value) {
        out.append(name).append("\n").append(value).append("\n");
    };
    add("Message", message.message);
    add("MessageId", message.message_id);
    if (message.type == Type::notification) {
        if (message.subject) {
            add("Subject", *message.subject);
        }
        add("Timestamp", message.timestamp);
    } else {
        add("SubscribeURL", message.subscribe_url);
        add("Timestamp", message.timestamp);
        if (with_token && !message.token.empty()) {
            add("Token", message.token);
        }
    }
    add("TopicArn", message.topic_arn);
    add("Type", to_string(message.type));
    return out;
}

std::expected<VendorUrl, Proof> signing_certificate_url(const SnsMessage& message,
                                                        const SnsRules& rules) {
    // The list first: strangers' topics make nobody fetch anything.
    if (!is_listed(message, rules)) {
        return std::unexpected(
            Proof::refused(Refusal::topic, fmt::format("a message of the topic \"{}\", which is "
                                                       "not listed",
                                                       shown(message.topic_arn))));
    }
    std::string region;
    auto url = vendor_url(message.signing_certificate_url, rules, region);
    if (!url || !url->path.ends_with(".pem") || !url->query.empty()) {
        return std::unexpected(Proof::refused(
            Refusal::url, fmt::format("a message whose SigningCertURL is {}",
                                      url ? "not that of a certificate" : url.error())));
    }
    return *std::move(url);
}

Proof check_sns(const SnsMessage& message, const Certificate& certificate, const SnsRules& rules,
                Instant now) {
    const auto url = signing_certificate_url(message, rules);
    if (!url) {
        return url.error();
    }
    const auto scheme = scheme_of(message);
    if (!scheme) {
        return scheme.error();
    }
    const auto signature = decode_base64(message.signature);
    if (!signature) {
        return Proof::refused(Refusal::malformed, "a message whose Signature is no base64");
    }
    if (auto why = check_certificate(certificate, *url, rules, now)) {
        return *std::move(why);
    }
    bool signed_by_key = certificate.key().verifies(*scheme, canonical_string(message), *signature);
    if (!signed_by_key && message.type == Type::unsubscribe_confirmation) {
        signed_by_key =
            certificate.key().verifies(*scheme, canonical_string(message, false), *signature);
    }
    if (!signed_by_key) {
        return Proof::forged(fmt::format("a message of the topic \"{}\" that SNS did not sign",
                                         shown(message.topic_arn)));
    }
    if (auto why = check_time(message, rules, now)) {
        return *std::move(why);
    }
    return Proof::held(message.topic_arn);
}

Result<VendorUrl> confirmation_url(const SnsMessage& message, const SnsRules& rules) {
    const auto refuse = [](std::string what) {
        return fail(ErrorKind::invalid, "not a subscription to confirm: " + what);
    };
    if (message.type != Type::subscription_confirmation) {
        return refuse(fmt::format("a message of the type {}", to_string(message.type)));
    }
    if (!is_listed(message, rules)) {
        return refuse(fmt::format("the topic \"{}\" is not listed", shown(message.topic_arn)));
    }
    std::string region;
    auto url = vendor_url(message.subscribe_url, rules, region);
    if (!url) {
        return refuse("its SubscribeURL is " + url.error());
    }
    if (!region.empty() && region != region_of(message.topic_arn)) {
        return refuse(fmt::format("its SubscribeURL is of the region \"{}\", its topic of another",
                                  shown(region)));
    }
    const auto pairs = query_pairs(url->query);
    const auto is = [&](std::string_view name, std::string_view value) {
        return pairs && std::ranges::any_of(*pairs, [&](const auto& pair) {
                   return pair.first == name && pair.second == value;
               });
    };
    if (message.token.empty() || !is("Action", "ConfirmSubscription") ||
        !is("TopicArn", message.topic_arn) || !is("Token", message.token)) {
        return refuse("its SubscribeURL does not ask to confirm this topic with this token");
    }
    return *std::move(url);
}

}  // namespace helios::auth
