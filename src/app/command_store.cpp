#include <cstdio>
#include <fmt/format.h>
#include <iostream>
#include <memory>
#include <unistd.h>

#include "app/cli.h"
#include "app/completeness.h"
#include "app/data_directory.h"
#include "app/files.h"
#include "app/log_export.h"
#include "app/numbers.h"
#include "app/screen.h"
#include "base/json.h"
#include "log/directory.h"
#include "log/posix_disk.h"
#include "store/check.h"
#include "store/dump.h"

namespace helios::app {
namespace {

struct StoreOptions {
    std::string data = "./helios-data";
    bool verdicts = false;
    bool settled = false;
    bool wait = false;
    Environment environment;
    bool partial = false;
    std::string dump_format = "ndjson";
    std::string rebuild_format = "text";
    std::string check_format = "text";
    bool from_log_start = false;
};

/// A store beside a log of another format is not this program's to read.
Status check_format(const std::string& data) {
    const std::string path = data + "/FORMAT";
    const auto text = read_file(path);
    if (!text) {
        return text.error().kind != ErrorKind::not_found
                   ? fail(text.error())
                   : fail(ErrorKind::not_found,
                          data + " is not a Helios data directory: it has no FORMAT file",
                          "name the directory that the server was started with");
    }
    HELIOS_TRY(log::parse_format(*text, path, false));
    return {};
}

int dump(const StoreOptions& options) {
    if (options.settled && options.verdicts) {
        return complain({ErrorKind::invalid, "--settled and --verdicts exclude each other",
                         "--verdicts: every revision; --settled: what each case has come to"});
    }
    const auto opened = open_read_only(options.data);
    if (!opened) {
        return complain(opened.error());
    }
    const auto complete =
        be_complete(*opened->log, options.data, Stage::store, options.wait, options.environment);
    if (!complete && (complete.error().kind != ErrorKind::unavailable || !options.partial)) {
        return complain(complete.error(), complete.error().kind == ErrorKind::unavailable ? 1 : 2);
    }
    const auto write = [](std::string_view line) -> Status {
        fmt::print("{}", line);
        return {};
    };
    const auto file = store_file(options.data);
    const auto mode = store_mode(options.data);
    const auto dumped = options.settled    ? store::dump_settled(file, mode, write)
                        : options.verdicts ? store::dump_verdicts(file, mode, write)
                                           : store::dump(file, mode, write);
    if (!dumped) {
        return complain(dumped.error());
    }
    if (mode == store::Database::Mode::still && is_held(options.data)) {
        return complain(
            {ErrorKind::unavailable,
             "a server has been started on " + options.data + " while its store was being read",
             "the dump may mix old and new: make it again"});
    }
    return complete ? 0 : complain(complete.error(), 1);
}

int check(const StoreOptions& options) {
    if (const auto format = check_format(options.data); !format) {
        return complain(format.error());
    }
    const bool as_json = options.check_format == "json";
    json::Writer out;
    out.begin_object().key("files").begin_array();
    std::optional<std::string> hint;
    const auto good =
        store::check(store_file(options.data), store_mode(options.data),
                     [&](const std::filesystem::path& file, const std::optional<Error>& damage) {
                         out.begin_object().field("file", file.string());
                         if (damage) {
                             out.field("damage", damage->what);
                             hint = hint.value_or(damage->hint);
                         }
                         out.end_object();
                         if (!as_json) {
                             fmt::print("{}\n", damage ? damage->what : file.string() + ": good");
                         }
                     });
    if (!good) {
        return complain(good.error());
    }
    if (as_json) {
        fmt::print("{}\n", out.end_array().field("good", *good).end_object().view());
    }
    return *good ? 0 : complain({ErrorKind::corrupt, "the store is damaged", hint.value_or("")}, 1);
}

void print_rebuilt_json(const std::string& file, std::uint64_t records, bool damaged,
                        const Backlog& backlog) {
    json::Writer out;
    out.begin_object().field("file", file).field("records", records).field("damaged", damaged);
    out.key("behind")
        .begin_object()
        .field("route", backlog.route)
        .field("engine", backlog.engine)
        .end_object();
    fmt::print("{}\n", out.end_object().view());
}

int rebuild(const StoreOptions& options, const Environment& environment) {
    const SystemClock clock;
    telemetry::Telemetry telemetry(clock, telemetry::Level::warn);
    const auto disk = log::posix_disk();
    log::DiskLogOptions log_options;
    log_options.directory = options.data;
    if (const auto format = check_format(options.data); !format) {
        return complain(format.error());
    }
    // A running server holds these locks, and its store. Before the log is looked at: until now it
    // may have grown.
    const log::DirectoryPaths paths(options.data);
    auto locks = log::DirectoryLocks::take(*disk, paths, folders());
    if (!locks) {
        return complain(locks.error());
    }
    auto log = log::open_read_only(log_options, topic_specs(), *disk, clock, telemetry);
    if (!log) {
        return complain(log.error());
    }
    static_cast<void>(locks->sign(paths));  // on a full disk the locks hold without it
    if (const auto until = dropped_until(**log); until && !options.from_log_start) {
        return complain(
            {ErrorKind::conflict,
             fmt::format("the log begins after {}: a store made anew from it would lack what came "
                         "before",
                         format_rfc3339(*until)),
             "keep the store that there is; or, if it is lost, pass --from-log-start"});
    }
    // Before the old store is gone: one that was made before the damage may hold more.
    if (const auto read = (*log)->read_through(); !read) {
        return complain(read.error());
    }
    const bool damaged = report_left_out(**log);
    if (damaged) {
        fmt::print(
            stderr,
            "the log is damaged: the store is rebuilt from what is readable, and lacks the rest\n");
    }
    store::Options store_options;
    store_options.file = store_file(options.data);
    store_options.from_log_start = options.from_log_start;
    Terminal terminal(std::cerr, screen_of(STDERR_FILENO, environment));
    const auto records =
        store::rebuild(store_options, **log, telemetry, clock, [&terminal](std::uint64_t n) {
            if (terminal.screen().rewrites) {
                terminal.progress(fmt::format("{} records", n));
            }
        });
    terminal.clear_progress();
    if (!records) {
        return complain(records.error());
    }
    // The verdicts are on the log too: what nobody has judged yet can't be in the store.
    const auto backlog = Completeness(**log, options.data, Stage::engine).backlog();
    if (!backlog) {
        return complain(backlog.error());
    }
    if (options.rebuild_format == "json") {
        print_rebuilt_json(store_options.file.string(), *records, damaged, *backlog);
    } else {
        fmt::print("rebuilt {} from {} records\n", store_options.file.string(), *records);
    }
    if (backlog->route + backlog->engine > 0) {
        return complain(
            {ErrorKind::unavailable,
             fmt::format("the store is complete, the log is not judged to its end: route is {} "
                         "records behind, engine {}",
                         with_thousands(backlog->route), with_thousands(backlog->engine)),
             "start `helios serve` on this directory and let it catch up; the store follows by "
             "itself"},
            1);
    }
    return damaged ? 1 : 0;
}

}  // namespace

Command store_command(const Environment& environment) {
    auto options = std::make_shared<StoreOptions>();
    options->environment = environment;
    const Option data{"--data",       "DIR", "the data directory, default ./helios-data",
                      &options->data, false, {}};
    Command dump_command{
        "dump",
        "Print the store as NDJSON, in one order and one encoding",
        "Two stores of the same log give the same dump. --verdicts prints every revision as "
        "`helios reconcile --revisions` "
        "would. "
        "--settled prints one line per case and instance with what two installations that were fed "
        "the same events agree on: status, findings but `late`, chosen events, money at risk.\n"
        "Exit 0: complete, up to the end of the log when the command began. Exit 1: not complete, "
        "and nothing is printed but how "
        "many\n"
        "records each stage is behind; start the server and let it catch up, pass --wait beside a "
        "running one, or --partial for "
        "what\n"
        "is there. Exit 2: usage or failure, or --wait and no server. Never writes: a copy on a "
        "read-only disk can be dumped.",
        {"helios store dump > before.ndjson", "helios store dump --verdicts | head",
         "diff <(helios store dump --settled --data a) <(helios store dump --settled --data b)",
         "helios store dump --wait > now.ndjson"},
        {data,
         {"--verdicts",
          "",
          "every verdict revision instead of every table",
          &options->verdicts,
          false,
          {}},
         {"--settled",
          "",
          "what each case has come to, comparable between installations",
          &options->settled,
          false,
          {}},
         {"--wait", "", "wait until the running server has caught up", &options->wait, false, {}},
         {"--partial",
          "",
          "print what is there, also when it is not complete (exit 1)",
          &options->partial,
          false,
          {}},
         {"--format",
          "FORMAT",
          "ndjson, whatever is said (json is the same)",
          &options->dump_format,
          false,
          {"ndjson", "json"}}},
        {},
        [options] { return dump(*options); }};
    Command rebuild_command{
        "rebuild",
        "Make the store anew from the log",
        "Projects the whole log into a new file and puts it in the old one's place. Stop the "
        "server first.\n"
        "Exit 1 if a part of the log is damaged (the store is rebuilt from the rest), or if the "
        "log holds events that have not "
        "been "
        "judged yet:\n"
        "verdicts come from the log, so start the server, which goes on from there.",
        {"helios store rebuild --data ./helios-data"},
        {data,
         {"--from-log-start",
          "",
          "also where the log's beginning is past retention: the new store lacks what came before",
          &options->from_log_start,
          false,
          {}},
         {"--format", "FORMAT", "text or json", &options->rebuild_format, false, {"text", "json"}}},
        {},
        [options, environment] { return rebuild(*options, environment); }};
    Command check_command{
        "check",
        "Look for damage in the store's files",
        "Reads each file of the store as a whole, and says of each whether it is good. Changes "
        "nothing; beside a running server, too. What no index holds (a customer, a scope) may be "
        "changed unseen: what proves it is `helios store dump` of a store that was rebuilt.\n"
        "Exit 0: no damage was found. Exit 1: a file is damaged or gone. Exit 2: usage or failure.",
        {"helios store check --data ./helios-data"},
        {data,
         {"--format", "FORMAT", "text or json", &options->check_format, false, {"text", "json"}}},
        {},
        [options] { return check(*options); }};
    Command command;
    command.name = "store";
    command.summary = "Dump the store, look for damage in it, or rebuild it from the log";
    command.subcommands = {std::move(dump_command), std::move(check_command),
                           std::move(rebuild_command)};
    return command;
}

}  // namespace helios::app
