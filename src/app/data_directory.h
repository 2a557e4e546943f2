#pragma once
/// Where things stand in a data directory, and the ways to look into one without a server.

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "log/disk.h"
#include "log/disk_log.h"
#include "log/log.h"
#include "model/catalogue.h"
#include "telemetry/telemetry.h"

namespace helios::app {

/// The log's topics as model/topics.h declares them.
std::vector<log::TopicSpec> topic_specs();

/// The folders beside the log's own.
std::vector<std::string> folders();
std::string store_file(const std::string& data_dir);
std::string keys_file(const std::string& data_dir);
std::string dedup_directory(const std::string& data_dir);
std::string state_directory(const std::string& data_dir, std::string_view stage);

/// A data directory opened for reading, beside a running server or without one.
struct ReadOnlyDirectory {
    std::unique_ptr<Clock> clock;
    std::unique_ptr<telemetry::Telemetry> telemetry;
    std::unique_ptr<log::Disk> disk;
    std::unique_ptr<log::Log> log;
};

/// not_found: there is no data directory. corrupt: foreign or newer format.
Result<ReadOnlyDirectory> open_read_only(const std::string& data_dir);

/// The shipped catalogue, or the one in `file` when it is not empty.
/// `errors`, if given, takes the complaints behind the first.
Result<model::Catalogue> load_catalogue(const std::string& file,
                                        std::vector<Error>* errors = nullptr);

}  // namespace helios::app
