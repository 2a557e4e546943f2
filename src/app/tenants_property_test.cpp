/// Two tenants at once, with random histories whose ids, keys, flows and words overlap: whatever a
/// route is asked as one of them, by whoever's ids, it tells nothing of the other.

#include <array>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/test_kit.h"
#include "gateway/routes.h"
#include "gateway/test_kit.h"
#include "model/redrive.h"
#include "reconcile/flow.h"

namespace helios::app {
namespace {

using api::testing::Served;
using Words = std::set<std::string>;

/// In every text that is nobody's name: whose it is.
constexpr std::array<std::string_view, 2> marks{"ONEX", "TWOX"};

/// What a path parameter may stand for, by its name; of one tenant.
struct Names {
    std::map<std::string, Words> of{
        {"key", {}}, {"flow", {}}, {"eventId", {}}, {"dlqId", {}}, {"id", {}}};
    std::map<std::pair<std::string, std::string>, bool> cases;  ///< flow and key → decided
    std::map<std::pair<std::string, std::string>, std::uint32_t> revisions;
    std::map<std::pair<std::string, std::string>, model::FindingKind> kinds;  ///< of the latest
    std::uint64_t received = 0;  ///< counts of the source "aws"
};

class Histories {
public:
    explicit Histories(std::uint32_t seed) : random_(seed) {
        for (std::size_t who : {0u, 1u}) {
            served.about.flows[tenants[who]] = {"order", "refund"};
            for (int act = 0; act < 8; ++act) {
                do_one(act, who);
            }
        }
        for (int i = 0; i < 40; ++i) {
            do_one(static_cast<int>(below(8)), below(2));
        }
        served.explain = [](const api::ExplainRequest& asked) { return explained(asked); };
        served.options.barrier_limit = std::chrono::milliseconds(1);
        rig_.open();
        served.open();
        gateway::add_routes(served.table, *rig_.gateway);
    }

    std::size_t below(std::size_t n) { return random_() % n; }

    const std::array<TenantId, 2> tenants{default_tenant(), *TenantId::parse("second")};
    std::array<Names, 2> names;
    Served served;

private:
    /// Both tenants use it, or one alone; a name does not say whose it is.
    std::string any_name(std::string_view kind, std::size_t who) {
        return below(3) == 0 ? fmt::format("{}-{}-of-one", kind, 10 * (1 + below(3)) + who)
                             : fmt::format("{}-{}-of-both", kind, below(3));
    }
    std::string any_flow(std::size_t who) {
        return below(4) == 0 ? (who == 0 ? "claim" : "parcel") : below(2) == 0 ? "order" : "refund";
    }
    std::string word(std::size_t who) { return fmt::format("{}-{}", marks.at(who), ++words_); }
    std::string name(const char* parameter, std::size_t who, std::string value) {
        names.at(who).of.at(parameter).insert(value);
        return value;
    }
    template <class T>
    T any(std::initializer_list<T> of) {
        return *(of.begin() + below(of.size()));
    }

    void do_one(int act, std::size_t who) {
        served.bench.clock.advance(std::chrono::milliseconds(1 + below(40'000)));
        switch (act) {
            case 0:
                return receive(who);
            case 1:
                return take_leg(who);
            case 2:
                return decide(who);
            case 3:
                return quarantine(who);
            case 4:
                return outcome(who);
            case 5:
                return redrive(who);
            case 6:
                return activate(who);
            default:
                return count(who);
        }
    }

    void receive(std::size_t who) {
        model::Event event(tenants.at(who));
        event.source = any<const char*>({"aws", "gcp", "azure", "ware"});
        event.scope = word(who);
        event.id = name("eventId", who, any_name("event", who));
        event.type = any<const char*>({"OrderPlaced", "PaymentProcessed"});
        event.key = name("key", who, any_name("KEY", who));
        event.customer = word(who);
        event.payload =
            fmt::format(R"({{"orderId":"{}","customerId":"{}"}})", event.key, event.customer);
        latest_[who] = served.bench.append(event).at;
    }
    void take_leg(std::size_t who) {
        model::LegRecord leg(tenants.at(who));
        leg.flow = name("flow", who, any_flow(who));
        leg.flow_version = 2;
        leg.key = name("key", who, any_name("KEY", who));
        leg.leg = "order";
        leg.event = latest_.at(who);
        leg.event_id = word(who);
        leg.at = served.bench.clock.wall();
        const auto partition_key = model::case_log_key(leg.tenant, leg.flow, leg.key);
        model::FlowRecord flow(tenants.at(who));
        flow.flow = leg.flow;
        flow.version = 2;
        flow.text = word(who);
        for (std::uint32_t i = 0; i < served.bench.log->partition_count(model::topic::cases); ++i) {
            served.bench.append(model::CaseRecord(flow), "", i);
        }
        served.bench.append(model::CaseRecord(leg), partition_key);
    }
    void decide(std::size_t who) {
        auto verdict = store::testing::a_verdict(
            name("key", who, any_name("KEY", who)), 1,
            any({model::VerdictStatus::pending, model::VerdictStatus::matched,
                 model::VerdictStatus::partial, model::VerdictStatus::mismatched}),
            {});
        verdict.tenant = tenants.at(who);
        verdict.flow = name("flow", who, any_flow(who));
        const std::pair id{verdict.flow, verdict.key};
        bool& decided = names.at(who).cases[id];
        if (decided && verdict.status == model::VerdictStatus::pending) {
            verdict.status = model::VerdictStatus::matched;
        }
        verdict.at = served.bench.clock.wall();
        if (verdict.status != model::VerdictStatus::pending) {
            decided = true;
            verdict.reconciled_at = verdict.at;
        }
        verdict.revision = ++names.at(who).revisions[id];
        verdict.findings.push_back(store::testing::a_finding(
            any({model::FindingKind::amount, model::FindingKind::missing})));
        verdict.findings.back().detail = word(who);
        names.at(who).kinds[id] = verdict.findings.back().kind;
        verdict.events.push_back(
            {"order", word(who), "aws", "OrderPlaced", {}, verdict.at, latest_.at(who)});
        if (verdict.status == model::VerdictStatus::mismatched) {
            verdict.at_risk = {{std::string(marks.at(who)), "1.00"}};
        }
        served.bench.append(verdict);
    }
    void quarantine(std::size_t who) {
        model::Quarantined item(tenants.at(who));
        item.id = name("dlqId", who, uuid5(any_name("item", who)));
        item.source = any<const char*>({"aws", "gcp"});
        item.reason = any<const char*>({"missing_field", "not_json"});
        item.detail = word(who);
        item.key = name("key", who, any_name("KEY", who));
        item.body = word(who);
        item.headers = "{}";
        served.bench.append(item);
    }
    void outcome(std::size_t who) {
        const auto& items = names.at(who).of.at("dlqId");
        model::DlqOutcome outcome(tenants.at(who));
        outcome.id = *std::next(items.begin(), static_cast<std::ptrdiff_t>(below(items.size())));
        outcome.what = any({model::DlqResult::failed, model::DlqResult::discarded});
        outcome.attempt = outcome.what == model::DlqResult::failed ? 1 : 0;
        outcome.reason = word(who);
        outcome.detail = word(who);
        outcome.who = word(who);
        outcome.at = served.bench.clock.wall();
        served.bench.append(outcome);
    }
    void redrive(std::size_t who) {
        model::RedriveRecord record(tenants.at(who));
        record.id = name("id", who, any_name("redrive", who));
        record.filter = fmt::format(R"({{"key":"{}"}})", word(who));
        record.who = word(who);
        record.at = record.until = served.bench.clock.wall();
        served.bench.append(model::topic::dlq, model::RecordType::redrive, model::redrive_version,
                            record.id, model::encode(record));
    }
    void activate(std::size_t who) {
        model::FlowActivation activation(tenants.at(who));
        activation.flow = name("flow", who, any_flow(who));
        activation.version = ++version_;
        activation.hash = word(who);
        activation.text = std::string(reconcile::shipped_order_flow()) + "\n# " + word(who) + "\n";
        served.bench.append(activation);
    }
    void count(std::size_t who) {
        for (const std::string& source : {std::string("aws"), word(who)}) {
            model::Counts counts(tenants.at(who));
            counts.hop = "gateway";
            counts.source = source;
            counts.minute = std::chrono::floor<std::chrono::minutes>(served.bench.clock.wall());
            counts.deltas["received"] = 1 + below(5);
            names.at(who).received += source == "aws" ? counts.deltas["received"] : 0;
            served.bench.append(counts);
        }
    }

    /// All texts that a request of the explanation carries.
    static Result<api::Explanation> explained(const api::ExplainRequest& asked) {
        std::string all;
        for (const auto& revision : asked.revisions) {
            all += revision.findings.at(0).detail;
        }
        for (const auto& record : asked.records) {
            if (const auto* leg = std::get_if<model::LegRecord>(&record)) {
                all += leg->event_id;
            } else if (const auto* flow = std::get_if<model::FlowRecord>(&record)) {
                all += flow->text;
            }
        }
        for (const auto& row : asked.quarantined) {
            all += row.detail;
        }
        return api::Explanation{"\"" + all + "\"", all};
    }

    std::mt19937 random_;
    std::array<Position, 2> latest_{Position{{model::topic::orders, 0}, {}},
                                    Position{{model::topic::orders, 0}, {}}};
    std::size_t words_ = 0;
    std::uint32_t version_ = 1;
    gateway::Rig rig_;
};

/// A route's path with its parameters filled in, by every name that anybody uses.
struct Target {
    std::string path;
    std::map<std::string, std::string> values;
};

std::vector<Target> targets_of(const http::Route& route, const Histories& all) {
    std::vector<Target> out{{route.path, {}}};
    for (std::size_t done = 0; done < out.size();) {
        const auto begin = out[done].path.find('{');
        if (begin == std::string::npos) {
            ++done;
            continue;
        }
        const auto end = out[done].path.find('}', begin);
        const std::string parameter = out[done].path.substr(begin + 1, end - begin - 1);
        const Target open = out[done];
        out.erase(out.begin() + static_cast<std::ptrdiff_t>(done));
        Words names;
        for (const auto& tenant : all.names) {
            const auto& his = tenant.of.at(parameter == "orderId" ? "key" : parameter);
            names.insert(his.begin(), his.end());
        }
        for (const auto& name : names) {
            Target filled = open;
            filled.path.replace(begin, end + 1 - begin, name);
            filled.values[parameter == "orderId" ? "key" : parameter] = name;
            out.push_back(std::move(filled));
        }
    }
    if (route.path.ends_with("{eventId}") || route.path.ends_with("{dlqId}")) {
        const std::size_t begin = route.path.find('{');
        for (const auto& whole : std::vector(out)) {
            out.push_back({whole.path.substr(0, whole.path.size() - 3), whole.values});
            for (const std::size_t letters : {1u, 7u}) {  // of several, whosever they are
                out.push_back({whole.path.substr(0, begin + letters) + "...", {}});
            }
        }
    }
    if (route.path == "/api/v1/cases/{flow}") {
        for (auto& target : out) {
            target.path += "?key=KEY-1-of-both";
        }
    }
    return out;
}

/// With a name of somebody where a filter takes one.
std::vector<std::string> filters_of(const http::Route& route, const Histories& all) {
    std::vector<std::string> out{route.path == "/api/v1/counts" ? "?start_time=2020-01-01T00:00:00Z"
                                                                : ""};
    const std::map<std::string, std::vector<std::string>> more{
        {"/api/v1/events",
         {"?event_type=OrderPlaced", "?source=ware", "?start_time=2020-01-01T00:00:00Z"}},
        {"/api/v1/dlq",
         {"?source=gcp", "?reason=missing_field", "?status=discarded", "?status=waiting"}},
        {"/api/v1/reconciliation/mismatches",
         {"?status=mismatched", "?kind=amount", "?flow=order"}},
        {"/api/v1/reconciliation/cases",
         {"?status=mismatched", "?status=pending", "?kind=amount", "?by=reconciled", "?flow=order",
          "?by=reconciled&kind=amount", "?flow=claim", "?flow=parcel"}},
        {"/api/v1/reconciliation/stats",
         {"?flow=order", "?start_time=2020-01-01T00:00:00Z", "?flow=parcel"}},
        {"/api/v1/counts", {"?start_time=2020-01-01T00:00:00Z&source=aws"}},
    };
    if (const auto found = more.find(route.path); found != more.end()) {
        out.insert(out.end(), found->second.begin(), found->second.end());
    }
    if (route.path == "/api/v1/events" || route.path == "/api/v1/dlq") {
        for (const auto& tenant : all.names) {
            for (const auto& key : tenant.of.at("key")) {
                out.push_back("?order_id=" + key);
            }
        }
    }
    return out;
}

/// What the other alone uses, and the request does not name.
Words not_to_be_told(const Histories& all, std::size_t me, const std::string& asked) {
    Words out{std::string(marks.at(1 - me))};
    for (const auto& [parameter, theirs] : all.names.at(1 - me).of) {
        for (const auto& name : theirs) {
            if (!all.names.at(me).of.at(parameter).contains(name) &&
                asked.find(name.substr(0, name.size() - 3)) == std::string::npos) {
                out.insert("\"" + name + "\"");
            }
        }
    }
    return out;
}

/// What is not this tenant's is not there.
bool is_his(const Names& his, const Target& target) {
    return std::ranges::all_of(target.values, [&](const auto& value) {
        return his.of.at(value.first).contains(value.second);
    });
}

/// `telling`: the routes that have told something of his own.
void expect_nothing_of_others(Histories& all, std::size_t me, Words& telling) {
    Served& served = all.served;
    served.caller.tenant = all.tenants.at(me);
    for (const auto& route : served.table.routes()) {
        if (route.method != http::Method::get || route.websocket || route.hidden) {
            continue;
        }
        for (const auto& target : targets_of(route, all)) {
            for (const auto& filter : filters_of(route, all)) {
                const auto asked = target.path + filter;
                const auto answer = served.get(asked);
                for (const auto& name : not_to_be_told(all, me, asked)) {
                    EXPECT_EQ(answer.body.find(name), std::string::npos)
                        << asked << ": " << name << " in " << answer.body;
                }
                const bool of_one_record = target.values.contains("eventId") ||
                                           target.values.contains("dlqId") ||
                                           target.values.contains("id");
                if (of_one_record) {
                    EXPECT_EQ(answer.status == 404, !is_his(all.names.at(me), target))
                        << asked << " " << answer.body;
                }
                if (answer.body.find(marks.at(me)) != std::string::npos) {
                    telling.insert(route.path);
                }
            }
        }
    }
    // What is summed up is of one's own alone.
    const Names& mine = all.names.at(me);
    const auto decided =
        std::ranges::count_if(mine.cases, [](const auto& one) { return one.second; });
    const auto stats = served.get("/api/v1/reconciliation/stats");
    EXPECT_EQ(api::testing::parsed(stats).root().find("decided").raw(), std::to_string(decided));
    const auto counts = served.get("/api/v1/counts?start_time=2020-01-01T00:00:00Z&source=aws");
    EXPECT_NE(counts.body.find(fmt::format(R"("received":{}}})", mine.received)), std::string::npos)
        << mine.received << " of " << counts.body;
    const auto listed = [&](const std::string& filter) {
        const auto answer = served.get("/api/v1/reconciliation/cases?limit=1000" + filter);
        return api::testing::parsed(answer).root().find("items").size();
    };
    EXPECT_EQ(listed(""), mine.cases.size());
    for (const auto kind : {model::FindingKind::amount, model::FindingKind::missing}) {
        const auto having =
            std::ranges::count_if(mine.kinds, [&](const auto& one) { return one.second == kind; });
        EXPECT_EQ(listed("&kind=" + std::string(model::to_string(kind))),
                  static_cast<std::size_t>(having));
    }
}

TEST(TenantsProperty, whatever_both_have_done_neither_is_told_of_the_other) {
    Words telling;
    for (std::uint32_t seed = 1; seed <= 5; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Histories all(seed);
        for (const std::size_t me : {0u, 1u}) {
            SCOPED_TRACE(all.tenants.at(me).text());
            expect_nothing_of_others(all, me, telling);
        }
    }
    const Words reading{"/api/v1/cases/{flow}",
                        "/api/v1/cases/{flow}/{key}",
                        "/api/v1/counts",
                        "/api/v1/dlq",
                        "/api/v1/dlq/redrive/{id}",
                        "/api/v1/dlq/{dlqId}",
                        "/api/v1/events",
                        "/api/v1/events/{eventId}",
                        "/api/v1/flows",
                        "/api/v1/orders/{orderId}/explain",
                        "/api/v1/reconciliation/cases",
                        "/api/v1/reconciliation/mismatches",
                        "/api/v1/reconciliation/stats",
                        "/api/v1/reconciliation/{orderId}",
                        "/api/v1/reconciliation/{orderId}/revisions"};
    EXPECT_EQ(telling, reading) << "each that reads what is kept tells of one's own";
}

}  // namespace
}  // namespace helios::app
