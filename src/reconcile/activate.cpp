#include "reconcile/activate.h"

#include <algorithm>
#include <future>
#include <memory>

#include "model/topics.h"

namespace helios::reconcile {
namespace {

/// Appends one control record and waits for it.
Status append_control(log::Log& log, model::RecordType type, std::uint8_t version, std::string key, std::string value) {
    log::Record record;
    record.topic = model::topic::flows;
    record.partition = 0;
    record.type = static_cast<std::uint16_t>(type);
    record.version = version;
    record.key = std::move(key);
    record.value = std::move(value);
    std::vector<log::Record> records;
    records.push_back(std::move(record));
    std::promise<Status> promise;
    auto future = promise.get_future();
    log.append(std::move(records), [&promise](std::span<const log::AppendOutcome> outcomes) {
        promise.set_value(outcomes.front() ? Status{} : Status(std::unexpected(outcomes.front().error())));
    });
    return future.get();
}

}  // namespace

Result<FlowsRecord> decode_flows_record(const log::StoredRecord& record) {
    FlowsRecord out;
    out.offset = record.offset;
    out.log_time = record.log_time;
    if (record.type == static_cast<std::uint16_t>(model::RecordType::flow_activation)) {
        HELIOS_TRY_ASSIGN(out.activation, model::decode_flow_activation(record.value));
    } else if (record.type == static_cast<std::uint16_t>(model::RecordType::case_record)) {
        HELIOS_TRY_ASSIGN(const auto decoded, model::decode_case_record(record.value));
        if (const auto* resumed = std::get_if<model::ResumedRecord>(&decoded)) {
            // It was written before its log time could be known: its own `at` is the last instant at which we were there.
            out.resumed = model::ResumedRecord{record.log_time, record.log_time - resumed->at, resumed->grace};
        }
    }
    return out;
}

Result<std::vector<FlowsRecord>> read_flows(log::Log& log) {
    std::vector<FlowsRecord> out;
    const log::TopicPartition id{std::string(model::topic::flows), 0};
    HELIOS_TRY_ASSIGN(const auto reader, log.read({{id, log::Offset{0}}}));
    while (true) {
        HELIOS_TRY_ASSIGN(const auto batch, reader->poll(1024, 4u << 20, Duration::zero()));
        if (batch.records.empty()) {
            return out;
        }
        for (const auto& record : batch.records) {
            HELIOS_TRY_ASSIGN(auto decoded, decode_flows_record(record));
            out.push_back(std::move(decoded));
        }
    }
}

Result<Activation> activate(log::Log& log, const Flow& flow, std::string_view tenant) {
    HELIOS_TRY_ASSIGN(const auto records, read_flows(log));
    Activation out;
    for (const auto& record : records) {
        if (!record.activation || record.activation->flow != flow.name || record.activation->tenant != tenant) {
            continue;
        }
        if (record.activation->version == flow.version && record.activation->hash != flow.hash) {
            return fail(ErrorKind::conflict,
                        "flow " + flow.name + " version " + std::to_string(flow.version) + " was activated with another text",
                        "raise `version:` in the file: what has been decided stays explainable by the text that decided it");
        }
        out.replaces = std::max(out.replaces, record.activation->version);
    }
    if (out.replaces > flow.version) {
        return fail(ErrorKind::conflict,
                    "flow " + flow.name + " version " + std::to_string(out.replaces) + " is active, the file has version " +
                        std::to_string(flow.version),
                    "to go back to an older text give it a version above " + std::to_string(out.replaces));
    }
    if (out.replaces == flow.version) {
        return out;
    }
    out.is_new = true;
    const model::FlowActivation activation{std::string(tenant), flow.name, flow.version, flow.text, flow.hash};
    HELIOS_TRY(append_control(log, model::RecordType::flow_activation, model::flow_activation_version,
                              std::string(tenant) + '\0' + flow.name, model::encode(activation)));
    return out;
}

Status record_absence(log::Log& log, Duration grace) {
    Instant last{};
    for (const auto& info : log.describe()) {
        if (info.id.topic != model::topic::flows &&
            info.records > 0) {  // an activation at this start is no sign of life before it
            last = std::max(last, info.last_time);
        }
    }
    if (last == Instant{}) {
        return {};
    }
    HELIOS_TRY_ASSIGN(const auto records, read_flows(log));
    for (const auto& record : records) {
        if (record.resumed) {
            last = std::max(last, record.log_time);
        }
    }
    const model::ResumedRecord resumed{last, Duration::zero(), grace};
    return append_control(log, model::RecordType::case_record, model::case_record_version, "resumed",
                          model::encode(model::CaseRecord(resumed)));
}

}  // namespace helios::reconcile
