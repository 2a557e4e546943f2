#include "reconcile/options.h"

namespace helios::reconcile {
namespace {

Status at_least_one(std::size_t value, const char* name) {
    if (value == 0) {
        return fail(ErrorKind::invalid, std::string(name) + " must be at least 1");
    }
    return {};
}

Status positive(Duration value, const char* name) {
    if (value <= Duration::zero()) {
        return fail(ErrorKind::invalid, std::string(name) + " must be longer than 0");
    }
    return {};
}

}  // namespace

Status RouteOptions::validate() const {
    HELIOS_TRY(at_least_one(batch_records_max, "batch_records_max"));
    HELIOS_TRY(at_least_one(batch_bytes_max, "batch_bytes_max"));
    HELIOS_TRY(at_least_one(flow_versions_max, "flow_versions_max"));
    HELIOS_TRY(positive(poll_wait, "poll_wait"));
    HELIOS_TRY(positive(retry_after, "retry_after"));
    HELIOS_TRY(positive(absence_min, "absence_min"));
    HELIOS_TRY(positive(absence_max, "absence_max"));
    if (grace < Duration::zero()) {
        return fail(ErrorKind::invalid, "grace must not be negative");
    }
    return {};
}

Status EngineStageOptions::validate() const {
    HELIOS_TRY(at_least_one(batch_records_max, "batch_records_max"));
    HELIOS_TRY(at_least_one(batch_bytes_max, "batch_bytes_max"));
    HELIOS_TRY(positive(poll_wait, "poll_wait"));
    HELIOS_TRY(positive(retry_after, "retry_after"));
    HELIOS_TRY(at_least_one(commit_records_max, "commit_records_max"));
    HELIOS_TRY(at_least_one(commit_bytes_max, "commit_bytes_max"));
    HELIOS_TRY(positive(heartbeat, "heartbeat"));
    HELIOS_TRY(at_least_one(open_cases_max, "open_cases_max"));
    HELIOS_TRY(at_least_one(checkpoint_records, "checkpoint_records"));
    HELIOS_TRY(positive(checkpoint_interval, "checkpoint_interval"));
    return {};
}

}  // namespace helios::reconcile
