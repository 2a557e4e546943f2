#include "lab/demo.h"

#include <gtest/gtest.h>
#include <map>
#include <sstream>

#include "base/json.h"
#include "lab/fake_helios.h"
#include "lab/fault_plan.h"

namespace helios::lab {
namespace {

using std::chrono::milliseconds;

/// The shortest demo that still shows every fault: about five seconds.
DemoOptions short_demo(const std::string& url) {
    DemoOptions options;
    options.base_url = url;
    options.orders = 24;
    options.deadline = std::chrono::seconds(1);
    options.late_by = milliseconds(2200);
    options.send_for = milliseconds(3600);
    options.settle_limit = milliseconds(600);
    return options;
}

/// Answers from a plan of the same seed: what a faultless server would say, and lies where a test
/// puts them.
class PlannedHelios : public FakeHelios {
public:
    explicit PlannedHelios(DemoOptions options) {
        PlanOptions plan_options;
        plan_options.seed = options.seed;
        plan_options.orders = options.orders;
        plan_options.send_for = options.send_for;
        plan_options.late_by = options.late_by;
        plan = make_plan(plan_options);
        for (const PlannedOrder& order : plan.orders) {
            verdicts[order.order.id] = truthful(order);
        }
        verdict = [this](const std::string& id) {
            return verdicts.contains(id) ? std::optional(verdicts[id]) : std::nullopt;
        };
        exceptions = [this] {
            std::vector<std::string> items;
            for (const auto& [id, text] : verdicts) {
                if (text.find(R"("status":"matched")") == std::string::npos) {
                    items.push_back(text);
                }
            }
            return items;
        };
        quarantined = [this] {
            std::vector<std::string> items;
            for (const PlannedOrder& order : plan.orders) {
                for (const PlannedEvent& event : order.events) {
                    if (!event.reaches_case) {
                        items.push_back(R"({"eventId":")" + event.fact.event_id + R"("})");
                    }
                }
            }
            return items;
        };
        start();
    }

    static std::string truthful(const PlannedOrder& order) {
        std::vector<std::string> findings;
        for (const ExpectedFinding& f : order.truth.findings) {
            findings.push_back(f.expected.empty() ? f.kind
                                                  : f.kind + ":" + f.expected + ":" + f.actual);
        }
        if (order.fault == Fault::late) {
            findings.push_back("late");
        }
        std::string money = order.truth.at_risk
                                ? order.truth.at_risk->amount + " " + order.truth.at_risk->currency
                                : "";
        return verdict_json(order.order.id, order.truth.status, order.truth.missing, findings,
                            money);
    }

    const PlannedOrder& first(Fault fault) const {
        for (const PlannedOrder& order : plan.orders) {
            if (order.fault == fault) {
                return order;
            }
        }
        throw std::logic_error("no such fault in the plan");
    }

    FaultPlan plan;
    std::map<std::string, std::string> verdicts;
};

TEST(Demo, a_server_that_tells_the_truth_passes) {
    PlannedHelios server(short_demo({}));
    std::atomic<bool> stop{false};
    std::ostringstream out;
    SystemClock clock;
    EXPECT_EQ(run_demo(short_demo(server.url()), clock, out, stop), 0) << out.str();
    EXPECT_NE(out.str().find("missed 0, false alarms 0"), std::string::npos) << out.str();
    EXPECT_NE(out.str().find("explained"), std::string::npos);
    EXPECT_EQ(out.str().find("curl"), std::string::npos) << "the server does not stay up";
    DemoOptions stays = short_demo(server.url());
    stays.keep = true;
    std::ostringstream kept;
    EXPECT_EQ(run_demo(stays, clock, kept, stop), 0);
    EXPECT_NE(kept.str().find("curl -s 'http://127.0.0.1:"), std::string::npos);
    EXPECT_EQ(out.str().find('\x1b'), std::string::npos) << "no terminal, no colour";
}

TEST(Demo, a_liar_is_caught_in_each_way) {
    PlannedHelios server(short_demo({}));
    std::string missed = server.first(Fault::wrong_amount).order.id;
    std::string alarmed = server.first(Fault::none).order.id;
    server.verdicts[missed] = verdict_json(missed, "matched", {}, {}, "");
    server.verdicts[alarmed] =
        verdict_json(alarmed, "partial", {"payment"}, {"missing"}, "1.00 USD");
    server.quarantined = [] { return std::vector<std::string>{R"({"eventId":"a stranger"})"}; };
    std::atomic<bool> stop{false};
    std::ostringstream out;
    SystemClock clock;
    EXPECT_EQ(run_demo(short_demo(server.url()), clock, out, stop), 1);
    std::string text = out.str();
    EXPECT_NE(text.find("missed 1, false alarms 1"), std::string::npos) << text;
    EXPECT_NE(text.find(missed + " (wrong amount)"), std::string::npos) << text;
    EXPECT_NE(text.find(alarmed + " (none)"), std::string::npos) << text;
    EXPECT_NE(text.find(missed + " is not listed and should be"), std::string::npos) << text;
    EXPECT_NE(text.find("0 found there, 1 more that nobody sent"), std::string::npos) << text;
}

TEST(Demo, a_refusal_is_listed_and_retries_are_not) {
    PlannedHelios server(short_demo({}));
    std::atomic<int> n{0};
    server.on_post = [&](const http::Request& request) {
        int i = ++n;
        if (i == 3) {
            return http::problem(503, "busy", "later");
        }
        return http::Response::empty(request.path.ends_with("pubsub") && i > 20 && i < 30 ? 404
                                                                                          : 204);
    };
    std::atomic<bool> stop{false};
    std::ostringstream out;
    SystemClock clock;
    EXPECT_EQ(run_demo(short_demo(server.url()), clock, out, stop), 1);
    EXPECT_NE(out.str().find("payment: answered 404"), std::string::npos) << out.str();
    EXPECT_EQ(out.str().find("answered 503"), std::string::npos) << out.str();
}

TEST(Demo, stops_when_told) {
    PlannedHelios server(short_demo({}));
    std::atomic<bool> stop{false};
    server.on_post = [&](const http::Request&) {
        stop = true;
        return http::Response::empty(204);
    };
    std::ostringstream out;
    SystemClock clock;
    Duration start = clock.monotonic();
    EXPECT_EQ(run_demo(short_demo(server.url()), clock, out, stop), 2);
    EXPECT_LT(clock.monotonic() - start, std::chrono::seconds(3));
    EXPECT_NE(out.str().find("Stopped after"), std::string::npos);
}

TEST(Demo, says_why_it_cannot_begin) {
    std::atomic<bool> stop{false};
    SystemClock clock;
    std::ostringstream nobody;
    EXPECT_EQ(run_demo(short_demo("http://127.0.0.1:1"), clock, nobody, stop), 2);
    EXPECT_NE(nobody.str().find("is not ready"), std::string::npos) << nobody.str();
    std::ostringstream few;
    DemoOptions options = short_demo("http://127.0.0.1:1");
    options.orders = 3;
    EXPECT_EQ(run_demo(options, clock, few, stop), 2);
    EXPECT_NE(few.str().find("orders must be 20 to 5000"), std::string::npos);
}

TEST(Demo, changes_deadlines_and_nothing_else) {
    EXPECT_EQ(with_deadlines("legs:\n  order: # deadline: 60s\n    deadline: 60s   # a minute\n  "
                             "p: {deadline: 90s, x: 1}\n",
                             std::chrono::seconds(5)),
              "legs:\n  order: # deadline: 60s\n    deadline: 5s   # a minute\n  p: {deadline: 5s, "
              "x: 1}\n");
    EXPECT_EQ(with_deadlines("a: 1", std::chrono::seconds(5)), "a: 1");
    EXPECT_EQ(with_deadlines("", std::chrono::seconds(5)), "");
}

}  // namespace
}  // namespace helios::lab
