#include "gateway/redact.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace helios::gateway {
namespace {

http::Request with(std::string name, std::string value) {
    http::Request request;
    request.headers.emplace_back(std::move(name), std::move(value));
    return request;
}

TEST(Redact, whatever_may_be_a_secret_becomes_a_fingerprint) {
    for (const std::string name :
         {"Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key", "aeg-sas-key",
          "aeg-sas-token", "X-Auth-Token", "X-Shop-Pass", "X-Signature", "Referer", "ce-secret"}) {
        for (const std::string value :
             {"hunter2", "Bearer hunter2", "Custom hunter2", "a=hunter2; b=c"}) {
            const auto text = redacted_headers(with(name, value));
            EXPECT_EQ(text.find("hunter2"), std::string::npos) << name << ": " << text;
            EXPECT_NE(text.find("[sha256:"), std::string::npos) << text;
        }
    }
    auto request = with("User-Agent", "x https://user:hunter2@host/path");
    request.query = {{"code", "hunter2"}, {"flag", ""}};
    const auto text = redacted_headers(request);
    EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
    EXPECT_NE(text.find("@host/path"), std::string::npos) << text;
    EXPECT_NE(text.find(R"(":query":"code=)"), std::string::npos) << text;
}

TEST(Redact, what_helps_is_kept) {
    auto request = with("Content-Type", "text/plain; charset=UTF-8");
    request.headers.emplace_back("X-Amz-Sns-Message-Type", "Notification");
    request.headers.emplace_back("x-forwarded-for", "10.0.0.1");
    request.headers.emplace_back("X-Forwarded-For", "10.0.0.2");
    request.headers.emplace_back("Authorization", "Basic dXNlcjpwYXNz");
    const auto text = redacted_headers(request);
    EXPECT_EQ(
        text,
        R"({"authorization":"Basic )" + fingerprint("dXNlcjpwYXNz") +
            R"(","content-type":"text/plain; charset=UTF-8","x-amz-sns-message-type":"Notification","x-forwarded-for":"10.0.0.1, 10.0.0.2"})");
    EXPECT_TRUE(json::Document::parse(text));
    EXPECT_EQ(redacted_headers({}), "{}");
}

TEST(Redact, fingerprints_tell_secrets_apart) {
    EXPECT_EQ(fingerprint("a"), fingerprint("a"));
    EXPECT_NE(fingerprint("a"), fingerprint("b"));
    EXPECT_EQ(fingerprint("a").size(), 17u);
}

}  // namespace
}  // namespace helios::gateway
