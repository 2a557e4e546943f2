#include "app/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "app/config_named.h"
#include "app/start.h"

namespace helios::app {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// The first of them.
std::string error_of(const std::vector<Error>& errors) {
    return errors.empty() ? "accepted" : errors.front().message();
}

TEST(ConfigFile, sets_options_of_every_kind) {
    Config config;
    const auto applied = apply_file(config,
                                    "http:\n  port: 9000\n  body_bytes_max: 4MiB\n  idle_timeout: "
                                    "5s\n  allowed_hosts: [a.example, b.example]\n"
                                    "app:\n  insecure: true\ntelemetry:\n  log_level: debug\n",
                                    "helios.yaml");
    ASSERT_EQ(error_of(applied), "accepted");
    EXPECT_EQ(config.http.port, 9000);
    EXPECT_EQ(config.http.body_bytes_max, 4u << 20);
    EXPECT_EQ(config.http.idle_timeout, std::chrono::seconds(5));
    EXPECT_EQ(config.http.allowed_hosts, (std::vector<std::string>{"a.example", "b.example"}));
    EXPECT_TRUE(config.insecure);
    EXPECT_EQ(config.log_level, telemetry::Level::debug);
}

TEST(ConfigFile, parts_of_sections_nest) {
    Config config;
    ASSERT_EQ(
        error_of(apply_file(config,
                            "sources:\n  aws:\n    policy: [api_key, sns]\n    secret: "
                            "[file:/run/new, env:OLD]\n    topics: [arn:a, arn:b]\n  direct:\n"
                            "    secrets:\n      - secret: file:/run/shop\n        sources: "
                            "[orders, stock]\n      - env:OTHER\nsources.gcp.policy: off\n"
                            "auth:\n  jwt:\n    secret_file: /run/jwt\n",
                            "h.yaml")),
        "accepted");
    const auto& senders = config.gateway.senders;
    EXPECT_EQ(senders.described("aws"), "api_key, sns");
    EXPECT_EQ(senders.described("gcp"), "off");
    EXPECT_EQ(senders.aws.secrets.at(1).to_string(), "env:OLD");
    ASSERT_EQ(senders.direct.speaking.size(), 2u);
    EXPECT_EQ(senders.direct.speaking[0].sources, (std::vector<std::string>{"orders", "stock"}));
    EXPECT_EQ(config.callers.jwt_secret_file, "/run/jwt");
    Config again;
    ASSERT_EQ(error_of(apply_file(again, config_listing(config), "listed")), "accepted");
    EXPECT_EQ(config_listing(again), config_listing(config));
    EXPECT_THAT(error_of(apply_file(config, "sources:\n  aws:\n    polcy: off\n", "h.yaml")),
                HasSubstr("did you mean \"sources.aws.policy\"?"));
    EXPECT_THAT(error_of(apply_file(config, "sources:\n  aws: off\n", "h.yaml")),
                HasSubstr("h.yaml:2:3"));
    const auto plain =
        error_of(apply_file(config, "sources:\n  azure:\n    secret: hunter2\n", "h.yaml"));
    EXPECT_THAT(plain, HasSubstr("h.yaml:3:13"));
    EXPECT_THAT(plain, ::testing::Not(HasSubstr("hunter2")));
}

TEST(ConfigFile, senders_are_declared_by_name) {
    Config config;
    ASSERT_EQ(
        error_of(apply_file(
            config,
            "senders:\n  stripe:\n    recipe: stripe\n    secret: file:/run/stripe\n    types: "
            "{payment_intent.succeeded: PaymentCaptured}\n  shop:\n    items: events[].event\n"
            "    id: [a.id, b]\n    type: header:X-Topic\n    time: {path: at, unit: ms}\n"
            "    payload: data\n    signature: {kind: hmac, header: X-Sign, prefix: 'sha256=', "
            "encoding: hex}\n    secret: [env:NEW, env:OLD]\n    answer: {status: 202, body: "
            "'[ok]'}\n  open:\n    type: t\n    signature: none\n",
            "h.yaml")),
        "accepted");
    const auto& declared = config.gateway.senders.declared;
    ASSERT_EQ(declared.size(), 3u);
    EXPECT_EQ(declared.at("stripe").rules.types.at("payment_intent.succeeded"), "PaymentCaptured");
    EXPECT_EQ(declared.at("stripe").signature->header, "stripe-signature");
    EXPECT_EQ(declared.at("shop").signature->header, "x-sign");
    EXPECT_EQ(declared.at("shop").status, 202);
    EXPECT_FALSE(declared.at("open").signature);
    Config again;
    ASSERT_EQ(error_of(apply_file(again, config_listing(config), "listed")), "accepted");
    EXPECT_EQ(config_listing(again), config_listing(config));

    const auto complaint = [](std::string_view text) {
        Config fresh;
        return error_of(apply_file(fresh, text, "h.yaml"));
    };
    EXPECT_THAT(complaint("senders:\n  shop:\n    recipe: strip\n"),
                AllOf(HasSubstr("h.yaml:3:13"), HasSubstr("did you mean stripe?")));
    EXPECT_THAT(complaint("senders:\n  shop:\n    paylod: t\n"),
                HasSubstr("did you mean \"payload\"?"));
    EXPECT_THAT(complaint("senders:\n  shop:\n    type: a..b\n"), HasSubstr("senders.shop.type"));
    EXPECT_THAT(complaint("senders:\n  aws:\n    type: t\n"), HasSubstr("Helios's own"));
    EXPECT_THAT(complaint("senders:\n  shop:\n    recipe: stripe\n"),
                HasSubstr("senders.shop.secret"));
    EXPECT_THAT(complaint("senders:\n  shop: stripe\n"), HasSubstr("expected a map"));
    const auto plain = complaint("senders:\n  s:\n    recipe: stripe\n    secret: hunter2\n");
    EXPECT_THAT(plain, AllOf(HasSubstr("h.yaml:4:13"), ::testing::Not(HasSubstr("hunter2"))));
}

TEST(ConfigFile, tls_is_a_section_within_its_section_or_whole_names) {
    for (const std::string_view text :
         {"http:\n  tls:\n    cert_file: c.pem\n    key_file: k.pem\n",
          "http:\n  tls.cert_file: c.pem\n  tls.key_file: k.pem\n",
          "http.tls.cert_file: c.pem\nhttp.tls.key_file: k.pem\n"}) {
        Config config;
        ASSERT_EQ(error_of(apply_file(config, text, "h.yaml")), "accepted") << text;
        EXPECT_EQ(config.http.tls.cert_file, "c.pem");
        EXPECT_EQ(config.http.tls.key_file, "k.pem");
        EXPECT_EQ(error_of(config.validate()), "accepted");
    }
    Config config;
    EXPECT_EQ(error_of(apply_environment(config, {{"HELIOS_HTTP_TLS_CERT_FILE", "c.pem"},
                                                  {"HELIOS_HTTP_TRUSTED_PROXIES", "10.0.0.1/8"},
                                                  {"HELIOS_HTTP_PROXY_PROTOCOL", "true"}})),
              "accepted");
    const auto told = config.validate();
    ASSERT_GE(told.size(), 1u);
    EXPECT_THAT(told[0].message(), HasSubstr("http.tls.key_file is empty"));
    config.http.tls.key_file = "k.pem";
    EXPECT_THAT(error_of(config.validate()),
                HasSubstr("HELIOS_HTTP_TRUSTED_PROXIES: http.trusted_proxies has the entry"));
}

TEST(ConfigFile, unknown_options_name_line_and_nearest_name) {
    Config config;
    EXPECT_EQ(error_of(apply_file(config, "http:\n  prot: 1\n", "h.yaml")),
              "h.yaml:2:3: unknown option \"http.prot\"; did you mean \"http.port\"?");
    EXPECT_NE(error_of(apply_file(config, "htpp:\n  port: 1\n", "h.yaml"))
                  .find("h.yaml:2:3: unknown option \"htpp.port\"; did you mean \"http.port\"?"),
              std::string::npos);
}

TEST(ConfigFile, wrong_values_name_place) {
    Config config;
    EXPECT_NE(error_of(apply_file(config, "http:\n  port: 99999\n", "h.yaml"))
                  .find("h.yaml:2:9: http.port: \"99999\" is not a whole number"),
              std::string::npos);
    EXPECT_NE(
        error_of(apply_file(config, "http:\n  idle_timeout: soon\n", "h.yaml")).find("h.yaml:2:17"),
        std::string::npos);
    EXPECT_NE(
        error_of(apply_file(config, "http:\n  port: {a: 1}\n", "h.yaml")).find("expected a value"),
        std::string::npos);
    EXPECT_NE(error_of(apply_file(config, "- a\n", "h.yaml")).find("expected sections"),
              std::string::npos);
}

TEST(ConfigFile, whole_names_at_top_level_and_what_check_prints_reads_back) {
    Config config;
    ASSERT_EQ(error_of(apply_file(config, "http.port: 8001\nlog:\n  partitions: 3\n", "h.yaml")),
              "accepted");
    EXPECT_EQ(config.http.port, 8001);
    config.data_dir = "/a dir/with: colon #5";
    config.http.host = "::1";
    config.http.allowed_hosts = {"a.example", "*"};
    config.flow_files = {"- one.yaml", "[two].yaml"};
    Config again;
    ASSERT_EQ(error_of(apply_file(again, config_listing(config), "h.yaml")), "accepted")
        << config_listing(config);
    EXPECT_EQ(config_listing(again), config_listing(config));
    EXPECT_EQ(again.data_dir, config.data_dir);
    EXPECT_EQ(again.http.host, "::1");
    EXPECT_EQ(again.flow_files, config.flow_files);
    EXPECT_EQ(error_of(apply_file(config, "http.prot: 1\n", "h.yaml")),
              "h.yaml:1:1: unknown option \"http.prot\"; did you mean \"http.port\"?");
}

TEST(ConfigFile, a_section_with_all_its_options_commented_out_is_fine) {
    Config config;
    EXPECT_EQ(error_of(apply_file(config, "http:\n#  port: 1\nlog:\n", "h.yaml")), "accepted");
    EXPECT_EQ(config_listing(config), config_listing(Config{}));
    EXPECT_EQ(error_of(apply_file(config, "log:\nhtpp:\n#  port: 1\n", "h.yaml")),
              "h.yaml:2:1: unknown section \"htpp\"; did you mean \"http\"?");
    EXPECT_NE(error_of(apply_file(config, "http: 8001\n", "h.yaml"))
                  .find("h.yaml:1:7: \"http\" is a section"),
              std::string::npos);
}

TEST(ConfigFile, an_empty_value_is_complained_of_in_its_own_line) {
    Config config;
    EXPECT_NE(error_of(apply_file(config, "http:\n  port:\n  host: a\n", "h.yaml"))
                  .find("h.yaml:2:3: http.port: \"\" is not"),
              std::string::npos)
        << error_of(apply_file(config, "http:\n  port:\n  host: a\n", "h.yaml"));
}

TEST(ConfigFile, values_out_of_range_name_their_place) {
    const auto complaint = [](std::string_view text, const Environment& environment = {}) {
        Config config;
        EXPECT_EQ(error_of(apply_file(config, text, "h.yaml")), "accepted");
        EXPECT_EQ(error_of(apply_environment(config, environment)), "accepted");
        return error_of(config.validate());
    };
    EXPECT_EQ(complaint("log:\n  partitions: 0\n").find("h.yaml:2:15: log.partitions is 0"), 0u);
    EXPECT_EQ(complaint("reconcile:\n  grace: 5s\n  heartbeat: 0s\n")
                  .find("h.yaml:3:14: reconcile.heartbeat must be"),
              0u);
    EXPECT_EQ(complaint("store.readers_max: 0\n").find("h.yaml:1:20: store.readers_max must be"),
              0u);
    EXPECT_EQ(complaint("log:\n  partitions: 3\n", {{"HELIOS_LOG_PARTITIONS", "0"}})
                  .find("HELIOS_LOG_PARTITIONS: log.partitions is 0"),
              0u);
    EXPECT_EQ(complaint("log:\n  pending_bytes_max: 1B\n")
                  .find("h.yaml:2:22: log.pending_bytes_max is 1"),
              0u);
}

TEST(ConfigFile, all_complaints_at_once) {
    Config config;
    const auto errors = apply_file(
        config,
        "http:\n  prot: 1\n  port: 99999\n  idle_timeout: soon\n  io_threads: 2\n  io_threads: 3\n"
        "htpp:\nport: 1\nlog: 5\nlog.partitions: 3\nlog.partitions: 4\ngateway:\n  body_bytes_max: "
        "[1, {a: 2}]\n",
        "h");
    std::string told;
    for (const auto& error : errors) {
        told += error.message() + "\n";
    }
    for (const auto* what :
         {"h:2:3: unknown option \"http.prot\"", "h:3:9: http.port: \"99999\"",
          "h:4:17: http.idle_timeout", "h:6:3: the key 'io_threads' occurs twice",
          "h:7:1: unknown section \"htpp\"",
          "h:8:1: \"port\" stands in no section; did you mean \"http.port\"?",
          "h:9:6: \"log\" is a section", "h:11:1: the key 'log.partitions' occurs twice",
          "h:13:23: \"gateway.body_bytes_max\": expected a list of text"}) {
        EXPECT_NE(told.find(what), std::string::npos) << what << "\n" << told;
    }
    EXPECT_EQ(errors.size(), 9u) << told;
    EXPECT_EQ(config.http.io_threads, 2u);
    EXPECT_EQ(error_of(apply_file(config, "http:\n  port: 1\nhttp.port: 2\n", "h")),
              "h:3:1: http.port is set twice; first in line 2; keep one of them");
    EXPECT_EQ(error_of(apply_file(config, "http:\n\tport: 1\n", "h"))
                  .find("h:2:1: a tab in the indentation"),
              0u);
    EXPECT_EQ(error_of(apply_file(config, std::string_view("\0\1\2", 3), "h"))
                  .find("h:1:1: not UTF-8 text"),
              0u);
    EXPECT_EQ(
        error_of(apply_file(config, std::string(2u << 20, '#'), "h")).find("h:1:1: larger than"),
        0u);
}

TEST(ConfigFile, all_values_out_of_range_at_once) {
    Config config;
    ASSERT_EQ(error_of(apply_file(config,
                                  "log:\n  partitions: 0\n  pending_bytes_max: "
                                  "1B\nstore.readers_max: 0\nreconcile.heartbeat: 0s\n",
                                  "h")),
              "accepted");
    ASSERT_EQ(error_of(apply_environment(config, {{"HELIOS_HTTP_IO_THREADS", "0"}})), "accepted");
    const auto errors = config.validate();
    EXPECT_EQ(errors.size(), 5u);
    EXPECT_EQ(error_of(errors).find("HELIOS_HTTP_IO_THREADS: http.io_threads"), 0u)
        << error_of(errors);
}

TEST(ConfigFile, an_empty_file_changes_nothing) {
    Config config;
    EXPECT_EQ(error_of(apply_file(config, "# nothing\n", "h.yaml")), "accepted");
    EXPECT_EQ(config_listing(config), config_listing(Config{}));
}

TEST(ConfigEnvironment, full_name_wins_over_the_seeds_name) {
    Config config;
    ASSERT_EQ(error_of(apply_environment(config, {{"API_PORT", "1"},
                                                  {"HELIOS_HTTP_PORT", "2"},
                                                  {"API_HOST", "::1"},
                                                  {"LOG_LEVEL", "warning"}})),
              "accepted");
    EXPECT_EQ(config.http.port, 2);
    EXPECT_EQ(config.http.host, "::1");
    EXPECT_EQ(config.log_level, telemetry::Level::warn);
}

TEST(ConfigEnvironment, all_complaints_at_once) {
    Config config;
    const auto errors = apply_environment(config, {{"API_PORT", "x"},
                                                   {"LOG_LEVEL", "loud"},
                                                   {"HELIOS_LOG_PARTITIONS", "-1"},
                                                   {"HELIOS_HTTP_PORT", "7"}});
    EXPECT_EQ(errors.size(), 3u);
    EXPECT_EQ(config.http.port, 7);
    EXPECT_EQ(check_not_built_yet({{"DATABASE_URL", "x"}, {"REDIS_URL", "y"}}).size(), 2u);
}

TEST(ConfigEnvironment, empty_means_unset) {
    Config config;
    EXPECT_EQ(error_of(apply_environment(config, {{"HELIOS_HTTP_PORT", ""}})), "accepted");
    EXPECT_EQ(config.http.port, Config{}.http.port);
}

std::string text_of(const std::vector<Error>& errors) {
    std::string out;
    for (const auto& error : errors) {
        out += error.message() + "\n";
    }
    return out;
}

TEST(ConfigEnvironment, unknown_names_are_told_with_the_nearest_and_refuse_nothing) {
    const Environment environment{
        {"HELIOS_HTTP_PROT", "1"}, {"HELIOS_VERSION", "1.2"}, {"PATH", "/bin"}};
    Config config;
    EXPECT_EQ(error_of(apply_environment(config, environment)), "accepted");
    const auto told = unknown_variables(environment);
    ASSERT_EQ(told.size(), 2u);
    EXPECT_EQ(told[0].message(),
              "warning: the environment sets HELIOS_HTTP_PROT, which is no option: ignored; did "
              "you mean HELIOS_HTTP_PORT?");
    EXPECT_NE(told[1].what.find("HELIOS_VERSION"), std::string::npos);
    EXPECT_EQ(text_of(unknown_variables(
                  {{"HELIOS_HOME", ""}, {"HELIOS_SERVER", "http://a"}, {"HELIOS_TEST_X", "1"}})),
              "");
}

TEST(ConfigEnvironment, what_kubernetes_sets_for_a_service_of_our_name) {
    const Environment environment{{"HELIOS_PORT", "tcp://10.0.0.1:8001"},
                                  {"HELIOS_PORT_8001_TCP", "tcp://10.0.0.1:8001"},
                                  {"HELIOS_PORT_8001_TCP_ADDR", "10.0.0.1"},
                                  {"HELIOS_SERVICE_HOST", "10.0.0.1"},
                                  {"HELIOS_SERVICE_PORT", "8001"}};
    Config config;
    EXPECT_EQ(error_of(apply_environment(config, environment)), "accepted");
    EXPECT_EQ(config_listing(config), config_listing(Config{}));
    const auto told = unknown_variables(environment);
    EXPECT_EQ(told.size(), environment.size());
    EXPECT_NE(told.front().hint.find("the nearest option is HELIOS_HTTP_PORT; `helios config "
                                     "reference` lists all (Kubernetes"),
              std::string::npos)
        << told.front().hint;
    for (const auto& each : told) {
        EXPECT_NE(each.hint.find("enableServiceLinks: false"), std::string::npos) << each.message();
    }
    // A Service named helios-http: a name that is ours, and a value that is not.
    const auto refused =
        error_of(apply_environment(config, {{"HELIOS_HTTP_PORT", "tcp://10.0.0.1:8001"}}));
    EXPECT_EQ(refused.find("HELIOS_HTTP_PORT: \"tcp://10.0.0.1:8001\" is not a whole number"), 0u)
        << refused;
    EXPECT_NE(refused.find("enableServiceLinks: false"), std::string::npos) << refused;
}

TEST(ConfigEnvironment, parts_that_are_not_built_yet_end_the_start) {
    for (const auto* name : {"KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "REDIS_URL"}) {
        EXPECT_NE(error_of(check_not_built_yet({{name, "x"}})).find(std::string("unset ") + name),
                  std::string::npos);
        EXPECT_EQ(error_of(check_not_built_yet({{name, ""}})), "accepted");
    }
}

TEST(Listen, forms) {
    Config config;
    ASSERT_TRUE(apply_listen(config, "0.0.0.0:80").has_value());
    EXPECT_EQ(config.http.host, "0.0.0.0");
    EXPECT_EQ(config.http.port, 80);
    ASSERT_TRUE(apply_listen(config, "[::1]:0").has_value());
    EXPECT_EQ(config.http.host, "::1");
    ASSERT_TRUE(apply_listen(config, ":9").has_value());
    EXPECT_EQ(config.http.host, "127.0.0.1");
    for (const auto* bad :
         {"", "localhost", "host:", "host:99999", "host:-1", "::1:80", "host:80x"}) {
        EXPECT_FALSE(apply_listen(config, bad).has_value()) << bad;
    }
}

TEST(ConfigRetention, what_is_kept_longer_than_the_log_is_refused_with_its_place) {
    const auto complaint = [](std::string_view text) {
        Config config;
        const auto errors = apply_file(config, text, "h.yaml");
        if (!errors.empty()) {
            return errors.front().message();
        }
        std::string all;
        for (const auto& wrong : config.validate()) {
            all += wrong.message() + "\n";
        }
        return all;
    };
    EXPECT_EQ(complaint("retention: {log: 10d}"), "");
    EXPECT_EQ(complaint("retention: {log: forever, dedup: forever, quarantine: 400d}"), "");
    EXPECT_EQ(complaint("retention: {log: 0s, log_bytes: 1GiB}"), "");
    EXPECT_EQ(complaint("retention: {log: 2d, dedup_sources: [aws=48h, gcp=1h], quarantine: 1d}"),
              "");
    EXPECT_THAT(complaint("retention:\n  log: 1h"),
                HasSubstr("retention.dedup is 1d, longer than retention.log (1h)"));
    EXPECT_THAT(complaint("retention:\n  log: 2d\n  dedup: forever"),
                AllOf(HasSubstr("h.yaml:3:"), HasSubstr("retention.dedup is forever, longer")));
    EXPECT_THAT(complaint("retention:\n  log: 2d\n  dedup_sources: [aws=49h]"),
                AllOf(HasSubstr("h.yaml:3:"), HasSubstr("aws=49h, longer than")));
    EXPECT_THAT(complaint("retention:\n  log: 2d\n  quarantine: 3d"),
                AllOf(HasSubstr("h.yaml:3:"), HasSubstr("retention.quarantine is 3d, longer")));
    EXPECT_THAT(complaint("retention: {log: 10s, quarantine: 5d}"),
                AllOf(HasSubstr("retention.dedup is 1d"), HasSubstr("retention.quarantine is 5d")))
        << "all at once";
    EXPECT_EQ(complaint("retention: {slice: 1m, events: 5m, dedup: 5m, log: 5m}"), "");
    EXPECT_EQ(complaint("retention: {slice: 1h, events: 30d}"), "");
    EXPECT_EQ(complaint("retention: {slice: 31d, dedup: forever}"), "");
    EXPECT_THAT(complaint("retention:\n  slice: 1h\n  events: 365d"),
                AllOf(HasSubstr("h.yaml:2:"), HasSubstr("would lie in more than 1000 files"),
                      HasSubstr("choose 9h or more")));
    EXPECT_THAT(complaint("retention:\n  slice: 1h"), HasSubstr("events stay for ever"));
    EXPECT_THAT(complaint("retention:\n  slice: 5m\n  events: 1d"),
                AllOf(HasSubstr("copies within retention.dedup (1d) would lie in more than 64"),
                      HasSubstr("choose 23m or more")));
    EXPECT_THAT(complaint("retention:\n  log_bytes: 64MiB"),
                HasSubstr("retention.log_bytes is 64MiB, less than two segments"));
    EXPECT_THAT(complaint("retention:\n  log: -1d"), HasSubstr("is negative"));
    EXPECT_THAT(complaint("retention:\n  log: never"), HasSubstr("h.yaml:2:"));
    EXPECT_THAT(complaint("retention:\n  dedup_sources: [aws]"), HasSubstr("write aws=48h"));
    EXPECT_THAT(complaint("retention:\n  dedup_sources: [aws=1h, aws=2h]"),
                HasSubstr("named twice"));
}

TEST(ConfigFile, what_may_be_in_memory_fits_or_is_refused_with_what_it_is) {
    const auto complaint = [](std::string_view text) {
        Config config;
        EXPECT_EQ(error_of(apply_file(config, text, "h.yaml")), "accepted") << text;
        std::string all;
        for (const auto& wrong : config.validate()) {
            all += wrong.message() + "\n";
        }
        return all;
    };
    EXPECT_EQ(complaint(""), "") << "the defaults fit";
    EXPECT_THAT(complaint("app:\n  memory_max: 2GiB"),
                AllOf(HasSubstr("h.yaml:2:"), HasSubstr("app.memory_max is 2GiB"),
                      HasSubstr("reconcile.open_cases_max 4882 MiB")))
        << "largest first";
    EXPECT_EQ(complaint("app: {memory_max: 3GiB}\nreconcile: {open_cases_max: 100000}"), "");
    EXPECT_THAT(complaint("app: {memory_max: 3GiB}\nreconcile: {open_cases_max: 100000}\n"
                          "http: {inflight_bytes_max: 2GiB}"),
                HasSubstr("http.inflight_bytes_max 2048 MiB"));
    EXPECT_EQ(complaint("app: {memory_max: 0}\nhttp: {inflight_bytes_max: 20GiB}"), "");
}

TEST(ConfigFile, rates_are_of_a_source_and_of_its_credentials) {
    Config config;
    ASSERT_EQ(error_of(apply_file(config,
                                  "sources:\n  aws: {rate: 500}\n  direct:\n    rate: 2000\n"
                                  "    credential_rate: 100\n  shop: {rate: 20, "
                                  "credential_rate: 5}\n  hooks.rate: 7\nsenders:\n  shop: "
                                  "{type: t, signature: none}\n",
                                  "h.yaml")),
              "accepted");
    const auto& senders = config.gateway.senders;
    EXPECT_EQ(senders.aws.rate, 500u);
    EXPECT_EQ(senders.aws.credential_rate, 0u) << "no bound";
    EXPECT_EQ(senders.direct.rate, 2'000u);
    EXPECT_EQ(senders.direct.credential_rate, 100u);
    EXPECT_EQ(senders.rates.at("shop").rate, 20u) << "declared";
    EXPECT_EQ(senders.rates.at("shop").credential_rate, 5u);
    EXPECT_EQ(senders.rates.at("hooks").rate, 7u);
    EXPECT_THAT(config_listing(config), HasSubstr("sources.shop.rate: 20"));
    Config again;
    ASSERT_EQ(error_of(apply_file(again, config_listing(config), "listed")), "accepted");
    EXPECT_EQ(config_listing(again), config_listing(config));
    ASSERT_EQ(error_of(apply_environment(config, {{"HELIOS_SOURCES_SHOP_CREDENTIAL_RATE", "9"}})),
              "accepted");
    EXPECT_EQ(senders.rates.at("shop").credential_rate, 9u);
    EXPECT_TRUE(unknown_variables({{"HELIOS_SOURCES_SHOP_CREDENTIAL_RATE", "9"}}).empty());
    const auto unnamed = unnamed_sources(config, {"depot"});
    ASSERT_EQ(unnamed.size(), 1u) << "a declared sender is named";
    EXPECT_THAT(unnamed[0].message(), HasSubstr("sources.hooks"));
    EXPECT_TRUE(unnamed_sources(config, {"hooks"}).empty());
    EXPECT_THAT(error_of(apply_file(config, "sources:\n  aws: {rate: fast}\n", "h.yaml")),
                HasSubstr("h.yaml:2:"));
    for (const std::string_view wrong :
         {"sources:\n  shop: {rate: -1}\n", "sources:\n  Shop: {rate: 1}\n",
          "sources:\n  shop: {rat: 1}\n", "senders:\n  shop: {type: t, rate: 1}\n"}) {
        EXPECT_THAT(error_of(apply_file(config, wrong, "h.yaml")), HasSubstr("h.yaml:2:")) << wrong;
    }
}

TEST(ConfigFile, queues_beside_the_clouds_own_have_names) {
    Config config;
    ASSERT_EQ(error_of(apply_file(
                  config,
                  "sources:\n  orders_queue:\n    pull:\n      kind: sqs\n      queue_url: "
                  "https://sqs.eu-central-1.amazonaws.com/1/orders\n      concurrency: 2\n"
                  "  payments.pull.kind: pubsub\n"
                  "  payments.pull.subscription: projects/p/subscriptions/s\n",
                  "h.yaml")),
              "accepted");
    EXPECT_EQ(config.pull.named.at("orders_queue").concurrency, 2u);
    EXPECT_EQ(config.pull.named.at("payments").concurrency, 4u);
    EXPECT_EQ(sources::source_of("orders_queue", config.pull.named.at("orders_queue")), "aws");
    EXPECT_EQ(sources::source_of("payments", config.pull.named.at("payments")), "gcp");
    EXPECT_TRUE(config.validate().empty());
    Config again;
    ASSERT_EQ(error_of(apply_file(again, config_listing(config), "listed")), "accepted");
    EXPECT_EQ(config_listing(again), config_listing(config));
    close_to_push(config);
    EXPECT_EQ(config.gateway.senders.aws.methods,
              std::vector<gateway::ProofMethod>{gateway::ProofMethod::off});
    EXPECT_TRUE(config.gateway.senders.gcp.fetched) << "nobody speaks for what is fetched";
    EXPECT_FALSE(config.gateway.senders.azure.fetched);

    const auto complaint = [](std::string_view text) -> std::string {
        Config fresh;
        if (const auto errors = apply_file(fresh, text, "h.yaml"); !errors.empty()) {
            return errors.front().message();
        }
        const auto errors = fresh.validate();
        return errors.empty() ? "" : errors.front().message();
    };
    EXPECT_THAT(complaint("sources:\n  q: {pull: {kind: rabbit}}\n"),
                AllOf(HasSubstr("h.yaml:2:"), HasSubstr("sources.q.pull.kind")));
    EXPECT_THAT(complaint("sources:\n  q: {pull: {queue_url: 'https://x/1/q'}}\n"),
                HasSubstr("sources.q.pull.kind"));
    EXPECT_THAT(complaint("sources:\n  q: {pull: {kind: sqs}}\n"),
                HasSubstr("sources.q.pull.queue_url"));
    EXPECT_THAT(complaint("sources:\n  direct: {pull: {kind: sqs}}\n"), HasSubstr("unknown"));
    EXPECT_THAT(complaint("sources:\n  q: {pull: {kind: pubsub, subscription: "
                          "projects/p/subscriptions/s}}\nsenders:\n  q: {type: t, signature: "
                          "none}\n"),
                HasSubstr("is a source already"));
}

TEST(ConfigFile, an_empty_allow_list_is_not_the_same_as_none) {
    Config config;
    ASSERT_EQ(error_of(apply_file(config, "sources:\n  azure: {topics: []}\n  gcp: {origins: }\n",
                                  "h.yaml")),
              "accepted");
    EXPECT_TRUE(config.gateway.senders.azure.topics &&
                config.gateway.senders.azure.topics->empty());
    EXPECT_FALSE(config.gateway.senders.gcp.origins);
    Config again;
    ASSERT_EQ(error_of(apply_file(again, config_listing(config), "listed")), "accepted");
    EXPECT_TRUE(again.gateway.senders.azure.topics && again.gateway.senders.azure.topics->empty());
    EXPECT_FALSE(again.gateway.senders.gcp.origins);
    ASSERT_EQ(error_of(apply_file(again, "sources:\n  azure: {topics: [/a, /b]}\n", "h.yaml")),
              "accepted");
    EXPECT_EQ(again.gateway.senders.azure.topics->size(), 2u);
    ASSERT_EQ(error_of(apply_file(again,
                                  "sources:\n  azure: {policy: query, secret: 'env:S', topics: "
                                  "[]}\n",
                                  "h.yaml")),
              "accepted");
    EXPECT_THAT(again.validate().front().message(), HasSubstr("sources.azure.topics"));
}

TEST(Reference, names_every_option_once_with_a_default_that_reads_back) {
    std::set<std::string> keys;
    const Config defaults;
    for (const auto& row : settings()) {
        EXPECT_TRUE(keys.insert(row.key).second) << row.key;
        EXPECT_FALSE(row.description.empty()) << row.key;
        EXPECT_NE(config_reference().find("`" + row.key + "`"), std::string::npos);
        Config copy;
        EXPECT_TRUE(row.set(copy, row.get(defaults)).has_value())
            << row.key << " = " << row.get(defaults);
        EXPECT_EQ(row.get(copy), row.get(defaults)) << row.key;
    }
    EXPECT_TRUE(defaults.validate().empty());
}

}  // namespace
}  // namespace helios::app
