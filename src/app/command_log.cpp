#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <iostream>
#include <memory>
#include <set>
#include <unistd.h>

#include "app/cli.h"
#include "app/completeness.h"
#include "app/data_directory.h"
#include "app/interrupt.h"
#include "app/listing.h"
#include "app/log_export.h"
#include "app/numbers.h"
#include "app/screen.h"
#include "base/json.h"
#include "log/ordered_reader.h"

namespace helios::app {
namespace {

struct LogOptions {
    std::string data = "./helios-data";
    std::vector<std::string> topics;
    std::string partition;
    std::string since;
    std::string limit;
    bool headers_only = false;
    bool wait = false;
    Environment environment;
    std::string format = "table";
    std::string lines_format = "ndjson";
};

/// As columns show it; records themselves have every digit.
std::string to_the_millisecond(Instant at) {
    return format_rfc3339(std::chrono::floor<std::chrono::milliseconds>(at));
}

/// Where a store lies beside the log, its backlog, too.
Result<Backlog> backlog_of(log::Log& log, const std::string& data) {
    return Completeness(log, data,
                        std::filesystem::exists(store_file(data)) ? Stage::store : Stage::engine)
        .backlog();
}

void print_partitions_as_json(log::Log& log, const std::vector<log::PartitionInfo>& partitions,
                              const Backlog& backlog, bool has_store) {
    json::Writer out;
    out.begin_object().key("items").begin_array();
    for (const auto& info : partitions) {
        if (info.records == 0) {
            continue;
        }
        out.begin_object()
            .field("topic", info.topic)
            .field("partition", std::uint64_t{info.id.index});
        out.field("records", info.records)
            .field("firstOffset", info.first.value)
            .field("endOffset", info.end.value);
        out.field("firstTime", format_rfc3339(info.first_time))
            .field("lastTime", format_rfc3339(info.last_time))
            .end_object();
    }
    out.end_array().key("damage").begin_array();
    for (const auto& damage : log.damage()) {
        out.begin_object()
            .field("file", damage.file)
            .field("begin", damage.begin)
            .field("end", damage.end);
        out.field("what", damage.what).end_object();
    }
    out.end_array().key("kept").begin_array();
    for (const auto& kept : log.kept()) {
        out.begin_object()
            .field("journal", log::to_string(kept.retention))
            .field("beginOffset", kept.begin.value);
        out.key("droppedUntil");
        if (kept.begin.value > 0) {
            out.string(format_rfc3339(kept.dropped_until));
        } else {
            out.null();
        }
        out.key("heldBy").begin_array();
        for (const auto& held : kept.held) {
            out.begin_object()
                .field("by", held.by)
                .field("more",
                       format_duration(std::chrono::ceil<std::chrono::seconds>(held.by_more)))
                .end_object();
        }
        out.end_array().end_object();
    }
    out.end_array()
        .key("behind")
        .begin_object()
        .field("route", backlog.route)
        .field("engine", backlog.engine);
    if (has_store) {
        out.field("store", backlog.store);
    }
    fmt::print("{}\n", out.end_object().end_object().view());
}

void print_backlog(const Backlog& backlog, bool has_store) {
    fmt::print("records still to be taken in: route {}, engine {}", with_thousands(backlog.route),
               with_thousands(backlog.engine));
    if (has_store) {
        fmt::print(", store {}", with_thousands(backlog.store));
    }
    fmt::print("\n");
}

/// From when on each journal is kept, unless it is whole, and what keeps it longer than asked.
void print_kept(log::Log& log) {
    for (const auto& kept : log.kept()) {
        const auto journal = log::to_string(kept.retention);
        if (kept.begin.value > 0) {
            fmt::print("{} journal: kept from {} on (offset {}); what came before was dropped\n",
                       journal, to_the_millisecond(kept.dropped_until), kept.begin.value);
        }
        for (const auto& held : kept.held) {
            fmt::print("{} journal: {} still needs {} that are past retention\n", journal, held.by,
                       format_duration(std::chrono::ceil<std::chrono::seconds>(held.by_more)));
        }
    }
}

void print_partitions(const std::vector<log::PartitionInfo>& partitions, Terminal& terminal) {
    Listing table(terminal,
                  {{"topic"},
                   {"part", true},
                   {"records", true},
                   {"first offset", true},
                   {"end offset", true},
                   {"first"},
                   {"last"}},
                  true);
    for (const auto& info : partitions) {
        if (info.records > 0) {
            table.row({{info.topic},
                       {std::to_string(info.id.index)},
                       {std::to_string(info.records)},
                       {std::to_string(info.first.value)},
                       {std::to_string(info.end.value)},
                       {to_the_millisecond(info.first_time)},
                       {to_the_millisecond(info.last_time)}});
        }
    }
}

int list(const LogOptions& options, const Environment& environment) {
    const auto opened = open_read_only(options.data);
    if (!opened) {
        return complain(opened.error());
    }
    if (const auto read = opened->log->read_through(); !read) {
        return complain(read.error());
    }
    const bool has_store = std::filesystem::exists(store_file(options.data));
    const auto backlog = backlog_of(*opened->log, options.data);
    if (!backlog) {
        return complain(backlog.error());
    }
    const auto partitions = opened->log->describe();
    if (!partitions) {
        return complain(partitions.error());
    }
    if (options.format == "json") {
        print_partitions_as_json(*opened->log, *partitions, *backlog, has_store);
        return opened->log->damage().empty() ? 0 : 1;
    }
    Terminal terminal(std::cout, screen_of(STDOUT_FILENO, environment));
    print_partitions(*partitions, terminal);
    print_kept(*opened->log);
    print_backlog(*backlog, has_store);
    const auto damages = describe_damage(*opened->log);
    for (const auto& damage : damages) {
        fmt::print("damaged: {}\n", damage);
    }
    return damages.empty() ? 0 : 1;
}

/// The partitions that the options name, from where they say.
Result<log::Offsets> starting_offsets(log::Log& log, const LogOptions& options) {
    std::vector<Partition> ids;
    std::set<std::string> known;
    for (const auto& spec : topic_specs()) {
        known.insert(spec.name);
        if (options.topics.empty() || std::find(options.topics.begin(), options.topics.end(),
                                                spec.name) != options.topics.end()) {
            for (const auto& id : log.partitions_of(spec.id)) {
                if (options.partition.empty() || options.partition == std::to_string(id.index)) {
                    ids.push_back(id);
                }
            }
        }
    }
    for (const auto& topic : options.topics) {
        if (!known.contains(topic)) {
            return fail(ErrorKind::not_found, fmt::format("no topic \"{}\"", topic),
                        "`helios log ls` shows the topics that hold records");
        }
    }
    if (ids.empty()) {
        return fail(ErrorKind::not_found, fmt::format("no partition \"{}\"", options.partition));
    }
    if (!options.since.empty()) {
        HELIOS_TRY_ASSIGN(const auto since, read_time(options.since, "--since"));
        return log.offsets_at(ids, since);
    }
    return log::log_start(log, ids);
}

/// Nothing may be taken for the whole that is not.
void tell_start(log::Log& log) {
    if (const auto until = dropped_until(log)) {
        fmt::print(stderr, "the log begins after {}: what came before is past retention\n",
                   format_rfc3339(*until));
    }
}

int read(const LogOptions& options, bool follow) {
    std::uint64_t limit = UINT64_MAX;
    if (const auto given = read_number(options.limit, "--limit", limit); !given) {
        return complain(given.error());
    }
    const auto opened = open_read_only(options.data);
    if (!opened) {
        return complain(opened.error());
    }
    auto& log = *opened->log;
    const auto until = log.low_watermark();
    auto from = starting_offsets(log, options);
    if (!from) {
        return complain(from.error());
    }
    if (follow && options.since.empty()) {
        std::vector<Partition> ids;
        for (const auto& [id, offset] : *from) {
            ids.push_back(id);
        }
        from = log.offsets_at(ids, until);  // from now on
        if (!from) {
            return complain(from.error());
        }
    }
    if (!follow) {
        tell_start(log);
    }
    auto reader = log::read_in_order(log, *from, model::rank_of);
    if (!reader) {
        return complain(reader.error());
    }
    const Interrupt interrupt;
    while (!interrupt.raised() && limit > 0) {
        const auto batch = (*reader)->poll(
            1024, 4u << 20, follow ? std::chrono::milliseconds(200) : Duration::zero());
        if (!batch) {
            return complain(batch.error());
        }
        for (const auto& record : batch->records) {
            fmt::print("{}\n", describe_record(log, record, !options.headers_only));
            if (--limit == 0) {
                break;
            }
        }
        std::fflush(stdout);
        if (std::ferror(stdout) != 0 ||
            (!follow && (batch->records.empty() || batch->complete_below >= until))) {
            break;
        }
    }
    return report_left_out(log) ? 1 : 0;
}

int export_all(const LogOptions& options) {
    const auto opened = open_read_only(options.data);
    if (!opened) {
        return complain(opened.error());
    }
    const auto complete =
        be_complete(*opened->log, options.data, Stage::route, options.wait, options.environment);
    if (!complete && complete.error().kind != ErrorKind::unavailable) {
        return complain(complete.error());
    }
    tell_start(*opened->log);
    const auto counts =
        export_log(*opened->log, [](std::string_view line) { fmt::print("{}\n", line); });
    if (!counts) {
        return complain(counts.error());
    }
    fmt::print(stderr, "{} events, {} control lines\n", counts->events, counts->controls);
    const bool damaged = report_left_out(*opened->log);
    if (!complete) {
        complain(
            {ErrorKind::unavailable,
             "every event is exported, but the end line and absences stand where route does: " +
                 complete.error().what,
             complete.error().hint});
    }
    return damaged || !complete ? 1 : 0;
}

}  // namespace

Command log_command(const Environment& environment) {
    auto options = std::make_shared<LogOptions>();
    options->environment = environment;
    const Option data{"--data",       "DIR", "the data directory, default ./helios-data",
                      &options->data, false, {}};
    const Option topic{"--topic",        "TOPIC", "only this topic; may be repeated",
                       &options->topics, false,   {}};
    const Option partition{"--partition",       "N",   "only this partition",
                           &options->partition, false, {}};
    const Option since{"--since",       "TIME", "from this log time on (RFC 3339, with a zone)",
                       &options->since, false,  {}};
    const Option limit{"--limit", "N", "stop after N records", &options->limit, false, {}};
    const Option lines{"--format",
                       "FORMAT",
                       "ndjson, whatever is said (json is the same)",
                       &options->lines_format,
                       false,
                       {"ndjson", "json"}};
    const Option headers{"--headers", "", "leave the values out", &options->headers_only,
                         false,       {}};

    Command ls{
        "ls",
        "List topics and partitions: records, offsets, times, damage, from when on the log is kept "
        "and what keeps it longer, and how far the stages are",
        "Reads the whole log, however large, so that no damage is missed.\n"
        "Exit 1 if a part of the log is damaged; the rest is served.",
        {"helios log ls --data ./helios-data"},
        {data, {"--format", "FORMAT", "table or json", &options->format, false, {"table", "json"}}},
        {},
        [options, environment] { return list(*options, environment); }};
    Command read_records{"read",
                         "Print records in log-time order, as NDJSON",
                         "Exit 1 if a part of the log was found damaged: its records are left out.",
                         {"helios log read --topic helios.verdicts --limit 10"},
                         {data, topic, partition, since, limit, headers, lines},
                         {},
                         [options] { return read(*options, false); }};
    Command tail{"tail",
                 "Print records as they become durable; Ctrl-C stops",
                 "Starts at the end of the log, or at --since. Works beside a running server, up "
                 "to the durable mark.",
                 {"helios log tail --topic helios.verdicts"},
                 {data, topic, partition, since, limit, headers, lines},
                 {},
                 [options] { return read(*options, true); }};
    Command export_command{
        "export",
        "Write the log as NDJSON that `helios reconcile` reads",
        "Event lines with `receivedAt` and `position` in route order, control lines where the log "
        "begins if that is not its beginning any more (`start`), where flows "
        "were activated and where Helios\n"
        "itself was away, and a last line with the time the engine has reached.\n"
        "Exit 1 if a part of the log is damaged (its records are left out), or if route is behind: "
        "every event is exported then, "
        "but\n"
        "the end line stands before the last of them. Exit 2: usage or failure, or --wait and no "
        "server.",
        {"helios log export > day.ndjson",
         "helios log export | helios reconcile --revisions --format ndjson"},
        {data,
         lines,
         {"--wait", "", "wait until the running server has caught up", &options->wait, false, {}}},
        {},
        [options] { return export_all(*options); }};

    Command command;
    command.name = "log";
    command.summary = "Look into the durable log of a data directory";
    command.description = "Read-only; works beside a running server, up to the durable mark.";
    command.subcommands = {std::move(ls), std::move(read_records), std::move(tail),
                           std::move(export_command)};
    return command;
}

}  // namespace helios::app
