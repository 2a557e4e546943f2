#include "auth/sns.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <optional>

#include "auth/certificate_cache.h"
#include "auth/sns_test_kit.h"
#include "base/json.h"

namespace helios::auth {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::Issued;

using testing::sns::certificate_url;
using testing::sns::confirmation;
using testing::sns::intermediate;
using testing::sns::leaf;
using testing::sns::now;
using testing::sns::parts;
using testing::sns::root;
using testing::sns::rules;
using testing::sns::Sent;
using testing::sns::subscribe_url;
using testing::sns::token;
using testing::sns::topic;

Certificate good_certificate() {
    return *Certificate::parse(leaf().pem());
}
Proof check(const Sent& sent, const SnsRules& with = rules(),
            const Certificate& certificate = good_certificate(), Instant at = now) {
    return check_sns(sent.parse(), certificate, with, at);
}

TEST(Sns, a_signed_message_of_a_listed_topic_holds) {
    for (const char* version : {"1", "2"}) {
        EXPECT_EQ(check(Sent().set("SignatureVersion", version).sign()).subject, topic) << version;
        EXPECT_TRUE(
            check(Sent().drop("Subject").set("SignatureVersion", version).sign()).is_held());
    }
    EXPECT_TRUE(check(Sent().set("Message", "").sign()).is_held());
    EXPECT_TRUE(check(Sent().set("Message", std::string(256 << 10, 'x')).sign()).is_held());
}

TEST(Sns, a_subject_that_is_null_is_none) {
    Sent sent;
    sent.drop("Subject").sign();
    const auto message = SnsMessage::parse(sent.body(",\"Subject\":null"));
    ASSERT_TRUE(message);
    EXPECT_TRUE(check_sns(*message, good_certificate(), rules(), now).is_held());
}

TEST(Sns, a_changed_message_is_forged) {
    for (const char* name : {"Message", "MessageId", "Subject"}) {
        Sent sent;
        sent.sign().set(name, "other");
        EXPECT_EQ(check(sent).kind, Proof::Kind::forged) << name;
    }
    Sent sent;
    sent.sign().set("Timestamp", "2026-11-30T11:59:59.123Z");
    EXPECT_EQ(check(sent).kind, Proof::Kind::forged);
    sent.sign().set("TopicArn", rules().topics[0]);
    EXPECT_EQ(check(sent).kind, Proof::Kind::forged);
    sent = Sent();
    sent.sign().set("SignatureVersion", "1");  // the same signature under the other version
    EXPECT_EQ(check(sent).kind, Proof::Kind::forged);
    sent = Sent();
    sent.sign().drop("Subject");
    EXPECT_EQ(check(sent).kind, Proof::Kind::forged);
    EXPECT_EQ(check(Sent().sign(testing::other_rsa_key())).kind, Proof::Kind::forged);
}

TEST(Sns, a_topic_that_is_not_listed_is_refused_before_anything_is_fetched) {
    const auto other = Sent().set("TopicArn", "arn:aws:sns:eu-west-1:999999999999:orders").sign();
    EXPECT_EQ(check(other).refusal, Refusal::topic);
    EXPECT_EQ(signing_certificate_url(other.parse(), rules()).error().refusal, Refusal::topic);
    SnsRules nobody = rules();
    nobody.topics.clear();
    EXPECT_EQ(check(Sent().sign(), nobody).refusal, Refusal::topic);
}

TEST(Sns, the_certificate_is_where_sns_keeps_it) {
    const auto url = [](const std::string& text) {
        return signing_certificate_url(Sent().set("SigningCertURL", text).sign().parse(), rules());
    };
    ASSERT_TRUE(url(certificate_url));
    EXPECT_EQ(url(certificate_url)->to_string(),
              "https://sns.eu-west-1.amazonaws.com:443/"
              "SimpleNotificationService-0123456789abcdef.pem");
    EXPECT_TRUE(url("https://sns.cn-north-1.amazonaws.com.cn/x.pem"));
    EXPECT_TRUE(url("https://SNS.us-east-1.AmazonAWS.com:443/x.pem"));
    for (const char* wrong : {"http://sns.eu-west-1.amazonaws.com/x.pem",
                              "https://sns.eu-west-1.amazonaws.com/x.txt",
                              "https://sns.eu-west-1.amazonaws.com:8443/x.pem",
                              "https://user@sns.eu-west-1.amazonaws.com/x.pem",
                              "https://evil.example\\@sns.eu-west-1.amazonaws.com/x.pem",
                              "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem",
                              "https://sns.evil.example/x.pem",
                              "https://evil.example/sns.eu-west-1.amazonaws.com/x.pem",
                              "https://evilsns.eu-west-1.amazonaws.com/x.pem",
                              "https://sns.amazonaws.com/x.pem",
                              "https://sns.eu.amazonaws.com/x.pem",
                              "https://sns.a.b.amazonaws.com/x.pem",
                              "https://sns.eu-west-1.s3.amazonaws.com/x.pem",
                              "https://bucket.amazonaws.com/x.pem",
                              "https://sns.eu-west-1.amazonaws.com/x?y=.pem",
                              "https://sns.eu-west-1.amazonaws.com/x.pem?y",
                              "https://sns.eu-west-1.amazonaws.com/x#.pem",
                              "https://sns.eu-west-1.amazonaws.com.cn.pem",
                              "https://169.254.169.254/x.pem",
                              "https://[::1]/x.pem",
                              "https://sns.eu-west-1.amazonaws.com./x.pem",
                              "https://sns.%65u-west-1.amazonaws.com/x.pem",
                              "file:///etc/x.pem",
                              "x.pem",
                              "",
                              "https://sns.eu-west-1.amazonaws.com\t/x.pem"}) {
        const auto refused = url(wrong);
        ASSERT_FALSE(refused) << wrong;
        EXPECT_EQ(refused.error().refusal, Refusal::url) << wrong;
        EXPECT_EQ(check(Sent().set("SigningCertURL", wrong).sign()).refusal, Refusal::url);
    }
}

TEST(Sns, a_test_host_stands_for_sns) {
    SnsRules with = rules();
    with.test_hosts = {"127.0.0.1:4566"};
    const auto sent = Sent().set("SigningCertURL", "http://127.0.0.1:4566/x.pem").sign();
    EXPECT_TRUE(check(sent, with).is_held());
    EXPECT_EQ(signing_certificate_url(sent.parse(), with)->authority(), "127.0.0.1:4566");
    for (const char* wrong : {"http://127.0.0.1:4567/x.pem", "http://127.0.0.1/x.pem",
                              "http://127.0.0.1:4566@evil.example/x.pem"}) {
        EXPECT_EQ(check(Sent().set("SigningCertURL", wrong).sign(), with).refusal, Refusal::url);
    }
}

TEST(Sns, the_certificate_is_valid_now_and_sns_s) {
    const auto refusal = [](const testing::CertificateParts& of) {
        const Issued issued(of, testing::rsa_key(), &intermediate());
        return check(Sent().sign(), rules(), *Certificate::parse(issued.pem())).refusal;
    };
    auto made = parts("sns.amazonaws.com");
    made.not_after = now - std::chrono::seconds(1);
    EXPECT_EQ(refusal(made), Refusal::certificate);
    made = parts("sns.amazonaws.com");
    made.not_before = now + std::chrono::seconds(1);
    EXPECT_EQ(refusal(made), Refusal::certificate);
    EXPECT_EQ(refusal(parts("evil.example")), Refusal::certificate);
    EXPECT_EQ(refusal(parts("*.amazonaws.com")), Refusal::certificate);
    const Issued regional(parts("sns.eu-west-1.amazonaws.com"), testing::rsa_key(),
                          &intermediate());
    EXPECT_TRUE(check(Sent().sign(), rules(), *Certificate::parse(regional.pem())).is_held());
}

TEST(Sns, a_chain_that_does_not_hold_is_refused) {
    // Of an authority that only calls itself as the known one does.
    const Issued false_root(parts("Root", true), testing::SigningKey::p256());
    const Issued of_false(parts("sns.amazonaws.com"), testing::rsa_key(), &false_root);
    EXPECT_EQ(check(Sent().sign(), rules(), *Certificate::parse(of_false.pem())).refusal,
              Refusal::certificate);
    const Issued self(parts("sns.amazonaws.com"), testing::rsa_key());
    EXPECT_EQ(check(Sent().sign(), rules(), *Certificate::parse(self.pem())).refusal,
              Refusal::certificate);
    // Issued by somebody who may issue nothing.
    const Issued of_leaf(parts("sns.amazonaws.com"), testing::rsa_key(), &leaf());
    EXPECT_EQ(check(Sent().sign(), rules(),
                    *Certificate::parse(of_leaf.pem() + leaf().pem() + intermediate().pem()))
                  .refusal,
              Refusal::certificate);
}

TEST(Sns, a_chain_that_ends_early_is_enough_unless_it_must_not) {
    SnsRules only_root = rules();
    only_root.roots = *TrustedRoots::parse(root().pem());
    EXPECT_TRUE(check(Sent().sign(), only_root).is_held());
    only_root.chain_required = true;
    EXPECT_EQ(check(Sent().sign(), only_root).refusal, Refusal::certificate);
    const auto whole = *Certificate::parse(leaf().pem() + intermediate().pem());
    EXPECT_TRUE(check(Sent().sign(), only_root, whole).is_held());
    SnsRules no_roots = rules();
    no_roots.roots = {};
    EXPECT_TRUE(check(Sent().sign(), no_roots).is_held());
    no_roots.chain_required = true;
    EXPECT_EQ(check(Sent().sign(), no_roots).refusal, Refusal::certificate);
}

TEST(Sns, what_is_no_certificate_is_none) {
    for (const std::string& wrong :
         {std::string(), std::string("<html>"), leaf().pem().substr(0, 200),
          std::string(certificate_bytes_max + 1, 'x'), testing::rsa_key().public_pem()}) {
        EXPECT_FALSE(Certificate::parse(wrong));
    }
    const Issued weak(parts("sns.amazonaws.com"), testing::SigningKey::rsa(1024));
    EXPECT_FALSE(Certificate::parse(weak.pem()));
    EXPECT_FALSE(TrustedRoots::parse("nothing"));
}

TEST(Sns, other_versions_and_signatures_are_refused) {
    for (const char* version : {"3", "", "02", "1.0"}) {
        EXPECT_EQ(check(Sent().set("SignatureVersion", version).sign()).refusal, Refusal::algorithm)
            << version;
    }
    for (const char* wrong : {"***", "AA", "AAA_"}) {
        Sent sent;
        sent.sign().set("Signature", wrong);
        EXPECT_EQ(check(sent).refusal, Refusal::malformed) << wrong;
    }
    Sent sent;
    sent.sign().set("Signature", "");
    EXPECT_EQ(check(sent).kind, Proof::Kind::forged);
}

TEST(Sns, repetitions_of_an_hour_are_taken_and_older_ones_are_not) {
    const auto at = [](Duration since) {
        return check(Sent().sign(), rules(), good_certificate(), now + since);
    };
    EXPECT_TRUE(at(minutes(61)).is_held());
    EXPECT_TRUE(at(minutes(70)).is_held());
    EXPECT_EQ(at(minutes(80)).refusal, Refusal::outside_window);
    EXPECT_TRUE(at(-minutes(10)).is_held());  // a clock that is off by ten minutes
    EXPECT_EQ(at(-minutes(20)).refusal, Refusal::outside_window);
}

TEST(Sns, both_confirmations_are_signed_with_their_token) {
    for (const char* type : {"SubscriptionConfirmation", "UnsubscribeConfirmation"}) {
        for (const char* version : {"1", "2"}) {
            EXPECT_TRUE(check(confirmation(type).set("SignatureVersion", version).sign()).is_held())
                << type;
        }
        Sent sent = confirmation(type).sign();
        sent.set("SubscribeURL", "https://sns.eu-west-1.amazonaws.com/?Action=Other");
        EXPECT_EQ(check(sent).kind, Proof::Kind::forged) << type;
    }
}

TEST(Sns, only_an_unsubscribe_confirmation_may_be_signed_without_its_token) {
    EXPECT_TRUE(
        check(confirmation("UnsubscribeConfirmation").sign(testing::rsa_key(), false)).is_held());
    EXPECT_TRUE(check(confirmation("UnsubscribeConfirmation").drop("Token").sign()).is_held());
    EXPECT_EQ(check(confirmation().sign(testing::rsa_key(), false)).kind, Proof::Kind::forged);
}

TEST(Sns, a_subscription_is_confirmed_at_sns_only) {
    const auto good = confirmation_url(confirmation().sign().parse(), rules());
    ASSERT_TRUE(good) << good.error().message();
    EXPECT_EQ(good->host, "sns.eu-west-1.amazonaws.com");
    EXPECT_EQ(good->target(), "/?Action=ConfirmSubscription&TopicArn=" + topic + "&Token=" + token);
    const auto url = [](const std::string& text) {
        return confirmation_url(confirmation().set("SubscribeURL", text).sign().parse(), rules());
    };
    EXPECT_TRUE(url("https://sns.eu-west-1.amazonaws.com/?Token=" + token +
                    "&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Aorders"
                    "&Action=ConfirmSubscription"));
    const std::string at = "https://sns.eu-west-1.amazonaws.com/?";
    for (const std::string& wrong :
         {std::string("http") + subscribe_url().substr(5),
          "https://evil.example/" + subscribe_url().substr(36),
          subscribe_url("arn:aws:sns:eu-west-1:123456789012:other"), subscribe_url(topic, "x"),
          subscribe_url(topic, ""),
          "https://sns.us-east-1.amazonaws.com/" + subscribe_url().substr(36),
          at + "Action=Unsubscribe&TopicArn=" + topic + "&Token=" + token,
          at + "TopicArn=" + topic + "&Token=" + token, subscribe_url() + "&Token=x",
          subscribe_url() + "&Token=" + token, subscribe_url() + "&x=%zz", subscribe_url() + "#x",
          std::string("https://127.0.0.1/"), std::string()}) {
        EXPECT_FALSE(url(wrong)) << wrong;
    }
}

TEST(Sns, nothing_else_is_confirmed) {
    EXPECT_FALSE(confirmation_url(confirmation("UnsubscribeConfirmation").sign().parse(), rules()));
    EXPECT_FALSE(confirmation_url(Sent().sign().parse(), rules()));
    SnsRules nobody = rules();
    nobody.topics.clear();
    EXPECT_FALSE(confirmation_url(confirmation().sign().parse(), nobody));
    EXPECT_FALSE(
        confirmation_url(confirmation().set("TopicArn", "orders").sign().parse(), rules()));
}

TEST(Sns, a_body_that_is_no_message_is_invalid) {
    const Sent sent = Sent().sign();
    for (const char* name : {"Type", "MessageId", "TopicArn", "Message", "Timestamp",
                             "SignatureVersion", "Signature", "SigningCertURL"}) {
        Sent without = sent;
        EXPECT_FALSE(SnsMessage::parse(without.drop(name).body())) << name;
        EXPECT_FALSE(SnsMessage::parse(without.body(fmt::format(",\"{}\":7", name)))) << name;
        EXPECT_FALSE(SnsMessage::parse(sent.body(fmt::format(",\"{}\":\"x\"", name)))) << name;
    }
    for (const char* name : {"MessageId", "TopicArn", "Subject", "Timestamp"}) {
        Sent lines = sent;
        EXPECT_FALSE(SnsMessage::parse(lines.set(name, "a\nb").body())) << name;
    }
    for (const char* name : {"Token", "SubscribeURL"}) {
        EXPECT_FALSE(SnsMessage::parse(confirmation().sign().drop(name).body())) << name;
    }
    for (const std::string& wrong : {std::string(), std::string("[]"), std::string("{}"),
                                     Sent().set("Type", "Other").sign().body(),
                                     Sent().set("Timestamp", "yesterday").sign().body()}) {
        EXPECT_FALSE(SnsMessage::parse(wrong)) << wrong;
    }
    Sent spelled = sent;
    spelled.drop("SigningCertURL").set("SigningCertUrl", certificate_url);
    EXPECT_TRUE(check(spelled).is_held());
}

TEST(VendorUrl, is_taken_apart_as_it_is_visited) {
    const auto url = VendorUrl::parse("HTTPS://Sns.Example:8443/a/b.pem?x=1&y");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->to_string(), "https://sns.example:8443/a/b.pem?x=1&y");
    EXPECT_EQ(VendorUrl::parse("http://h")->to_string(), "http://h:80/");
    EXPECT_EQ(VendorUrl::parse("https://h?q")->target(), "/?q");
    for (const char* wrong : {"https://", "https:///x", "https://h:0/", "https://h:65536/",
                              "https://h:/", "https://h:+1/", "https://h:1:2/", "https://a..b/",
                              "https://.a/", "https://a/ b", "https://a/\x7f", "https://a/\xc3\xa9",
                              "https://a_b/", "ftp://a/", "//a/", "https:a", "https://u:p@a/"}) {
        EXPECT_FALSE(VendorUrl::parse(wrong)) << wrong;
    }
    EXPECT_FALSE(VendorUrl::parse("https://h/" + std::string(vendor_url_bytes_max, 'x')));
}

TEST(CertificateCache, a_certificate_is_fetched_once) {
    CertificateCache cache;
    EXPECT_EQ(cache.ask(certificate_url, minutes(0)).step, FetchStep::fetch_first);
    EXPECT_EQ(cache.ask(certificate_url, minutes(0)).step, FetchStep::wait);
    ASSERT_TRUE(cache.arrived(certificate_url, leaf().pem(), minutes(0)));
    const auto answer = cache.ask(certificate_url, hours(10));
    EXPECT_EQ(answer.step, FetchStep::use);
    ASSERT_NE(answer.certificate, nullptr);
    EXPECT_TRUE(answer.certificate->is_for("sns.amazonaws.com"));
}

TEST(CertificateCache, what_is_no_certificate_is_asked_for_again_later) {
    CertificateCache cache;
    EXPECT_EQ(cache.ask(certificate_url, minutes(0)).step, FetchStep::fetch_first);
    EXPECT_FALSE(cache.arrived(certificate_url, "<html>", minutes(0)));
    EXPECT_EQ(cache.ask(certificate_url, minutes(0)).step, FetchStep::unavailable);
    EXPECT_EQ(CertificateCache::unavailable().refusal, Refusal::keys_unavailable);
    EXPECT_EQ(cache.ask(certificate_url, minutes(1)).step, FetchStep::fetch_first);
    cache.failed(certificate_url, minutes(1));
    EXPECT_EQ(cache.ask(certificate_url, minutes(1)).step, FetchStep::unavailable);
}

TEST(CertificateCache, strangers_urls_are_few_and_push_no_certificate_out) {
    const CertificateCacheOptions options;
    CertificateCache cache(options);
    EXPECT_EQ(cache.ask(certificate_url, minutes(0)).step, FetchStep::fetch_first);
    ASSERT_TRUE(cache.arrived(certificate_url, leaf().pem(), minutes(0)));
    std::size_t fetches = 0;
    for (int i = 0; i < 10'000; ++i) {
        const std::string url = fmt::format("https://sns.eu-west-1.amazonaws.com/{}.pem", i);
        const auto step = cache.ask(url, minutes(i / 1'000)).step;
        fetches += step == FetchStep::fetch_first ? 1 : 0;
        EXPECT_TRUE(step == FetchStep::fetch_first || step == FetchStep::unavailable);
        cache.failed(url, minutes(i / 1'000));
    }
    EXPECT_LE(fetches, 10 * options.new_urls_a_minute);
    EXPECT_LE(cache.size(), options.urls_max);
    EXPECT_EQ(cache.ask(certificate_url, minutes(20)).step, FetchStep::use);
}

}  // namespace
}  // namespace helios::auth
