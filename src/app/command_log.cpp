#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <set>

#include "app/cli.h"
#include "app/data_directory.h"
#include "app/interrupt.h"
#include "app/log_export.h"
#include "app/numbers.h"

namespace helios::app {
namespace {

struct LogOptions {
    std::string data = "./helios-data";
    std::vector<std::string> topics;
    std::string partition;
    std::string since;
    std::string limit;
    bool headers_only = false;
};

/// As columns show it; records themselves have every digit.
std::string to_the_millisecond(Instant at) {
    return format_rfc3339(std::chrono::floor<std::chrono::milliseconds>(at));
}

int list(const LogOptions& options) {
    const auto opened = open_read_only(options.data);
    if (!opened) {
        return complain(opened.error());
    }
    if (const auto read = opened->log->read_through(); !read) {
        return complain(read.error());
    }
    fmt::print("{:<26} {:>4} {:>12} {:>14} {:>14}  {:<24} {}\n", "topic", "part", "records", "first offset", "end offset",
               "first", "last");
    for (const auto& info : opened->log->describe()) {
        if (info.records == 0) {
            continue;
        }
        fmt::print("{:<26} {:>4} {:>12} {:>14} {:>14}  {:<24} {}\n", info.id.topic, info.id.partition, info.records,
                   info.first.value, info.end.value, to_the_millisecond(info.first_time), to_the_millisecond(info.last_time));
    }
    const auto damages = describe_damage(*opened->log);
    for (const auto& damage : damages) {
        fmt::print("damaged: {}\n", damage);
    }
    return damages.empty() ? 0 : 1;
}

/// The partitions that the options name, from where they say.
Result<log::Offsets> starting_offsets(log::Log& log, const LogOptions& options) {
    std::vector<log::TopicPartition> ids;
    std::set<std::string> known;
    for (const auto& spec : topic_specs()) {
        known.insert(spec.name);
        if (options.topics.empty() ||
            std::find(options.topics.begin(), options.topics.end(), spec.name) != options.topics.end()) {
            for (auto& id : log.partitions_of(spec.name)) {
                if (options.partition.empty() || options.partition == std::to_string(id.partition)) {
                    ids.push_back(std::move(id));
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
    log::Offsets from;
    for (auto& id : ids) {
        from.emplace(std::move(id), log::Offset{0});
    }
    return from;
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
        std::vector<log::TopicPartition> ids;
        for (const auto& [id, offset] : *from) {
            ids.push_back(id);
        }
        from = log.offsets_at(ids, until);  // from now on
        if (!from) {
            return complain(from.error());
        }
    }
    auto reader = log.read(*from);
    if (!reader) {
        return complain(reader.error());
    }
    const Interrupt interrupt;
    while (!interrupt.raised() && limit > 0) {
        const auto batch = (*reader)->poll(1024, 4u << 20, follow ? std::chrono::milliseconds(200) : Duration::zero());
        if (!batch) {
            return complain(batch.error());
        }
        for (const auto& record : batch->records) {
            fmt::print("{}\n", describe_record(record, !options.headers_only));
            if (--limit == 0) {
                break;
            }
        }
        std::fflush(stdout);
        if (std::ferror(stdout) != 0 || (!follow && (batch->records.empty() || batch->complete_below >= until))) {
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
    const auto counts = export_log(*opened->log, [](std::string_view line) { fmt::print("{}\n", line); });
    if (!counts) {
        return complain(counts.error());
    }
    fmt::print(stderr, "{} events, {} control lines\n", counts->events, counts->controls);
    return report_left_out(*opened->log) ? 1 : 0;
}

}  // namespace

Command log_command() {
    auto options = std::make_shared<LogOptions>();
    const Option data{"--data", "DIR", "the data directory, default ./helios-data", &options->data, false, {}};
    const Option topic{"--topic", "TOPIC", "only this topic; may be repeated", &options->topics, false, {}};
    const Option partition{"--partition", "N", "only this partition", &options->partition, false, {}};
    const Option since{"--since", "TIME", "from this log time on (RFC 3339, with a zone)", &options->since, false, {}};
    const Option limit{"--limit", "N", "stop after N records", &options->limit, false, {}};
    const Option headers{"--headers", "", "leave the values out", &options->headers_only, false, {}};

    Command ls{"ls",
               "List topics and partitions: records, offsets, times, damage",
               "Reads the whole log, however large, so that no damage is missed.\n"
               "Exit 1 if a part of the log is damaged; the rest is served.",
               {"helios log ls --data ./helios-data"},
               {data},
               {},
               [options] { return list(*options); }};
    Command read_records{"read",
                         "Print records in log-time order, as NDJSON",
                         "Exit 1 if a part of the log was found damaged: its records are left out.",
                         {"helios log read --topic helios.verdicts --limit 10"},
                         {data, topic, partition, since, limit, headers},
                         {},
                         [options] { return read(*options, false); }};
    Command tail{"tail",
                 "Print records as they become durable; Ctrl-C stops",
                 "Starts at the end of the log, or at --since. Works beside a running server, up to the durable mark.",
                 {"helios log tail --topic helios.verdicts"},
                 {data, topic, partition, since, limit, headers},
                 {},
                 [options] { return read(*options, true); }};
    Command export_command{
        "export",
        "Write the log as NDJSON that `helios reconcile` reads",
        "Event lines with `receivedAt` and `position` in route order, control lines where flows were activated and where Helios\n"
        "itself was away, and a last line with the time the engine has reached.\n"
        "Exit 1 if a part of the log is damaged: its records are left out.",
        {"helios log export > day.ndjson", "helios log export | helios reconcile --revisions --format ndjson"},
        {data},
        {},
        [options] { return export_all(*options); }};

    Command command;
    command.name = "log";
    command.summary = "Look into the durable log of a data directory";
    command.description = "Read-only; works beside a running server, up to the durable mark.";
    command.subcommands = {std::move(ls), std::move(read_records), std::move(tail), std::move(export_command)};
    return command;
}

}  // namespace helios::app
