#pragma once
/// The one place that writes to `helios.audit`: gives records their writer, number and chain.

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "log/log.h"
#include "model/audit.h"
#include "telemetry/telemetry.h"

namespace helios::app {

/// Thread-safe. Log, telemetry and clock outlive it.
class Audit {
public:
    Audit(log::Log& log, telemetry::Telemetry& telemetry, const Clock& clock);

    /// Appends the record as this writer's next one, and returns at once. What can't be written is
    /// a log line of level error.
    void write(model::AuditRecord record);
    /// The same, durable when it returns. Errors as Log::append.
    Status write_now(model::AuditRecord record);

private:
    using Done = std::function<void(const Status&)>;
    void append(model::AuditRecord record, Done done);

    log::Log& log_;
    telemetry::Telemetry& telemetry_;
    const std::string writer_;
    Mutex mutex_;  ///< held while a record is handed to the log: so the log has them in the order
                   ///< of their numbers
    std::uint64_t number_ HELIOS_GUARDED_BY(mutex_) = 0;
    Digest256 previous_ HELIOS_GUARDED_BY(mutex_){};
};

}  // namespace helios::app
