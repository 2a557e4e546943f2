// Questions, which wait for a worker, and probes, which must not.

#include <atomic>
#include <fmt/format.h>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <semaphore>
#include <thread>

#include "base/patience.h"
#include "http/server.h"
#include "http/test_kit.h"

namespace helios::http {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

std::string get(std::string_view path) {
    return fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
}

/// One worker, which `/slow` keeps until the test says so, or whoever asked has gone.
class QuestionsTest : public testing::Test {
protected:
    QuestionsTest() {
        server.http_clock = &by_hand;
        server.options.worker_threads = 1;
        server.routes.add({.path = "/slow",
                           .handler =
                               [this](Request, const Caller&, Responder responder) {
                                   responder.send(Response::empty(wait() ? 204 : 500));
                               },
                           .blocking = true});
        server.routes.add({.path = "/quick",
                           .handler =
                               [this](const Request& request, const Caller&, Responder responder) {
                                   ++quick;
                                   {
                                       const MutexLock lock(mutex);
                                       callers.push_back(
                                           request.remote.substr(0, request.remote.find(':')));
                                   }
                                   responder.send(Response::empty(200));
                               },
                           .blocking = true});
        server.routes.add(
            {.path = "/probe",
             .handler = [](Request, const Caller&,
                           Responder responder) { responder.send(Response::text(200, "alive")); },
             .probe = true});
    }
    ~QuestionsTest() override {
        release();
        server.stop();
    }
    /// True: it was let go, or nobody waits any more.
    bool wait() {
        MutexLock lock(mutex);
        ++begun;
        changed.notify_all();
        const auto until = std::chrono::steady_clock::now() + test_patience;
        while (!released && !current_patience().is_gone() &&
               std::chrono::steady_clock::now() < until) {
            changed.wait_for(lock, milliseconds(1), [this] { return released; });
        }
        return released;
    }
    void release() {
        const MutexLock lock(mutex);
        released = true;
        changed.notify_all();
    }
    bool wait_for_begun(int count) {
        MutexLock lock(mutex);
        return changed.wait_for(lock, test_patience, [&] { return begun >= count; });
    }
    double waiting() {
        return server.telemetry.metrics.gauge("helios_http_questions_waiting", "").value();
    }
    /// Within the test's patience.
    bool come_true(const std::function<bool()>& what) {
        const auto until = std::chrono::steady_clock::now() + test_patience;
        while (!what() && std::chrono::steady_clock::now() < until) {
            std::this_thread::yield();
        }
        return what();
    }
    double unanswered(const std::string& reason) {
        return server.telemetry.metrics
            .counter("helios_http_questions_unanswered_total", "", {{"reason", reason}})
            .value();
    }

    Mutex mutex;
    Condition changed;
    bool released = false;
    int begun = 0;
    std::atomic<int> quick = 0;
    std::vector<std::string> callers;  ///< of quick ones, as they were served
    ManualClock by_hand{from_nanos(1'767'225'600'000'000'000)};  // 2026
    TestServer server;
};

TEST_F(QuestionsTest, probes_are_answered_while_every_worker_is_stuck_and_the_line_is_full) {
    server.options.worker_queue_max = 1;
    server.start();
    auto stuck = server.connect();
    stuck.send(get("/slow"));
    ASSERT_TRUE(wait_for_begun(1));
    auto waits = server.connect();
    waits.send(get("/quick"));
    auto kept = server.connect();
    for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(kept.exchange(get("/probe")).status, 200);
        EXPECT_EQ(server.ask(get("/probe")).status, 200);
    }
    EXPECT_EQ(quick, 0);
    release();
    EXPECT_EQ(waits.receive().status, 200);
}

TEST_F(QuestionsTest, probes_are_answered_while_the_thread_of_all_other_requests_is_stuck) {
    std::counting_semaphore<> stands{0};
    std::counting_semaphore<> goes_on{0};
    server.routes.add({.method = Method::post,
                       .path = "/stand",
                       .handler = [&](Request request, const Caller&, Responder responder) {
                           stands.release();
                           goes_on.acquire();
                           responder.send(Response::text(200, std::move(request.body)));
                       }});
    server.start();
    auto kept = server.connect();
    ASSERT_EQ(kept.exchange(get("/probe")).status, 200);
    auto stuck = server.connect();
    stuck.send("POST /stand HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi");
    stands.acquire();
    for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(kept.exchange(get("/probe")).status, 200);
        EXPECT_EQ(server.ask(get("/probe")).status, 200);
    }
    EXPECT_EQ(server.ask(get("/none")).status, 404);
    by_hand.advance(std::chrono::seconds(3));
    EXPECT_EQ(server.server->silence(), std::chrono::seconds(3));
    goes_on.release();
    EXPECT_EQ(stuck.receive().body, "hi");
    EXPECT_TRUE(come_true([&] { return server.server->silence() == Duration::zero(); }));
}

TEST_F(QuestionsTest, a_connection_may_ask_for_probes_and_for_others_in_any_order) {
    release();
    server.routes.add({.method = Method::post,
                       .path = "/echo",
                       .handler = [](Request request, const Caller&, Responder responder) {
                           responder.send(Response::text(200, std::move(request.body)));
                       }});
    server.start();
    const std::string body(100'000, 'x');
    const auto post =
        fmt::format("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{}",
                    body.size(), body);
    auto connection = server.connect();
    std::thread sender([&] {
        for (int i = 0; i < 20; ++i) {
            connection.send(get("/probe") + get("/probe") + post + get("/probe") + get("/quick") +
                            post);
        }
    });
    for (int i = 0; i < 20; ++i) {
        ASSERT_EQ(connection.receive().body, "alive");
        ASSERT_EQ(connection.receive().body, "alive");
        ASSERT_EQ(connection.receive().body.size(), body.size());
        ASSERT_EQ(connection.receive().body, "alive");
        ASSERT_EQ(connection.receive().status, 200);
        ASSERT_EQ(connection.receive().body.size(), body.size());
    }
    sender.join();
    for (int cut = 1; cut < 40; ++cut) {  // wherever the first request is torn
        auto torn = server.connect();
        torn.send(post.substr(0, static_cast<std::size_t>(cut) * 2));
        ASSERT_EQ(server.ask(get("/probe")).status, 200);
        torn.send(post.substr(static_cast<std::size_t>(cut) * 2));
        ASSERT_EQ(torn.receive().body.size(), body.size());
    }
}

TEST_F(QuestionsTest, time_counts_from_the_arrival) {
    server.start();
    auto stuck = server.connect();
    stuck.send(get("/slow"));
    ASSERT_TRUE(wait_for_begun(1));
    auto waits = server.connect();
    waits.send(get("/quick"));
    ASSERT_TRUE(come_true([&] { return waiting() == 1; }));
    by_hand.advance(server.options.worker_wait_max);
    const auto answer = waits.receive();  // while the worker is busy
    EXPECT_EQ(answer.status, 503);
    EXPECT_TRUE(answer.has("Retry-After: ")) << answer.head;
    EXPECT_THAT(answer.body, HasSubstr("time was over"));
    EXPECT_EQ(unanswered("overdue"), 1);
    release();
    EXPECT_EQ(stuck.receive().status, 204);
    EXPECT_EQ(server.ask(get("/quick")).status, 200);
    EXPECT_EQ(quick, 1);
}

TEST_F(QuestionsTest, what_would_not_be_reached_in_time_is_refused_on_arrival) {
    server.options.worker_wait_max = milliseconds(100);
    server.start();
    auto slow = server.connect();
    slow.send(get("/slow"));
    ASSERT_TRUE(wait_for_begun(1));
    by_hand.advance(milliseconds(150));  // that is what such a question takes
    release();
    ASSERT_EQ(slow.receive().status, 204);
    {
        const MutexLock lock(mutex);
        released = false;
    }
    slow.send(get("/slow"));
    ASSERT_TRUE(wait_for_begun(2));
    const auto answer = server.ask(get("/quick"));
    EXPECT_EQ(answer.status, 503);
    EXPECT_TRUE(answer.has("Retry-After: 1\r\n")) << answer.head;
    EXPECT_THAT(answer.body, HasSubstr("would come"));
    EXPECT_EQ(unanswered("late"), 1);
}

TEST_F(QuestionsTest, callers_take_turns_however_much_one_asks) {
    server.start();
    auto stuck = server.connect();
    stuck.send(get("/slow"));
    ASSERT_TRUE(wait_for_begun(1));
    auto greedy = server.connect();
    for (int i = 0; i < 5; ++i) {
        greedy.send(get("/quick"));
    }
    ASSERT_TRUE(come_true([&] { return waiting() == 5; }));
    RawConnection modest(server.port(), 0, "127.0.0.2");
    modest.send(get("/quick"));
    ASSERT_TRUE(come_true([&] { return waiting() == 6; }));
    release();
    EXPECT_EQ(modest.receive().status, 200);
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(greedy.receive().status, 200);
    }
    const MutexLock lock(mutex);
    ASSERT_EQ(callers.size(), 6u);
    EXPECT_EQ(callers.front(), "127.0.0.2") << "the worker was the other's just now";
}

// Behind one address, as it looks from behind a proxy; and from two, as one who asks from two may.
TEST_F(QuestionsTest, who_has_proved_who_they_are_is_a_caller_wherever_they_ask_from) {
    std::vector<std::string> served;
    server.identify = [](const Route&,
                         const Request& request) -> std::variant<Caller, http::Response> {
        const auto* name = request.header("X-Name");
        if (name == nullptr) {
            return problem(401, "Who?", "nobody");
        }
        Caller caller = local_caller();
        caller.subject = *name;
        caller.proved = true;
        return caller;
    };
    server.routes.add({.path = "/named",
                       .handler =
                           [&](const Request&, const Caller& caller, Responder responder) {
                               {
                                   const MutexLock lock(mutex);
                                   served.push_back(caller.subject);
                               }
                               responder.send(Response::empty(200));
                           },
                       .blocking = true});
    server.start();
    const auto named = [](std::string_view path, std::string_view name) {
        return fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\nX-Name: {}\r\n\r\n", path, name);
    };
    auto stuck = server.connect();
    stuck.send(named("/slow", "greedy"));
    ASSERT_TRUE(wait_for_begun(1));
    auto greedy = server.connect();
    RawConnection elsewhere(server.port(), 0, "127.0.0.2");
    for (int i = 0; i < 3; ++i) {
        greedy.send(named("/named", "greedy"));
        elsewhere.send(named("/named", "greedy"));
    }
    ASSERT_TRUE(come_true([&] { return waiting() == 6; }));
    auto modest = server.connect();
    modest.send(named("/named", "modest"));
    ASSERT_TRUE(come_true([&] { return waiting() == 7; }));
    EXPECT_EQ(server.ask(get("/named")).status, 401) << "and takes no place in the line";
    release();
    EXPECT_EQ(modest.receive().status, 200);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(greedy.receive().status, 200);
        EXPECT_EQ(elsewhere.receive().status, 200);
    }
    const MutexLock lock(mutex);
    ASSERT_EQ(served.size(), 7u);
    EXPECT_EQ(served.front(), "modest");
}

TEST_F(QuestionsTest, who_is_alone_may_use_every_worker) {
    server.options.worker_threads = 3;
    server.start();
    auto one = server.connect();
    one.send(get("/slow") + get("/slow"));
    auto another = server.connect();
    another.send(get("/slow"));
    EXPECT_TRUE(wait_for_begun(3));
    release();
    EXPECT_EQ(one.receive().status, 204);
    EXPECT_EQ(another.receive().status, 204);
}

TEST_F(QuestionsTest, answers_that_nobody_takes_are_bounded_and_hold_up_nobody_else) {
    constexpr std::size_t big = std::size_t{10} << 20;
    server.http_clock = nullptr;
    server.options.worker_wait_max = std::chrono::minutes(1);  // slow builds: none is late
    server.options.unsent_bytes_max = std::size_t{64} << 20;
    server.routes.add({.path = "/big",
                       .handler =
                           [&](const Request&, const Caller&, Responder responder) {
                               responder.send(Response::text(200, std::string(big, 'x')));
                           },
                       .blocking = true});
    server.routes.add({.method = Method::post,
                       .path = "/echo",
                       .handler = [](Request request, const Caller&, Responder responder) {
                           responder.send(Response::text(200, std::move(request.body)));
                       }});
    server.start();
    const auto unsent = [&] {
        return server.telemetry.metrics.gauge("helios_http_unsent_bytes", "").value();
    };
    std::vector<RawConnection> silent;
    for (int i = 0; i < 20; ++i) {
        silent.emplace_back(server.port(), 64 << 10);
        silent.back().send(get("/big") + get("/big"));
    }
    EXPECT_TRUE(come_true([&] { return unanswered("unread") >= 10; }));
    EXPECT_TRUE(come_true([&] { return unsent() > 40 << 20; }));
    EXPECT_LE(unsent(), 56 << 20) << "an eighth is left to probes";
    const auto refused = server.ask(get("/big"));
    EXPECT_EQ(refused.status, 503);
    EXPECT_TRUE(refused.has("Retry-After: 1\r\n")) << refused.head;
    EXPECT_THAT(refused.body, HasSubstr("nobody has taken"));
    EXPECT_EQ(server.ask(get("/quick")).status, 200) << "there is room for what is small";
    EXPECT_EQ(server.ask(get("/probe")).body, "alive");
    EXPECT_EQ(
        server.ask("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi").body,
        "hi");
    EXPECT_EQ(silent.front().receive().body.size(), big) << "whoever takes it gets it whole";
    silent.clear();
    EXPECT_TRUE(come_true([&] { return unsent() == 0; }));
    EXPECT_EQ(server.ask(get("/big")).body.size(), big);
}

TEST_F(QuestionsTest, one_that_runs_is_given_up_when_the_drain_limit_ends) {
    server.http_clock = nullptr;
    server.start();
    auto asked = server.connect();
    asked.send(get("/slow"));
    ASSERT_TRUE(wait_for_begun(1));
    auto waits = server.connect();
    waits.send(get("/quick"));
    ASSERT_TRUE(come_true([&] { return waiting() == 1; }));
    const auto began = std::chrono::steady_clock::now();
    server.server->drain(std::chrono::seconds(2));
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(4));
    EXPECT_EQ(asked.receive().status, 500) << "it noticed, and its answer was sent";
    const auto answer = waits.receive();
    EXPECT_EQ(answer.status, 503);
    EXPECT_THAT(answer.body, HasSubstr("the server stopped before"));
    EXPECT_EQ(quick, 0);
}

TEST_F(QuestionsTest, whoever_hangs_up_frees_the_worker) {
    server.start();
    {
        auto asked = server.connect();
        asked.send(get("/slow"));
        ASSERT_TRUE(wait_for_begun(1));
    }
    EXPECT_EQ(server.ask(get("/quick")).status, 200) << "the worker noticed";
}

TEST_F(QuestionsTest, whoever_hangs_up_leaves_the_line) {
    server.start();
    auto stuck = server.connect();
    stuck.send(get("/slow"));
    ASSERT_TRUE(wait_for_begun(1));
    {
        auto asked = server.connect();
        asked.send(get("/quick") + get("/quick") + get("/quick"));
        auto probe = server.connect();
    }
    EXPECT_TRUE(come_true([&] { return unanswered("gone") == 3; }));
    release();
    EXPECT_EQ(stuck.receive().status, 204);
    EXPECT_EQ(quick, 0);
}

TEST_F(QuestionsTest, a_thousand_questions_on_one_connection_are_answered_in_order) {
    server.options.worker_threads = 4;
    release();
    server.start();
    std::string all;
    for (int i = 0; i < 1000; ++i) {
        all += get("/quick");
    }
    auto asked = server.connect();
    std::thread sender([&] { asked.send(all); });
    for (int i = 0; i < 1000; ++i) {
        ASSERT_EQ(asked.receive().status, 200) << i;
    }
    sender.join();
}

}  // namespace
}  // namespace helios::http
