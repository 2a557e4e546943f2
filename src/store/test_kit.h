#pragma once
/// Test kit: a real log on a disk in memory, a store file in a temporary folder, and verbs to fill
/// the one and look at the other.

#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/clock.h"
#include "base/temporary_directory.h"
#include "log/disk_log.h"
#include "log/sim_disk.h"
#include "model/case_record.h"
#include "model/catalogue.h"
#include "model/counts.h"
#include "model/dlq_outcome.h"
#include "model/event.h"
#include "model/flow_activation.h"
#include "model/quarantined.h"
#include "model/topics.h"
#include "model/verdict.h"
#include "store/dump.h"
#include "store/projector.h"
#include "store/queries.h"
#include "telemetry/telemetry.h"

namespace helios::store::testing {

inline constexpr Instant epoch_of_tests{std::chrono::sys_days{std::chrono::year{2026} / 1 / 5} +
                                        std::chrono::hours(10)};

inline TemporaryDirectory a_folder() {
    return *TemporaryDirectory::make("helios-store-");
}

inline model::Event an_event(std::string id, std::string type, std::string key,
                             std::string source = "aws") {
    model::Event event(default_tenant());
    event.source = std::move(source);
    event.id = std::move(id);
    event.type = std::move(type);
    event.key = key;
    event.time = epoch_of_tests;
    event.payload = R"({"orderId":")" + key + R"(","customerId":"C-)" + key + R"("})";
    event.customer = "C-" + key;
    return event;
}

/// `decided`: reconciledAt; absent: pending.
inline model::Verdict a_verdict(std::string key, std::uint32_t revision,
                                model::VerdictStatus status, std::optional<Instant> decided) {
    model::Verdict verdict(default_tenant());
    verdict.flow = "order";
    verdict.flow_version = 1;
    verdict.key_name = "orderId";
    verdict.key = std::move(key);
    verdict.revision = revision;
    verdict.status = status;
    verdict.opened_at = epoch_of_tests;
    verdict.deadline = epoch_of_tests + std::chrono::seconds(60);
    verdict.reconciled_at = decided;
    verdict.at = decided.value_or(epoch_of_tests);
    return verdict;
}

inline model::FlowActivation an_activation(std::string flow, std::uint32_t version,
                                           std::string text, std::string hash) {
    model::FlowActivation activation(default_tenant());
    activation.flow = std::move(flow);
    activation.version = version;
    activation.text = std::move(text);
    activation.hash = std::move(hash);
    return activation;
}

inline model::FlowRecord a_flow_record(Instant at, std::string flow, std::uint32_t version,
                                       std::string text, std::string hash) {
    model::FlowRecord record(default_tenant());
    record.at = at;
    record.flow = std::move(flow);
    record.version = version;
    record.text = std::move(text);
    record.hash = std::move(hash);
    return record;
}

/// Of events from aws.
inline model::Counts some_counts(std::string hop, Instant minute,
                                 std::map<std::string, std::uint64_t> deltas) {
    model::Counts counts(default_tenant());
    counts.hop = std::move(hop);
    counts.source = "aws";
    counts.minute = minute;
    counts.deltas = std::move(deltas);
    return counts;
}

inline model::QuarantineRepeat a_repeat(std::string id, std::uint64_t times, Instant last) {
    model::QuarantineRepeat repeat(default_tenant());
    repeat.id = std::move(id);
    repeat.times = times;
    repeat.last_received_at = last;
    return repeat;
}

/// Of the five seconds before `seconds` after the beginning.
inline model::AbsenceRecord absence_until(std::int64_t seconds) {
    const Instant to = epoch_of_tests + std::chrono::seconds(seconds);
    return {to - std::chrono::seconds(5), to, std::chrono::seconds(30), {}, {},
            model::AbsenceCause::start};
}

inline model::Finding a_finding(model::FindingKind kind) {
    model::Finding finding;
    finding.kind = kind;
    finding.leg = "payment";
    return finding;
}

/// Not thread-safe.
class Bench {
public:
    explicit Bench(std::size_t batch_records_max = 20'000)
        : clock(epoch_of_tests), telemetry(clock, telemetry::Level::debug, lines) {
        options.file = folder.path() + "/store/current.db";
        options.batch_records_max = batch_records_max;
        options.idle_poll = std::chrono::milliseconds(1);
        log::DiskLogOptions log_options;
        log_options.directory = "data";
        log_options.partitions = 4;
        log_options.segment_bytes = 1 << 20;
        log_options.keep = std::chrono::hours(240);
        log_options.keep_interval = Duration::zero();
        std::vector<log::TopicSpec> topics;
        for (const auto& declared : model::all_topics) {
            topics.push_back({declared.id, std::string(declared.name),
                              static_cast<log::RetentionClass>(declared.kept),
                              declared.partitions});
        }
        auto opened = log::open_disk_log(log_options, std::move(topics), disk, clock, telemetry);
        HELIOS_ASSERT(opened.has_value(), "the log opens");
        log = *std::move(opened);
    }

    /// Durable when it returns, and alone in its millisecond, which is over.
    log::Appended append(TopicId topic, model::RecordType type, std::uint8_t version,
                         std::string key, std::string value,
                         std::optional<std::uint32_t> partition = std::nullopt) {
        std::vector<log::Record> records(1);
        records[0] = {topic,          partition,       static_cast<std::uint16_t>(type), version, 0,
                      std::move(key), std::move(value)};
        std::promise<log::AppendOutcome> done;
        log->append(std::move(records), [&done](std::span<const log::AppendOutcome> outcomes) {
            done.set_value(outcomes[0]);
        });
        auto outcome = done.get_future().get();
        HELIOS_ASSERT(outcome.has_value(), "the append succeeds");
        clock.advance(log::log_time_grain);
        return *outcome;
    }
    log::Appended append(const model::Event& event) {
        return append(model::Catalogue::shipped().type_of(event.type).topic,
                      model::RecordType::event, model::event_version, event.key, encode(event));
    }
    log::Appended append(const model::Verdict& verdict) {
        return append(model::topic::verdicts, model::RecordType::verdict, model::verdict_version,
                      model::case_log_key(verdict.tenant, verdict.flow, verdict.key),
                      encode(verdict));
    }
    log::Appended append(const model::DlqOutcome& outcome) {
        return append(model::topic::dlq, model::RecordType::dlq_outcome, model::dlq_outcome_version,
                      outcome.id, model::encode(outcome));
    }
    log::Appended append(const model::Quarantined& item) {
        return append(model::topic::dlq, model::RecordType::quarantined, model::quarantined_version,
                      item.id, encode(item));
    }
    log::Appended append(const model::CaseRecord& record, std::string key,
                         std::optional<std::uint32_t> partition = std::nullopt) {
        return append(model::topic::cases, model::RecordType::case_record,
                      model::case_record_version, std::move(key), encode(record), partition);
    }
    log::Appended append(const model::Counts& counts) {
        return append(model::topic::counts, model::RecordType::counts, model::counts_version, "",
                      encode(counts));
    }
    log::Appended append(const model::FlowActivation& activation) {
        return append(model::topic::flows, model::RecordType::flow_activation,
                      model::flow_activation_version, activation.flow, encode(activation));
    }

    /// What is on the log now is past retention, and gone. Once.
    void drop_all() {
        log->keep({});
        for (int step = 0; step < 2; ++step) {
            clock.advance(std::chrono::hours(264));
            HELIOS_ASSERT(log->drop_expired().has_value(), "the disk lets us");
            append(some_counts("received", clock.wall(), {{"appended", 1}}));
        }
        HELIOS_ASSERT(log->kept().at(0).begin.value > 0, "something was dropped");
    }

    Result<std::unique_ptr<Projector>> open() {
        return Projector::open(options, *log, telemetry, clock);
    }

    /// Everything that is on the log now is in the store.
    void project() {
        auto projector = open();
        HELIOS_ASSERT(projector.has_value(), "the store opens");
        HELIOS_ASSERT((*projector)->catch_up(log->last_log_time() + Duration{1}).has_value(),
                      "the store catches up");
    }

    std::unique_ptr<Queries> queries() {
        auto opened = Queries::open(options, clock);
        HELIOS_ASSERT(opened.has_value(), "the store can be read");
        return *std::move(opened);
    }

    std::string dumped() { return dumped_by(&store::dump); }
    std::string dumped_settled() { return dumped_by(&store::dump_settled); }
    std::string dumped_verdicts() { return dumped_by(&store::dump_verdicts); }

    TemporaryDirectory folder = a_folder();
    ManualClock clock;
    std::vector<std::string> lines;
    telemetry::Telemetry telemetry;
    log::SimDisk disk;
    std::unique_ptr<log::Log> log;
    Options options;

private:
    std::string dumped_by(Status (*dump)(const std::filesystem::path&, Database::Mode,
                                         const WriteLine&)) {
        std::string out;
        const auto outcome =
            dump(options.file, Database::Mode::read, [&out](std::string_view line) -> Status {
                out += line;
                return {};
            });
        HELIOS_ASSERT(outcome.has_value(), "the store can be dumped");
        return out;
    }
};

}  // namespace helios::store::testing
