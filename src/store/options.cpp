#include "store/options.h"

namespace helios::store {

Status Options::validate() const {
    if (file.empty()) {
        return fail(ErrorKind::invalid, "store.file is empty",
                    "name a file, for example helios-data/store/current.db");
    }
    if (batch_records_max == 0 || batch_records_max > 1'000'000) {
        return fail(ErrorKind::invalid, "store.batch_records_max must be 1 … 1000000");
    }
    if (batch_bytes_max == 0) {
        return fail(ErrorKind::invalid, "store.batch_bytes_max must be above 0");
    }
    if (idle_poll <= Duration::zero() || idle_poll > std::chrono::seconds(1)) {
        return fail(ErrorKind::invalid, "store.idle_poll must be above 0 and at most 1s",
                    "reads of unknown orders wait for it");
    }
    if (retry_pause <= Duration::zero()) {
        return fail(ErrorKind::invalid, "store.retry_pause must be above 0");
    }
    if (write_cache_bytes < (1u << 20)) {
        return fail(ErrorKind::invalid, "store.write_cache_bytes must be at least 1 MiB");
    }
    if (slice < std::chrono::minutes(1) || slice > std::chrono::days(31) ||
        slice % std::chrono::minutes(1) != Duration::zero()) {
        return fail(ErrorKind::invalid, "retention.slice must be whole minutes, 1m … 31d",
                    "1d suits most; shorter slices let old rows leave in smaller steps");
    }
    if (keep_events < Duration::zero() || keep_cases < Duration::zero() ||
        keep_quarantine < Duration::zero() || copies_within < Duration::zero()) {
        return fail(ErrorKind::invalid, "how long rows of the store stay must not be negative");
    }
    if (retention_interval <= Duration::zero() || rows_per_retention == 0 || slices_near_max == 0 ||
        slices_open_max == 0 || kinds_max == 0) {
        return fail(ErrorKind::invalid,
                    "store.retention_interval, rows_per_retention, slices_near_max, "
                    "slices_open_max and kinds_max must be above 0");
    }
    if (readers_max == 0 || readers_max > 256) {
        return fail(ErrorKind::invalid, "store.readers_max must be 1 … 256");
    }
    if (query_limit <= Duration::zero()) {
        return fail(ErrorKind::invalid, "store.query_limit must be above 0");
    }
    if (page_rows_max == 0 || history_records_max == 0) {
        return fail(ErrorKind::invalid,
                    "store.page_rows_max and store.history_records_max must be above 0");
    }
    return {};
}

}  // namespace helios::store
