#pragma once
/// Opens the log of a data directory: the embedded backend, and with a SimDisk the one behind
/// `--ephemeral`.

#include <memory>
#include <vector>

#include "base/clock.h"
#include "log/disk.h"
#include "log/log.h"
#include "log/options.h"

namespace helios::telemetry {
struct Telemetry;
}

namespace helios::log {

/// Opens for reading and writing, recovering whatever the last life left: makes the directory if
/// there is none, takes its lock, adds new topics. Disk, clock and telemetry must outlive the log.
/// The destructor closes it. conflict: another server holds the directory (named), or it was made
/// with another partition count or topic shape. corrupt: the directory is foreign, newer than this
/// program, or its topics file is damaged. invalid: options. Damaged segments are no error: see
/// Log::damage(). A full disk is none either: reads work, health() says so.
Result<std::unique_ptr<Log>> open_disk_log(const DiskLogOptions& options,
                                           std::vector<TopicSpec> topics, Disk& disk,
                                           const Clock& clock, telemetry::Telemetry& telemetry);

/// Opens what another process writes, or has written, for reading up to the durable mark; follows
/// it as it moves. Takes no lock, changes nothing; append and transact answer `denied`.
/// options.partitions is not looked at, and of `topics` only numbers and names: a topic of the
/// directory that is not among them shows in describe(), and nowhere else. not_found: no data
/// directory there. corrupt: as above.
Result<std::unique_ptr<Log>> open_read_only(const DiskLogOptions& options,
                                            const std::vector<TopicSpec>& topics, Disk& disk,
                                            const Clock& clock, telemetry::Telemetry& telemetry);

}  // namespace helios::log
