// The stream: what a listener gets, from where, and that neither slow ones nor lost connections
// cost anybody a revision.

#include "api/stream.h"

#include <deque>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <thread>

#include "api/test_kit.h"
#include "base/mutex.h"
#include "http/websocket_test_kit.h"
#include "model/position.h"

namespace helios::api {
namespace {

using http::RawWebSocket;
using store::testing::a_finding;
using store::testing::a_verdict;
using store::testing::an_event;
using store::testing::epoch_of_tests;
using ::testing::HasSubstr;
using testing::parsed;
using testing::Served;

/// A client without a socket: takes `capacity` messages before it has to be read from.
class Client final : public http::WebSocket {
public:
    explicit Client(std::size_t capacity) : capacity_(capacity) {}

    bool send(Text text) override {
        const MutexLock lock(mutex_);
        if (closed_with_ || waiting_.size() >= capacity_) {
            refused_ = true;
            return false;
        }
        waiting_.push_back(std::move(text));
        most_waiting_ = std::max(most_waiting_, waiting_.size());
        changed_.notify_all();
        return true;
    }
    void close(http::CloseCode code, std::string) override {
        const MutexLock lock(mutex_);
        closed_with_ = code;
        changed_.notify_all();
    }

    /// The next message; asserts that one comes.
    std::string take() {
        MutexLock lock(mutex_);
        const bool came =
            changed_.wait_for(lock, http::test_patience, [&] { return !waiting_.empty(); });
        HELIOS_ASSERT(came, "a message comes");
        Text text = std::move(waiting_.front());
        waiting_.pop_front();
        const bool room = waiting_.size() <= capacity_ / 2 && std::exchange(refused_, false);
        lock.unlock();
        if (room) {
            events->room();
        }
        return *text;
    }
    bool wait_until_full() {
        MutexLock lock(mutex_);
        return changed_.wait_for(lock, http::test_patience,
                                 [&] { return waiting_.size() == capacity_; });
    }
    std::optional<http::CloseCode> wait_for_close() {
        MutexLock lock(mutex_);
        changed_.wait_for(lock, http::test_patience, [&] { return closed_with_.has_value(); });
        return closed_with_;
    }
    std::size_t waiting() {
        const MutexLock lock(mutex_);
        return waiting_.size();
    }
    std::size_t most_waiting() const { return most_waiting_; }

    std::shared_ptr<http::WebSocketEvents> events;

private:
    const std::size_t capacity_;
    Mutex mutex_;
    Condition changed_;
    std::deque<Text> waiting_;
    std::size_t most_waiting_ = 0;
    bool refused_ = false;
    std::optional<http::CloseCode> closed_with_;
};

std::shared_ptr<Client> connect(Served& served, std::string_view query = "",
                                std::size_t capacity = 1000) {
    const auto response =
        served.get(fmt::format("/api/v1/stream{}{}", query.empty() ? "" : "?", query));
    EXPECT_EQ(response.status, 101) << response.body;
    HELIOS_ASSERT(response.websocket, "it is accepted");
    auto client = std::make_shared<Client>(capacity);
    client->events = response.websocket;
    client->events->opened(client);
    return client;
}

std::string member(std::string_view message, std::string_view name) {
    const auto document = json::Document::parse(std::string(message));
    HELIOS_ASSERT(document.has_value(), "a message is JSON");
    return std::string(document->root().find(name).text());
}

std::string position_of(const log::Log& log, const log::Appended& position) {
    return model::encode_position({log::hash_of(log.id()), position.at, position.log_time});
}

model::Verdict pending(std::string key) {
    return a_verdict(std::move(key), 1, model::VerdictStatus::pending, std::nullopt);
}

TEST(Stream, a_message_is_the_verdict_of_the_contract_with_its_position) {
    Served served;
    served.bench.append(pending("before"));
    served.open();
    const auto client = connect(served);
    auto verdict = a_verdict("ORD-1", 2, model::VerdictStatus::mismatched, epoch_of_tests);
    verdict.findings = {a_finding(model::FindingKind::amount)};
    const auto at = served.bench.append(verdict);

    json::Writer expected;
    model::write_json(expected, verdict);
    auto text = expected.take();
    text.back() = ',';
    EXPECT_EQ(client->take(),
              text + R"("position":")" + position_of(*served.bench.log, at) + R"("})")
        << "and nothing from before";
    EXPECT_EQ(client->waiting(), 0u);
}

TEST(Stream, payloads_come_when_asked_for) {
    Served served;
    served.open();
    const auto event = an_event("e-1", "OrderPlaced", "ORD-1");
    const auto stored = served.bench.append(event);
    auto verdict = pending("ORD-1");
    model::VerdictEvent rests_on;
    rests_on.leg = "order";
    rests_on.event_id = "e-1";
    rests_on.source = "aws";
    rests_on.type = "OrderPlaced";
    rests_on.pointer = stored.at;
    verdict.events = {rests_on};
    const auto with = connect(served, "payloads=true");
    const auto without = connect(served, "payloads=false");
    served.bench.append(verdict);
    EXPECT_THAT(with->take(), HasSubstr(R"("payload":)" + event.payload));
    EXPECT_EQ(without->take().find("payload"), std::string::npos);

    rests_on.pointer.offset.value += 1;  // nothing begins there: as if past retention
    verdict.events = {rests_on};
    served.bench.append(verdict);
    EXPECT_THAT(with->take(), HasSubstr(R"("payload":null,"expired":true)"));
}

TEST(Stream, filters_choose_revisions) {
    Served served;
    served.open();
    const auto all = connect(served);
    const auto of_refund = connect(served, "flow=refund");
    const auto of_key = connect(served, "key=B");
    const auto matched = connect(served, "status=matched");
    const auto late = connect(served, "kind=late");
    const auto several = connect(served, "kind=late&status=mismatched&flow=order");
    auto refund = pending("A");
    refund.flow = "refund";
    auto mismatched = a_verdict("B", 2, model::VerdictStatus::mismatched, epoch_of_tests);
    mismatched.findings = {a_finding(model::FindingKind::amount),
                           a_finding(model::FindingKind::late)};
    auto late_only = a_verdict("C", 2, model::VerdictStatus::matched, epoch_of_tests);
    late_only.findings = {a_finding(model::FindingKind::late)};
    for (const auto& verdict : {refund, mismatched, late_only, pending("last")}) {
        served.bench.append(verdict);
    }
    const auto keys = [](Client& client, std::size_t count) {
        std::vector<std::string> taken;
        while (taken.size() < count) {
            taken.push_back(member(client.take(), "key"));
        }
        return taken;
    };
    EXPECT_THAT(keys(*all, 4), ::testing::ElementsAre("A", "B", "C", "last"));
    // Served in the same turn, before or after it: nothing else is on its way to the others once a
    // further revision has come.
    served.bench.append(pending("end"));
    EXPECT_EQ(keys(*all, 1), std::vector<std::string>{"end"});
    EXPECT_THAT(keys(*of_refund, 1), ::testing::ElementsAre("A"));
    EXPECT_THAT(keys(*of_key, 1), ::testing::ElementsAre("B"));
    EXPECT_THAT(keys(*matched, 1), ::testing::ElementsAre("C"));
    EXPECT_THAT(keys(*late, 2), ::testing::ElementsAre("B", "C"));
    EXPECT_THAT(keys(*several, 1), ::testing::ElementsAre("B"));
    for (const auto& client : {of_refund, of_key, matched, late, several}) {
        EXPECT_EQ(client->waiting(), 0u);
    }
}

TEST(Stream, what_is_asked_wrongly_is_refused_before_there_is_a_websocket) {
    Served served;
    const auto event = served.bench.append(an_event("e-1", "OrderPlaced", "ORD-1"));
    served.open();
    auto beyond = event;
    beyond.log_time += std::chrono::hours(1);
    auto elsewhere = event;
    elsewhere.at.offset.value += 1;
    auto no_partition = event;
    no_partition.at.partition.index = 100;
    auto other_time = event;
    other_time.log_time -= Duration{1};
    for (const std::string query :
         {"flwo=order", "flow=", "flow=a&flow=b", "status=late", "kind=broken", "payloads=yes",
          "after=nonsense", "after=", "limit=10"}) {
        const auto response = served.get("/api/v1/stream?" + query);
        EXPECT_EQ(response.status, 400) << query;
        EXPECT_FALSE(response.websocket) << query;
        EXPECT_EQ(testing::header_of(response, "Content-Type"), "application/problem+json");
    }
    for (const auto& position : {beyond, elsewhere, no_partition, other_time}) {
        const auto response =
            served.get("/api/v1/stream?after=" + position_of(*served.bench.log, position));
        EXPECT_EQ(response.status, 400);
        EXPECT_THAT(response.body, HasSubstr("another server"));
    }
    EXPECT_EQ(served.get("/api/v1/stream?after=" + position_of(*served.bench.log, event)).status,
              101);
}

TEST(Stream, begins_behind_an_events_position_with_what_was_decided_since) {
    Served served;
    served.bench.append(pending("before"));
    const auto event = served.bench.append(an_event("e-1", "OrderPlaced", "ORD-1"));
    served.bench.append(pending("ORD-1"));
    served.open();
    const auto client = connect(served, "after=" + position_of(*served.bench.log, event));
    served.bench.append(pending("ORD-2"));
    EXPECT_EQ(member(client->take(), "key"), "ORD-1");
    EXPECT_EQ(member(client->take(), "key"), "ORD-2");
}

TEST(Stream, a_slow_client_disturbs_nobody_and_misses_nothing) {
    Served served;
    served.options.stream_records_max = 16;
    served.open();
    const auto slow = connect(served, "", 4);
    const auto quick = connect(served);
    constexpr int count = 500;
    for (int i = 0; i < count; ++i) {
        served.bench.append(pending(fmt::format("ORD-{}", i)));
        ASSERT_EQ(member(quick->take(), "key"), fmt::format("ORD-{}", i));
    }
    EXPECT_TRUE(slow->wait_until_full());
    EXPECT_THAT(served.bench.telemetry.metrics.expose(),
                HasSubstr("\nhelios_api_stream_behind 1\n"));
    for (int i = 0; i < count; ++i) {
        ASSERT_EQ(member(slow->take(), "key"), fmt::format("ORD-{}", i));
    }
    EXPECT_LE(slow->most_waiting(), 4u);
    served.bench.append(pending("both"));
    EXPECT_EQ(member(slow->take(), "key"), "both");
    EXPECT_EQ(member(quick->take(), "key"), "both");
}

TEST(Stream, who_connects_again_and_again_under_load_gets_every_revision_once) {
    Served served;
    served.options.stream_records_max = 32;
    const auto first = served.bench.append(pending("first"));
    served.open();
    constexpr int count = 3000;
    std::thread load([&] {
        for (int i = 0; i < count; ++i) {
            auto verdict = pending(fmt::format("ORD-{}", i));
            verdict.flow = i % 3 == 0 ? "refund" : "order";
            served.bench.append(verdict);
        }
    });
    const auto steady = connect(served, "after=" + position_of(*served.bench.log, first), count);
    std::mt19937 random(20260105);
    struct Reader {
        std::string filter;
        int step;
        int next;
        int connections;
        std::string after;
    };
    std::vector<Reader> readers{{"", 1, 0, 0, position_of(*served.bench.log, first)},
                                {"flow=refund&", 3, 0, 0, position_of(*served.bench.log, first)}};
    for (auto& reader : readers) {
        while (reader.next < count) {
            const auto client =
                connect(served, reader.filter + "after=" + reader.after, 1 + random() % 20);
            ++reader.connections;
            for (auto left = random() % 100; left > 0 && reader.next < count; --left) {
                const auto message = client->take();
                ASSERT_EQ(member(message, "key"), fmt::format("ORD-{}", reader.next));
                reader.next += reader.step;
                reader.after = member(message, "position");
            }
            client->events->closed();
        }
        EXPECT_GT(reader.connections, 10);
    }
    load.join();
    for (int i = 0; i < count; ++i) {
        ASSERT_EQ(member(steady->take(), "key"), fmt::format("ORD-{}", i));
    }
}

TEST(Stream, a_record_that_cannot_be_read_is_reported_and_passed_over) {
    Served served;
    served.open();
    const auto client = connect(served);
    served.bench.append(model::topic::verdicts, model::RecordType::verdict, model::verdict_version,
                        "x", "not a verdict");
    served.bench.append(pending("ORD-1"));
    EXPECT_EQ(member(client->take(), "key"), "ORD-1");
    EXPECT_THAT(served.bench.lines, ::testing::Contains(HasSubstr("passes over it")));
}

TEST(Stream, listeners_are_sent_away_when_the_log_closes) {
    Served served;
    const auto first = served.bench.append(pending("first"));
    served.open();
    const auto idle = connect(served);
    const auto reading = connect(served, "after=" + position_of(*served.bench.log, first), 1);
    served.bench.append(pending("second"));
    EXPECT_EQ(member(idle->take(), "key"), "second");
    EXPECT_EQ(member(reading->take(), "key"), "second");
    served.bench.log->close();
    EXPECT_EQ(idle->wait_for_close(), http::CloseCode::going_away);
    EXPECT_EQ(reading->wait_for_close(), http::CloseCode::going_away);
}

TEST(Stream, is_described) {
    Served served;
    served.open();
    const auto document = parsed(served.get("/openapi.json"));
    const auto operation = document.root().find("paths").find("/api/v1/stream").find("get");
    EXPECT_TRUE(operation.find("responses").find("101").present());
    EXPECT_TRUE(operation.find("responses").find("426").present());
    EXPECT_EQ(operation.find("parameters").size(), 6u);
    EXPECT_THAT(std::string(operation.find("description").text()), HasSubstr(R"("position":)"));
}

// Over a real server

class StreamServer : public ::testing::Test {
protected:
    void SetUp() override {
        http_options.port = 0;
        served.open();
        start();
    }
    void TearDown() override { server.reset(); }
    void start() {
        auto bound = http::Server::bind(http_options, telemetry, clock);
        HELIOS_ASSERT(bound, "it listens");
        server = *std::move(bound);
        server->start(served.table, [this](const http::Route&, const http::Request&) {
            Caller caller = local_caller();
            caller.tenant = *TenantId::parse(tenant);
            return caller;
        });
    }
    RawWebSocket connect(std::string_view query = "", int receive_buffer_bytes = 0) {
        return RawWebSocket(server->port(), fmt::format("/api/v1/stream{}", query),
                            receive_buffer_bytes);
    }

    SystemClock clock;
    std::vector<std::string> lines;
    telemetry::Telemetry telemetry{clock, telemetry::Level::info, lines};
    http::ServerOptions http_options;
    Served served;
    std::string tenant = "default";  ///< of whoever connects
    std::unique_ptr<http::Server> server;
};

TEST_F(StreamServer, a_revision_arrives_and_a_restart_costs_nothing) {
    auto client = connect();
    ASSERT_TRUE(client.open());
    served.bench.append(pending("ORD-1"));
    const auto message = client.text();
    ASSERT_TRUE(message);
    EXPECT_EQ(member(*message, "key"), "ORD-1");

    server->drain(std::chrono::seconds(5));
    EXPECT_EQ(client.close_code(), 1001u);
    served.bench.append(pending("ORD-2"));
    start();
    served.bench.append(pending("ORD-3"));
    auto again = connect("?after=" + member(*message, "position"));
    EXPECT_EQ(member(again.text().value_or("{}"), "key"), "ORD-2");
    EXPECT_EQ(member(again.text().value_or("{}"), "key"), "ORD-3");
    EXPECT_TRUE(again.close());
}

TEST_F(StreamServer, a_tenant_hears_of_its_own_cases_alone) {
    tenant = "second";
    auto client = connect();
    ASSERT_TRUE(client.open());
    served.bench.append(pending("ORD-1"));
    auto own = pending("ORD-1");
    own.tenant = *TenantId::parse("second");
    own.revision = 7;
    served.bench.append(own);
    const auto message = client.text();
    ASSERT_TRUE(message);
    EXPECT_NE(message->find("\"revision\":7"), std::string::npos) << *message;
}

TEST_F(StreamServer, refuses_as_http_before_the_upgrade) {
    const auto bad = connect("?flow=");
    EXPECT_EQ(bad.answer.status, 400);
    EXPECT_TRUE(bad.answer.has("application/problem+json"));
    auto plain = http::RawConnection(server->port())
                     .exchange("GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(plain.status, 426);
    EXPECT_THAT(plain.body, HasSubstr("hint"));
}

TEST_F(StreamServer, a_client_that_does_not_read_is_waited_for_within_the_bound) {
    http_options.websocket_waiting_bytes_max = 16u << 10;
    server.reset();
    start();
    auto slow = connect("", 4096);
    auto quick = connect();
    ASSERT_TRUE(slow.open() && quick.open());
    auto verdict = pending("");
    verdict.missing = {std::string(20'000, 'x')};
    constexpr int count = 500;  // 10 MB, more than kernels hold
    for (int i = 0; i < count; ++i) {
        verdict.key = fmt::format("ORD-{}", i);
        served.bench.append(verdict);
        ASSERT_EQ(member(quick.text().value_or("{}"), "key"), verdict.key);
    }
    const auto metrics = telemetry.metrics.expose();
    const auto at = metrics.find("\nhelios_http_websocket_waiting_bytes ");
    ASSERT_NE(at, std::string::npos);
    EXPECT_LE(std::stod(metrics.substr(at + 37)), 2 * ((16 << 10) + 21'000)) << "of both";
    for (int i = 0; i < count; ++i) {
        ASSERT_EQ(member(slow.text().value_or("{}"), "key"), fmt::format("ORD-{}", i));
    }
}

}  // namespace
}  // namespace helios::api
