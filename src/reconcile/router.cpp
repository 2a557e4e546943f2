#include "reconcile/router.h"

#include <algorithm>

namespace helios::reconcile {

Result<model::FlowRecord> Router::activate(const model::FlowActivation& activation, Instant at) {
    HELIOS_TRY_ASSIGN(Flow flow, parse_flow(activation.text, activation.flow + ".yaml"));
    retire_before(at);  // by time alone, so that a restart, which reads activations without events,
                        // counts the same versions
    for (const Active& other : active_) {
        if (other.tenant == activation.tenant && other.flow->name == flow.name &&
            other.flow->version >= flow.version) {
            return fail(ErrorKind::conflict,
                        "flow " + flow.name + " version " + std::to_string(flow.version) +
                            " is not newer than the active one",
                        "raise `version:`");
        }
    }
    for (Active& older : active_) {
        if (older.tenant == activation.tenant && older.flow->name == flow.name &&
            !older.replaced_at) {
            older.replaced_at = at;
            older.retires_at = retirement_of(older);
        }
    }
    model::FlowRecord record(activation.tenant);
    record.at = at;
    record.passed = at;
    record.lead = activation.lead;
    record.flow = flow.name;
    record.version = flow.version;
    record.text = activation.text;
    record.hash = flow.hash;
    active_.push_back(
        {activation.tenant, std::make_shared<const Flow>(std::move(flow)), std::nullopt});
    return record;
}

void Router::take_absence(const model::AbsenceRecord& absence) {
    retire_before(absence.from);
    absences_.add(absence);
    Duration longest{};
    for (const Active& version : active_) {
        longest = std::max(longest, version.flow->longest_deadline());
    }
    absences_.forget_until(absence.from - longest -
                           absences_.most());  // no case that was open then is open now
    for (Active& version : active_) {
        if (version.replaced_at) {
            version.retires_at = retirement_of(version);
        }
    }
}

Instant Router::retirement_of(const Active& version) const {
    return later(latest_deadline(*version.flow, *version.replaced_at, absences_),
                 version.flow->amend_for);
}

void Router::retire_before(Instant t) {
    std::erase_if(active_, [&](const Active& version) {
        return version.replaced_at && version.retires_at < t;
    });
}

bool Router::wants(const model::Event& event) const {
    return std::any_of(active_.begin(), active_.end(), [&](const Active& version) {
        return version.tenant == event.tenant &&
               std::any_of(version.flow->legs.begin(), version.flow->legs.end(),
                           [&](const Leg& leg) { return leg.wants(event.source, event.type); });
    });
}

std::vector<model::LegRecord> Router::on_event(const model::Event& event, json::Value payload,
                                               const Arrival& arrival, std::size_t& keyless) {
    retire_before(arrival.at);
    return legs_of(event, payload, arrival, keyless);
}

std::vector<model::LegRecord> Router::legs_of(const model::Event& event, json::Value payload,
                                              const Arrival& arrival, std::size_t& keyless) const {
    const TraceId trace = trace_id_of(event.traceparent);
    std::vector<model::LegRecord> out;
    for (const Active& version : active_) {
        if (version.tenant != event.tenant) {
            continue;
        }
        for (const Leg& leg : version.flow->legs) {
            if (!leg.wants(event.source, event.type)) {
                continue;
            }
            if (auto record =
                    extract(*version.flow, leg, !version.replaced_at, event, payload, arrival)) {
                record->passed = arrival.at;  // one lane: nothing earlier is still to come
                record->trace = trace;
                out.push_back(std::move(*record));
            } else {
                ++keyless;
            }
        }
    }
    return out;
}

}  // namespace helios::reconcile
