#pragma once
/// For tests of who may send: a gateway whose senders prove who they are.

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/sns_test_kit.h"
#include "gateway/test_kit.h"

namespace helios::gateway {

namespace sns = auth::testing::sns;

/// As it is asked for.
inline std::string at(std::string_view url) {
    return auth::VendorUrl::parse(url)->to_string();
}

inline const std::string webhook_secret = "whsec_" + base64_encode(std::string(24, 'k'));

/// A gateway whose senders prove who they are, and the vendors' servers that it asks.
struct Checked : Rig {
    std::map<std::string, std::string> environment{{"SECRET", "s3cret"},
                                                   {"OLD", "old secret"},
                                                   {"SHOP", "the shop's secret"},
                                                   {"WEBHOOK", webhook_secret}};
    std::map<std::string, Result<Fetched>> published;  ///< by URL
    std::vector<std::string> fetched;
    SenderPolicies policies;

    Checked() { clock.jump_wall(sns::now - clock.wall()); }

    static auth::SecretReference named(const std::string& variable) {
        return {auth::SecretReference::Kind::env, variable};
    }

    Checked& open_with_checks() {
        open_log();
        auto opened = SenderChecks::open(
            policies,
            {.clock = clock,
             .telemetry = telemetry,
             .environment = [this](const std::string& name) -> std::optional<std::string> {
                 const auto found = environment.find(name);
                 return found == environment.end() ? std::nullopt : std::optional(found->second);
             },
             .fetch =
                 [this](const auth::VendorUrl& url, std::size_t, const FetchDone& done) {
                     fetched.push_back(url.to_string());
                     const auto found = published.find(url.to_string());
                     done(found == published.end()
                              ? Result<Fetched>(fail(ErrorKind::unavailable, "nobody is there"))
                              : found->second);
                 },
             .prove_bearer =
                 [](std::string_view text) {
                     return text == "helios_key" ? auth::Proof::held("the key") : auth::Proof();
                 }});
        EXPECT_TRUE(opened) << opened.error().message();
        checks = *std::move(opened);
        open_gateway();
        return *this;
    }

    using Sent = std::vector<std::pair<std::string, std::string>>;
    http::Response send_with(Endpoint endpoint, std::string body, const Sent& headers,
                             const Sent& query = {}) {
        auto out = request(std::move(body));
        for (const auto& header : headers) {
            out.headers.push_back(header);
        }
        out.query = query;
        return post(endpoint, std::move(out)).get();
    }
    int aws(const Sent& headers, std::string_view id = "e-1") {
        return send_with(Endpoint::aws_eventbridge, eventbridge(id), headers).status;
    }
};

}  // namespace helios::gateway
