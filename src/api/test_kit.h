#pragma once
/// Test kit: the routes over a real log and store, with stages moved by hand. Requests go
/// through the route table, not a socket.

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/routes.h"
#include "base/json.h"
#include "http/url.h"
#include "store/test_kit.h"

namespace helios::api::testing {

/// How far a stage is, moved by hand: it has consumed what is stamped earlier, and what stands on
/// the topics that it writes when it is moved is its work.
class StageByHand {
public:
    StageByHand(log::Log& log, std::vector<TopicId> reads, std::vector<TopicId> writes)
        : log_(log), reads_(std::move(reads)), writes_(std::move(writes)) {}

    void advance_to(Instant t) {
        log::Offsets consumed = ends_of(reads_);
        std::vector<Partition> ids;
        for (const auto& [id, end] : consumed) {
            ids.push_back(id);
        }
        auto from = log::log_start(log_, ids);
        HELIOS_ASSERT(from.has_value(), "the log says where it begins");
        const auto reader = log_.read(*std::move(from));
        HELIOS_ASSERT(reader.has_value(), "the log can be read");
        for (;;) {
            const auto batch = (*reader)->poll(1000, 1u << 20, Duration::zero());
            HELIOS_ASSERT(batch.has_value(), "the log can be read");
            if (batch->records.empty()) {
                break;
            }
            for (const auto& record : batch->records) {
                if (record.log_time >= t) {
                    Offset& to = consumed[record.at.partition];
                    to = std::min(to, record.at.offset);
                }
            }
        }
        reached.advance_to(consumed, ends_of(writes_));
        frontier.advance_to(t);
    }
    Instant get() const { return frontier.get(); }
    // NOLINTNEXTLINE(google-explicit-constructor): stands for it
    operator StageProgress() const { return {frontier, reached}; }

    Frontier frontier;
    log::Reached reached;

private:
    log::Offsets ends_of(const std::vector<TopicId>& topics) const {
        log::Offsets all;
        for (const auto topic : topics) {
            for (const auto& id : log_.partitions_of(topic)) {
                all[id] = {};
            }
        }
        return *log_.ends_of(all);
    }

    log::Log& log_;
    std::vector<TopicId> reads_;
    std::vector<TopicId> writes_;
};

/// Not thread-safe, but for the stages.
class Served {
public:
    explicit Served(std::vector<WebAsset> assets = {}) : assets_(std::move(assets)) {
        about.flows[default_tenant()] = {"refund", "order"};
        options.barrier_limit = std::chrono::milliseconds(50);
    }

    /// Adds the routes; what is on the log is in the store, and the stages say so. Options and the
    /// members below are fixed from here on.
    void open() {
        bench.project();
        queries = bench.queries();
        const auto settled = [this] { return Settled{engine.get(), engine.get()}; };
        progress = std::make_unique<Progress>(*bench.log, barrier, settled, readiness,
                                              bench.telemetry, bench.clock);
        vitals = std::make_unique<Vitals>(*bench.log, barrier, *progress, health, bench.clock);
        add_routes(table, {options, about, *bench.log, *queries, barrier, *progress, *vitals,
                           bench.telemetry, bench.clock, explain, assets_, silence});
        if (!stages_stand_still) {
            stages_pass(bench.log->last_log_time());
        }
    }

    /// What is on the log is in the store, and every stage says so.
    void catch_up() {
        bench.project();
        stages_pass(bench.log->last_log_time());
    }
    void stages_pass(Instant t) {
        for (StageByHand* stage : {&route, &engine, &store}) {
            stage->advance_to(t + Duration{1});
        }
    }

    http::Response get(std::string_view target, http::Headers headers = {}) {
        const auto parts = http::split_target(target);
        HELIOS_ASSERT(parts.has_value(), "a request target");
        auto match = table.match(http::Method::get, parts->path);
        if (match.route == nullptr) {
            return http::problem(404, "no route", std::string(target));
        }
        http::Request request;
        request.path = parts->path;
        request.headers = std::move(headers);
        request.path_params = std::move(match.path_params);
        auto query = http::parse_query(parts->query);
        HELIOS_ASSERT(query.has_value(), "a query");
        request.query = *std::move(query);
        if (match.route->probe && !vitals_by_hand) {
            vitals->look();
        }
        http::Response answered;
        match.route->handler(std::move(request), caller,
                             http::Responder([&answered](http::Response response) {
                                 answered = std::move(response);
                             }));
        return answered;
    }

    store::testing::Bench bench;
    Caller caller = local_caller();  ///< of get()
    Options options;
    About about;
    StageByHand route{*bench.log,
                      {model::topic::orders, model::topic::payments, model::topic::inventory,
                       model::topic::other, model::topic::flows},
                      {model::topic::cases, model::topic::counts}};
    StageByHand engine{*bench.log, {model::topic::cases}, {model::topic::verdicts}};
    StageByHand store{
        *bench.log, {store::topics_of_the_store().begin(), store::topics_of_the_store().end()}, {}};
    Barrier barrier{*bench.log, route, engine, store, bench.clock};
    bool stages_stand_still =
        false;  ///< open() leaves the stages where they are: nothing has been read
    Explain explain;
    std::function<Duration()> silence;
    std::vector<NamedCheck> readiness;
    Health health;
    std::unique_ptr<store::Queries> queries;
    std::unique_ptr<Progress> progress;
    std::unique_ptr<Vitals> vitals;
    bool vitals_by_hand = false;  ///< get() does not have them looked at first
    http::RouteTable table;

private:
    std::vector<WebAsset> assets_;
};

inline json::Document parsed(const http::Response& response) {
    auto document = json::Document::parse(response.body);
    HELIOS_ASSERT(document.has_value(), "the answer is JSON");
    return *std::move(document);
}

inline std::string header_of(const http::Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
        if (key == name) {
            return value;
        }
    }
    return {};
}

}  // namespace helios::api::testing
