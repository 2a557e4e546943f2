#include "reconcile/activate.h"

#include <algorithm>
#include <memory>

#include "log/synchronous.h"
#include "model/topics.h"
#include "reconcile/router.h"

namespace helios::reconcile {
namespace {

/// Appends one control record and waits for it.
Status append_control(log::Appender& log, model::RecordType type, std::uint8_t version,
                      std::string key, std::string value) {
    log::Record record;
    record.topic = model::topic::flows;
    record.partition = 0;
    record.type = static_cast<std::uint16_t>(type);
    record.version = version;
    record.key = std::move(key);
    record.value = std::move(value);
    const auto outcomes = log::append_now(log, {std::move(record)});
    return outcomes.front() ? Status{} : Status(fail(outcomes.front().error()));
}

/// Records of these topics are appended only while we watch. An activation comes before a start's
/// absence is written down; verdicts and counts may.
bool shows_life(TopicId topic) {
    return topic == model::topic::cases || topic == model::topic::dlq ||
           std::find(model::event_topics.begin(), model::event_topics.end(), topic) !=
               model::event_topics.end();
}

template <class Topics>
std::vector<Partition> partitions_of_all(const log::Log& log, const Topics& topics) {
    std::vector<Partition> out;
    for (const auto topic : topics) {
        const auto ids = log.partitions_of(topic);
        out.insert(out.end(), ids.begin(), ids.end());
    }
    return out;
}

Result<std::unique_ptr<log::Reader>> read_since(log::Log& log, const std::vector<Partition>& ids,
                                                Instant t) {
    HELIOS_TRY_ASSIGN(auto from, log.offsets_at(ids, t));
    return log.read(std::move(from));
}

/// All durable ones in order, until `visit` returns false.
template <class Visit>
Status each_record(log::Reader& reader, Visit visit) {
    while (true) {
        HELIOS_TRY_ASSIGN(const auto batch, reader.poll(1024, 4u << 20, Duration::zero()));
        if (batch.records.empty()) {
            return {};
        }
        for (const auto& record : batch.records) {
            if (!visit(record)) {
                return {};
            }
        }
    }
}

}  // namespace

Result<FlowsRecord> decode_flows_record(const log::StoredRecord& record) {
    FlowsRecord out;
    out.offset = record.at.offset;
    out.log_time = record.log_time;
    if (record.type == static_cast<std::uint16_t>(model::RecordType::flow_activation)) {
        HELIOS_TRY_ASSIGN(out.activation, model::decode_flow_activation(record.value));
    } else if (record.type == static_cast<std::uint16_t>(model::RecordType::absence)) {
        HELIOS_TRY_ASSIGN(out.absence, model::decode_absence(record.value));
    } else if (record.type == static_cast<std::uint16_t>(model::RecordType::engine_level)) {
        HELIOS_TRY_ASSIGN(out.level, model::decode_engine_level(record.value));
    }
    return out;
}

Result<std::vector<FlowsRecord>> read_flows(log::Log& log) {
    std::vector<FlowsRecord> out;
    const Partition id{model::topic::flows, 0};
    HELIOS_TRY_ASSIGN(const auto reader, log.read({{id, Offset{0}}}));
    Status readable;
    HELIOS_TRY(each_record(*reader, [&](const log::StoredRecord& record) {
        auto decoded = decode_flows_record(record);
        if (!decoded) {
            readable = fail(std::move(decoded).error());
            return false;
        }
        out.push_back(*std::move(decoded));
        return true;
    }));
    HELIOS_TRY(readable);
    return out;
}

std::uint32_t level_of(const std::vector<FlowsRecord>& records) {
    std::uint32_t level = 0;
    for (const auto& record : records) {
        level = record.level ? std::max(level, record.level->level) : level;
    }
    return level;
}

Status check_level(const std::vector<FlowsRecord>& records) {
    const std::uint32_t level = level_of(records);
    if (level > model::highest_level) {
        return fail(ErrorKind::conflict,
                    "this log is at level " + std::to_string(level) +
                        " of the engine, and this version knows up to " +
                        std::to_string(model::highest_level),
                    "start the version that raised it, or a newer one: another would decide "
                    "otherwise than was published");
    }
    return {};
}

Result<std::uint32_t> raise_level(log::Log& log) {
    HELIOS_TRY_ASSIGN(const auto records, read_flows(log));
    HELIOS_TRY(check_level(records));
    const std::uint32_t level = level_of(records);
    if (level != model::highest_level) {
        HELIOS_TRY(append_control(log, model::RecordType::engine_level, model::engine_level_version,
                                  "level", model::encode(model::EngineLevel{})));
    }
    return level;
}

model::FlowActivation activation_of(const TenantId& tenant, const Flow& flow) {
    model::FlowActivation activation(tenant);
    activation.flow = flow.name;
    activation.version = flow.version;
    activation.text = flow.text;
    activation.hash = flow.hash;
    return activation;
}

/// By what stands on helios.flows alone, as route counts them.
std::size_t active_versions(const std::vector<FlowsRecord>& records, Instant now) {
    Router router;
    for (const auto& record : records) {
        if (record.activation) {
            static_cast<void>(router.activate(*record.activation, record.log_time));
        } else if (record.absence) {
            router.take_absence(*record.absence);
        }
    }
    router.retire_before(now);
    return router.active().size();
}

Result<Activation> check_activation(const std::vector<FlowsRecord>& records, const TenantId& tenant,
                                    const Flow& flow, std::size_t versions_max, Instant now) {
    Activation out;
    for (const auto& record : records) {
        if (!record.activation || record.activation->flow != flow.name ||
            record.activation->tenant != tenant) {
            continue;
        }
        if (record.activation->version == flow.version && record.activation->hash != flow.hash) {
            return fail(ErrorKind::conflict,
                        "flow " + flow.name + " version " + std::to_string(flow.version) +
                            " was activated with another text",
                        "raise `version:` in the file: what has been decided stays explainable by "
                        "the text that decided it");
        }
        out.replaces = std::max(out.replaces, record.activation->version);
    }
    if (out.replaces > flow.version) {
        return fail(
            ErrorKind::conflict,
            "flow " + flow.name + " version " + std::to_string(out.replaces) +
                " is active, the file has version " + std::to_string(flow.version),
            "to go back to an older text give it a version above " + std::to_string(out.replaces));
    }
    out.is_new = out.replaces != flow.version;
    if (const auto active = out.is_new ? active_versions(records, now) : 0;
        active >= versions_max) {
        return fail(ErrorKind::exhausted,
                    "flow " + flow.name + " version " + std::to_string(flow.version) + ": " +
                        std::to_string(active) + " flow versions are active",
                    "old versions retire after their last deadline and amend_for; raise "
                    "reconcile.flow_versions_max to go on before that");
    }
    return out;
}

Result<Activation> activate(log::Log& log, const TenantId& tenant, const Flow& flow,
                            std::size_t versions_max) {
    HELIOS_TRY_ASSIGN(const auto records, read_flows(log));
    HELIOS_TRY_ASSIGN(const auto out,
                      check_activation(records, tenant, flow, versions_max, log.now()));
    if (!out.is_new) {
        return out;
    }
    const auto activation = activation_of(tenant, flow);
    HELIOS_TRY(append_control(log, model::RecordType::flow_activation,
                              model::flow_activation_version, tenant.text() + '\0' + flow.name,
                              model::encode(activation)));
    return out;
}

Status record_start(log::Log& log, Duration grace, Duration least) {
    const log::SignOfLife sign = log.last_sign_of_life();
    Instant last{};
    HELIOS_TRY_ASSIGN(const auto partitions, log.describe());
    for (const auto& info : partitions) {
        if (info.records > 0 && shows_life(info.id.topic)) {
            last = std::max(last, info.last_time);
        }
    }
    if (last == Instant{}) {
        return {};
    }
    HELIOS_TRY_ASSIGN(const auto records, read_flows(log));
    for (const auto& record : records) {
        if (record.absence) {
            last = std::max(last, record.log_time);
        }
    }
    // A process that could take nothing in may still have worked on what it had: its records show
    // no presence.
    last = sign.absent ? sign.at : std::max(last, sign.at);
    const Instant now = log.now();
    if (now - last < least) {
        return {};
    }
    return record_absence(log, {last, now, grace, {}, {}, model::AbsenceCause::start});
}

Status record_absence(log::Appender& log, const model::AbsenceRecord& absence) {
    return append_control(log, model::RecordType::absence, model::absence_version, "absence",
                          model::encode(absence));
}

Result<bool> is_handed_on(log::Log& log, const FlowsRecord& record) {
    bool found = false;
    HELIOS_TRY_ASSIGN(const auto reader,
                      read_since(log, {{model::topic::cases, 0}}, record.log_time));
    HELIOS_TRY(each_record(*reader, [&](const log::StoredRecord& stored) {
        const auto decoded = model::decode_case_record(stored.value);
        const auto* absence = decoded ? std::get_if<model::AbsenceRecord>(&*decoded) : nullptr;
        found = absence != nullptr && *absence == *record.absence;
        return !found;
    }));
    return found;
}

}  // namespace helios::reconcile
