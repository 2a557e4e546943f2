/// Who asks: as long as nobody else reaches the server, whoever runs it; else by key or token.

#include "app/callers.h"

#include <fstream>
#include <gtest/gtest.h>

#include "auth/test_kit.h"
#include "base/random.h"
#include "base/temporary_directory.h"

namespace helios::app {
namespace {

const std::string secret(32, 's');

struct Rig {
    TemporaryDirectory directory = *TemporaryDirectory::make("helios-callers-");
    ManualClock clock{parse_rfc3339("2026-01-05T10:23:45Z")->at};
    std::vector<std::string> lines;
    telemetry::Telemetry telemetry{clock, telemetry::Level::debug, lines};
    CallerOptions options{directory.path() + "/keys.json", directory.path() + "/jwt"};
    std::unique_ptr<Callers> callers;
    http::Route route;
    http::Request request;

    Rig() {
        write_secret(secret + "\n");
        route.access = http::Access::viewer;
    }
    void write_secret(const std::string& text) const {
        std::ofstream(options.jwt_secret_file) << text;
    }
    Rig& open(bool alone) {
        auto opened = Callers::open(options, alone, telemetry, clock);
        EXPECT_TRUE(opened) << opened.error().message();
        callers = *std::move(opened);
        return *this;
    }
    std::string add_key(const std::string& name, Role role,
                        std::vector<std::string> sources = {}) const {
        auth::ApiKeyEntropy entropy;
        fill_random(entropy);
        const auto made = auth::make_api_key(entropy);
        auth::ApiKey key;
        key.id = made.id;
        key.name = name;
        key.role = role;
        key.sources = std::move(sources);
        key.digest = made.digest;
        key.created = clock.wall();
        EXPECT_TRUE(auth::change_api_keys(options.keys_file,
                                          [&](auth::ApiKeys& keys) { return keys.add(key); }));
        return made.text;
    }
    void bring(const std::string& bearer) {
        request.headers = {{"Authorization", "Bearer " + bearer}};
    }
    std::string token(const std::string& role, Duration expires_in = std::chrono::minutes(5),
                      const std::string& with = secret) const {
        const auto at = std::chrono::floor<std::chrono::seconds>(clock.wall() + expires_in)
                            .time_since_epoch()
                            .count();
        return auth::testing::token_of(
            R"({"alg":"HS256","typ":"JWT"})",
            R"({"sub":"ann","role":")" + role + R"(","exp":)" + std::to_string(at) + "}", with);
    }
    /// 0: it is let in, as `who`.
    int asked(std::string* who = nullptr) {
        const auto answer = callers->identify(route, request);
        if (const auto* response = std::get_if<http::Response>(&answer)) {
            return response->status;
        }
        if (who != nullptr) {
            *who = std::get<Caller>(answer).subject;
        }
        return 0;
    }
};

TEST(Callers, alone_whoever_asks_runs_it_unless_a_proxy_brings_him) {
    Rig rig;
    rig.open(true);
    std::string who;
    EXPECT_EQ(rig.asked(&who), 0);
    EXPECT_EQ(who, "local");
    for (const auto* name : {"Forwarded", "Via", "X-Forwarded-For", "x-forwarded-proto",
                             "X-FORWARDED-Anything", "X-Real-IP"}) {
        rig.request.headers = {{name, "127.0.0.1"}};
        EXPECT_EQ(rig.asked(), 401) << name;
    }
}

TEST(Callers, else_a_key_or_a_token_says_who_asks) {
    Rig rig;
    const auto op = rig.add_key("ann", Role::operator_);
    const auto sender = rig.add_key("shop", Role::sender, {"orders"});
    rig.open(false);
    EXPECT_EQ(rig.asked(), 401);
    std::string who;
    rig.bring(op);
    EXPECT_EQ(rig.asked(&who), 0);
    EXPECT_EQ(who, "ann");
    rig.bring(sender);
    EXPECT_EQ(rig.asked(), 403) << "a sender does not read";
    rig.bring(rig.token("operator"));
    EXPECT_EQ(rig.asked(&who), 0);
    EXPECT_EQ(who, "ann");
    rig.bring(rig.token("sender"));
    EXPECT_EQ(rig.asked(), 403);
    rig.bring(rig.token("operator", -std::chrono::minutes(5)));
    EXPECT_EQ(rig.asked(), 401) << "expired";
    rig.bring(rig.token("operator", std::chrono::minutes(5), std::string(32, 'x')));
    EXPECT_EQ(rig.asked(), 401) << "another secret";
    rig.bring(auth::testing::unsigned_token(R"({"alg":"none"})",
                                            R"({"sub":"ann","role":"operator","exp":9999999999})") +
              ".");
    EXPECT_EQ(rig.asked(), 401);
    rig.bring(op.substr(0, op.size() - 1));
    EXPECT_EQ(rig.asked(), 401);
    EXPECT_EQ(rig.asked(), 401);
}

TEST(Callers, what_is_for_everyone_or_for_senders_is_not_asked_here) {
    Rig rig;
    rig.open(false);
    rig.route.access = http::Access::everyone;
    EXPECT_EQ(rig.asked(), 0);
    rig.route.access = http::Access::sender;
    EXPECT_EQ(rig.asked(), 0) << "the gateway asks senders, by their source's policy";
    rig.route.access = http::Access::unsaid;
    EXPECT_NE(rig.asked(), 0);
}

TEST(Callers, keys_and_secret_are_read_again) {
    Rig rig;
    rig.open(false);
    const auto op = rig.add_key("ann", Role::operator_);
    rig.bring(op);
    EXPECT_EQ(rig.asked(), 401) << "not read yet";
    rig.clock.advance(std::chrono::seconds(6));
    rig.callers->refresh();
    EXPECT_EQ(rig.asked(), 0);
    EXPECT_TRUE(auth::change_api_keys(rig.options.keys_file, [&](auth::ApiKeys& keys) -> Status {
        HELIOS_TRY(keys.revoke("ann", rig.clock.wall()));
        return {};
    }));
    rig.write_secret(std::string(32, 'n'));
    rig.clock.advance(std::chrono::seconds(6));
    rig.callers->refresh();
    EXPECT_EQ(rig.asked(), 401) << "revoked";
    rig.bring(rig.token("operator"));
    EXPECT_EQ(rig.asked(), 401);
    rig.bring(rig.token("operator", std::chrono::minutes(5), std::string(32, 'n')));
    EXPECT_EQ(rig.asked(), 0);
    rig.write_secret("short");
    rig.clock.advance(std::chrono::seconds(6));
    rig.callers->refresh();
    EXPECT_EQ(rig.asked(), 0) << "what is no secret changes nothing";
}

}  // namespace
}  // namespace helios::app
