#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <unistd.h>

#include "app/cli.h"
#include "app/data_directory.h"
#include "app/files.h"
#include "app/log_export.h"
#include "log/directory.h"
#include "log/posix_disk.h"
#include "store/dump.h"

namespace helios::app {
namespace {

struct StoreOptions {
    std::string data = "./helios-data";
    std::string catalogue;
    bool verdicts = false;
};

/// A store beside a log of another format is not this program's to read.
Status check_format(const std::string& data) {
    const std::string path = data + "/FORMAT";
    const auto text = read_file(path);
    if (!text) {
        return text.error().kind != ErrorKind::not_found
                   ? fail(text.error())
                   : fail(ErrorKind::not_found, data + " is not a Helios data directory: it has no FORMAT file",
                          "name the directory that the server was started with");
    }
    HELIOS_TRY(log::parse_format(*text, path, false));
    return {};
}

int dump(const StoreOptions& options) {
    if (const auto format = check_format(options.data); !format) {
        return complain(format.error());
    }
    const auto write = [](std::string_view line) -> Status {
        fmt::print("{}", line);
        return {};
    };
    const auto file = store_file(options.data);
    const auto dumped = options.verdicts ? store::dump_verdicts(file, write) : store::dump(file, write);
    return dumped ? 0 : complain(dumped.error());
}

int rebuild(const StoreOptions& options) {
    const auto catalogue = load_catalogue(options.catalogue);
    if (!catalogue) {
        return complain(catalogue.error());
    }
    const SystemClock clock;
    telemetry::Telemetry telemetry(clock, telemetry::Level::warn);
    const auto disk = log::posix_disk();
    log::DiskLogOptions log_options;
    log_options.directory = options.data;
    if (const auto format = check_format(options.data); !format) {
        return complain(format.error());
    }
    // A running server holds these locks, and its store. Before the log is looked at: until now it may have grown.
    const log::DirectoryPaths paths(options.data);
    auto locks = log::DirectoryLocks::take(*disk, paths, folders());
    if (!locks) {
        return complain(locks.error());
    }
    auto log = log::open_read_only(log_options, *disk, clock, telemetry);
    if (!log) {
        return complain(log.error());
    }
    static_cast<void>(locks->sign(paths));  // on a full disk the locks hold without it
    // Before the old store is gone: one that was made before the damage may hold more.
    if (const auto read = (*log)->read_through(); !read) {
        return complain(read.error());
    }
    const bool damaged = report_left_out(**log);
    if (damaged) {
        fmt::print(stderr, "the log is damaged: the store is rebuilt from what is readable, and lacks the rest\n");
    }
    store::Options store_options;
    store_options.file = store_file(options.data);
    const bool progress = isatty(2) == 1;
    const auto records = store::rebuild(store_options, **log, *catalogue, telemetry, clock, [progress](std::uint64_t n) {
        if (progress) {
            fmt::print(stderr, "\r{} records", n);
        }
    });
    if (progress) {
        fmt::print(stderr, "\r");
    }
    if (!records) {
        return complain(records.error());
    }
    fmt::print("rebuilt {} from {} records\n", store_options.file.string(), *records);
    return damaged ? 1 : 0;
}

}  // namespace

Command store_command() {
    auto options = std::make_shared<StoreOptions>();
    const Option data{"--data", "DIR", "the data directory, default ./helios-data", &options->data, false, {}};
    Command dump_command{
        "dump",
        "Print the store as NDJSON, in one order and one encoding",
        "Two stores of the same log give the same dump. --verdicts prints every revision as `helios reconcile --revisions` "
        "would.",
        {"helios store dump > before.ndjson", "helios store dump --verdicts | head"},
        {data, {"--verdicts", "", "every verdict revision instead of every table", &options->verdicts, false, {}}},
        {},
        [options] { return dump(*options); }};
    Command rebuild_command{
        "rebuild",
        "Make the store anew from the log",
        "Projects the whole log into a new file and puts it in the old one's place. Stop the server first.\n"
        "Exit 1 if a part of the log is damaged: the store is rebuilt from the rest.",
        {"helios store rebuild --data ./helios-data"},
        {data,
         {"--catalogue", "FILE", "the catalogue the server used, default: the shipped one", &options->catalogue, false, {}}},
        {},
        [options] { return rebuild(*options); }};
    Command command;
    command.name = "store";
    command.summary = "Dump the store, or rebuild it from the log";
    command.subcommands = {std::move(dump_command), std::move(rebuild_command)};
    return command;
}

}  // namespace helios::app
