#pragma once
/// For tests of the gateway: a gateway over the real log on the simulated disk, requests made by
/// hand, the log read back.

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mutex.h"
#include "base/temporary_directory.h"
#include "gateway/answers.h"
#include "gateway/gateway.h"
#include "log/disk_log.h"
#include "log/sim_disk.h"
#include "model/counts.h"
#include "model/quarantined.h"
#include "model/topics.h"
#include "telemetry/telemetry.h"

namespace helios::gateway {

/// A record read back, owning its bytes.
struct Kept {
    TopicId topic{};
    std::string key;
    model::RecordType type{};
    std::string value;
    Instant log_time{};

    model::Event event() const {
        auto decoded = model::decode_event(value);
        HELIOS_ASSERT(decoded, "an event");
        return *decoded;
    }
    model::Quarantined quarantined() const {
        auto decoded = model::decode_quarantined(value);
        HELIOS_ASSERT(decoded, "a quarantined item");
        return *decoded;
    }
};

/// Holds whoever comes while it is shut.
class Gate {
public:
    void shut(bool on) {
        const MutexLock lock(mutex_);
        shut_ = on;
        changed_.notify_all();
    }
    void pass() {
        MutexLock lock(mutex_);
        changed_.wait(lock, [&]() HELIOS_REQUIRES(mutex_) { return !shut_; });
    }

private:
    Mutex mutex_;
    Condition changed_;
    bool shut_ HELIOS_GUARDED_BY(mutex_) = false;
};

struct Rig {
    Caller caller = local_caller();  ///< of what is posted
    Gate syncs;                      ///< shut: appends wait for their fsync
    log::SimDisk disk{1, log::SimDisk::Durability::tracked};
    ManualClock clock{parse_rfc3339("2026-01-05T10:23:45Z")->at};
    std::vector<std::string> lines;
    telemetry::Telemetry telemetry{clock, telemetry::Level::debug, lines};
    Options options;
    log::DiskLogOptions log_options;
    TemporaryDirectory directory = *TemporaryDirectory::make("helios-gateway-");
    std::unique_ptr<log::Log> log;
    Mutex refused_mutex;
    std::vector<std::string> refused;      ///< by us; look at it when the answers are there
    std::vector<std::string> deleted;      ///< subscriptions, and by whom; likewise
    std::unique_ptr<SenderChecks> checks;  ///< nullptr: nobody need prove who he is
    std::unique_ptr<Gateway> gateway;
    std::atomic<bool> depot_is_known = false;  ///< a source that a flow may come to name

    Rig() {
        disk.on_sync([this] { syncs.pass(); });
        options.counts_interval = std::chrono::milliseconds(10);
        options.index_directory = directory.path() + "/dedup";
        options.index_cache_bytes = 1u << 20;
        log_options.directory = "data";
        log_options.partitions = 3;
        log_options.segment_bytes = 1u << 20;
        log_options.retry_interval = std::chrono::milliseconds(5);
    }
    ~Rig() { close(); }

    Rig& open() {
        open_log();
        open_gateway();
        return *this;
    }
    void open_log() {
        std::vector<log::TopicSpec> topics;
        for (const auto& topic : model::all_topics) {
            topics.push_back({topic.id, std::string(topic.name),
                              static_cast<log::RetentionClass>(topic.kept), topic.partitions});
        }
        auto opened = log::open_disk_log(log_options, topics, disk, clock, telemetry);
        HELIOS_ASSERT(opened, opened ? "" : opened.error().message());
        log = *std::move(opened);
    }
    void open_gateway(bool admits = true) {
        auto opened = Gateway::open(
            options, *log, model::Catalogue::shipped(),
            [this](const TenantId& tenant, std::string_view source) {
                return tenant == default_tenant() &&
                       (source == "warehouse" || (source == "depot" && depot_is_known));
            },
            telemetry, clock,
            [this](std::string_view source) {
                const MutexLock lock(refused_mutex);
                refused.emplace_back(source);
            },
            [this](const Caller& by, const http::Request&,
                   const adapters::SubscriptionDeletion& deletion) {
                const MutexLock lock(refused_mutex);
                deleted.push_back(by.subject + " " + deletion.subscription);
            },
            checks.get());
        HELIOS_ASSERT(opened, opened ? "" : opened.error().message());
        gateway = *std::move(opened);
        HELIOS_ASSERT(gateway->wait_caught_up(std::chrono::seconds(60)), "the index catches up");
        if (admits) {
            gateway->admit();
        }
    }
    void close() {
        gateway.reset();
        log.reset();
    }
    Rig& reopen() {
        close();
        return open();
    }

    static http::Request request(std::string body,
                                 std::string_view media_type = "application/json") {
        http::Request out;
        out.method = http::Method::post;
        out.headers.emplace_back("Content-Type", media_type);
        out.body = std::move(body);
        return out;
    }

    std::future<http::Response> post(Endpoint endpoint, http::Request request) {
        auto promise = std::make_shared<std::promise<http::Response>>();
        auto future = promise->get_future();
        gateway->accept(endpoint, std::move(request), caller,
                        [endpoint, promise](const Receipt& receipt) {
                            promise->set_value(answer(endpoint, receipt));
                        });
        return future;
    }
    http::Response send(Endpoint endpoint, std::string body,
                        std::string_view media_type = "application/json") {
        return post(endpoint, request(std::move(body), media_type)).get();
    }
    http::Response ingest(std::string body) { return send(Endpoint::ingest, std::move(body)); }

    /// Everything durable on these topics, in log order.
    std::vector<Kept> read(const std::vector<TopicId>& topics) {
        log::Offsets from;
        for (const auto topic : topics) {
            for (const auto& id : log->partitions_of(topic)) {
                from[id] = {};
            }
        }
        auto reader = log->read(from);
        HELIOS_ASSERT(reader, "a reader");
        std::vector<Kept> out;
        while (true) {
            const auto batch = (*reader)->poll(1'000, 1u << 20, Duration{});
            HELIOS_ASSERT(batch, "a batch");
            if (batch->records.empty()) {
                return out;
            }
            for (const auto& record : batch->records) {
                out.push_back({record.at.partition.topic, std::string(record.key),
                               static_cast<model::RecordType>(record.type),
                               std::string(record.value), record.log_time});
            }
        }
    }
    std::vector<Kept> events() {
        return read({model::event_topics.begin(), model::event_topics.end()});
    }
    std::vector<Kept> dlq() { return read({model::topic::dlq}); }
    /// What waits in quarantine, without the records of what has come of it since.
    std::vector<Kept> kept_whole() {
        auto all = dlq();
        std::erase_if(all, [](const Kept& record) {
            return record.type == model::RecordType::quarantine_repeat ||
                   record.type == model::RecordType::dlq_outcome ||
                   record.type == model::RecordType::redrive;
        });
        return all;
    }

    /// What `helios.counts` says in all.
    std::map<std::string, std::uint64_t> counted(std::string_view source) {
        std::map<std::string, std::uint64_t> sums;
        for (const auto& record : read({model::topic::counts})) {
            const auto counts = model::decode_counts(record.value);
            HELIOS_ASSERT(counts, "counts");
            if (counts->source == source) {
                for (const auto& [name, n] : counts->deltas) {
                    sums[name] += n;
                }
            }
        }
        return sums;
    }
};

inline std::string header(const http::Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
        if (key == name) {
            return value;
        }
    }
    return {};
}

/// A member of a JSON answer: its text.
inline std::string member(const http::Response& response, std::string_view name) {
    const auto document = json::Document::parse(response.body);
    return document ? std::string(document->root().find(name).text()) : "not JSON";
}

/// Event line of an order: {"orderId":key,"customerId":"C","total":total}.
inline std::string order(std::string_view id, std::string_view key = "ORD-1",
                         std::string_view total = "12.50") {
    std::string out = R"({"source":"aws","eventType":"OrderPlaced","id":")";
    out.append(id).append(R"(","time":"2026-01-05T10:23:45Z","payload":{"orderId":")").append(key);
    return out.append(R"(","customerId":"C-7","total":)").append(total).append("}}");
}

inline std::string eventbridge(
    std::string_view id,
    std::string_view detail = R"({"orderId":"ORD-1","customerId":"C-7","total":12.50})") {
    std::string out = R"({"version":"0","id":")";
    out.append(id).append(
        R"(","detail-type":"OrderPlaced","source":"shop","account":"012345678901","time":"2026-01-05T10:23:45Z","region":"eu","resources":[],"detail":)");
    return out.append(detail).append("}");
}

inline std::string pubsub(std::string_view id,
                          std::string_view payload = R"({"orderId":"ORD-1","amount":"12.50"})") {
    return R"({"message":{"data":")" + base64_encode(payload) +
           R"(","attributes":{"eventType":"PaymentProcessed"},"messageId":")" + std::string(id) +
           R"(","publishTime":"2026-01-05T10:23:47Z"},"subscription":"projects/p/subscriptions/s"})";
}

inline std::string eventgrid(std::string_view id,
                             std::string_view data = R"({"orderId":"ORD-1"})") {
    std::string out = R"({"id":")";
    out.append(id).append(
        R"(","topic":"/t","subject":"s","eventType":"Contoso.InventoryReserved","eventTime":"2026-01-05T10:23:48.1234567Z","data":)");
    return out.append(data).append(R"(,"dataVersion":"1","metadataVersion":"1"})");
}

}  // namespace helios::gateway
