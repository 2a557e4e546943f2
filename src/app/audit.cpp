#include "app/audit.h"

#include <fmt/format.h>
#include <future>
#include <unistd.h>

#include "model/topics.h"

namespace helios::app {

Audit::Audit(log::Log& log, telemetry::Telemetry& telemetry, const Clock& clock)
    : log_(log),
      telemetry_(telemetry),
      writer_(fmt::format("{:08x}-{:x}-{}", log::hash_of(log.id()), to_nanos(clock.wall()),
                          ::getpid())) {}

void Audit::write(model::AuditRecord record) {
    const std::string what = record.what;
    append(std::move(record), [this, what](const Status& done) {
        if (!done) {
            telemetry_.logger.error("app", "a change is missing from the audit",
                                    {{"what", what}, {"error", done.error().message()}});
        }
    });
}

Status Audit::write_now(model::AuditRecord record) {
    std::promise<Status> promise;
    auto future = promise.get_future();
    append(std::move(record), [&promise](const Status& done) { promise.set_value(done); });
    return future.get();
}

void Audit::append(model::AuditRecord record, Done done) {
    const MutexLock lock(mutex_);
    record.writer = writer_;
    record.number = ++number_;
    record.previous = previous_;
    std::vector<log::Record> records(1);
    records[0].topic = model::topic::audit;
    records[0].partition = 0;
    records[0].type = static_cast<std::uint16_t>(model::RecordType::audit);
    records[0].version = model::audit_version;
    records[0].key = record.tenant.text();
    records[0].value = model::encode(record);
    previous_ = sha256(records[0].value);
    log_.append(std::move(records),
                [done = std::move(done)](std::span<const log::AppendOutcome> outcomes) {
                    done(outcomes.front() ? Status{} : Status(fail(outcomes.front().error())));
                });
}

}  // namespace helios::app
