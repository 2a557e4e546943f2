#include "app/config.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <set>

#include "app/config_declared.h"
#include "app/config_named.h"
#include "app/keep_times.h"
#include "app/setting.h"
#include "base/ascii.h"
#include "base/json.h"
#include "base/terminal.h"
#include "base/yaml.h"
#include "http/client.h"

namespace helios::app {
namespace {

/// Names in the environment of parts that are not built yet: set and not empty, they end the start.
struct NotBuiltYet {
    std::string_view variable;
    std::string_view what;
};

constexpr std::array not_built_yet{
    NotBuiltYet{"KAFKA_BOOTSTRAP_SERVERS", "the Kafka log"},
    NotBuiltYet{"DATABASE_URL", "the PostgreSQL store"},
    NotBuiltYet{"REDIS_URL", "shared deduplication in Redis"},
};

/// Names with our prefix that commands read and that are no option.
constexpr std::array<std::string_view, 4> known_elsewhere{"HELIOS_SERVER", "HELIOS_SKIP_PACKAGES",
                                                          "HELIOS_TOKEN", "HELIOS_CA_FILE"};

/// Not in the table: its names are the reader's.
constexpr std::string_view senders_section = "senders";

constexpr std::string_view no_service_links =
    "`enableServiceLinks: false` in the pod leaves them out";

/// What Kubernetes puts into <SERVICE>_PORT.
bool is_injected(std::string_view value) {
    return value.starts_with("tcp://") || value.starts_with("udp://") ||
           value.starts_with("sctp://");
}

// NOLINTNEXTLINE(readability-function-size): a table
std::vector<Setting> make_settings() {
    return {
        setting("app.data_dir", HELIOS_MEMBER(data_dir),
                "Directory of the log, the indexes and the store. One server at a time."),
        setting("app.flows", HELIOS_MEMBER(flow_files),
                "Flow files. Empty: the shipped order flow."),
        setting("app.catalogue", HELIOS_MEMBER(catalogue_file),
                "Catalogue of event types. Empty: the shipped one."),
        setting(
            "app.insecure", HELIOS_MEMBER(insecure),
            "Allow an address off loopback, or a proxy, although sources are not authenticated."),
        setting("app.ephemeral", HELIOS_MEMBER(ephemeral),
                "Keep everything in memory: nothing survives the process."),
        setting("app.drain_limit", HELIOS_MEMBER(drain_limit),
                "How long a stopping server waits for requests in flight."),
        setting(
            "app.check_interval", HELIOS_MEMBER(check_interval),
            "How often the server looks whether its directory and files are those that it opened."),

        size("app.memory_max", HELIOS_MEMBER(memory_max),
             "What may be in memory at once: a start is refused if the bounds of its parts sum to "
             "more. 0: whatever they sum to."),

        setting("app.insecure_test_hosts", HELIOS_MEMBER(gateway.senders.test_hosts),
                "HOST:PORT that stand for vendors' hosts, over http and at any address, too. For "
                "tests: whoever answers there can forge senders."),

        setting("auth.keys_file", HELIOS_MEMBER(callers.keys_file),
                "Where `helios key` keeps API keys. Empty: keys.json in the data directory."),
        setting("auth.jwt.secret_file", HELIOS_MEMBER(callers.jwt_secret_file),
                "File of the secret of operators' tokens (HS256, at least 32 bytes). Empty: no "
                "token is taken."),

        setting("telemetry.log_level", HELIOS_MEMBER(log_level),
                "trace, debug, info, warn, error or off.", "LOG_LEVEL"),

        setting("http.host", HELIOS_MEMBER(http.host), "Address to listen on.", "API_HOST"),
        setting("http.port", HELIOS_MEMBER(http.port), "Port to listen on; 0 picks a free one.",
                "API_PORT"),
        setting("http.also_listen", HELIOS_MEMBER(http.also_listen),
                "Further addresses to listen on, HOST:PORT."),
        setting("http.io_threads", HELIOS_MEMBER(http.io_threads),
                "Threads that read and write sockets."),
        setting("http.worker_threads", HELIOS_MEMBER(http.worker_threads), "Threads for queries."),
        setting("http.worker_queue_max", HELIOS_MEMBER(http.worker_queue_max),
                "Queries waiting for a worker; beyond it: 503."),
        size("http.header_bytes_max", HELIOS_MEMBER(http.header_bytes_max),
             "Request line and headers; beyond it: 431."),
        size("http.body_bytes_max", HELIOS_MEMBER(http.body_bytes_max),
             "Largest body read; beyond it: 413."),
        size("http.inflight_bytes_max", HELIOS_MEMBER(http.inflight_bytes_max),
             "Bodies of all requests in flight; beyond it: 503."),
        size("http.unsent_bytes_max", HELIOS_MEMBER(http.unsent_bytes_max),
             "Answers to GET that clients have not taken yet, of all together; beyond it: 503."),
        setting("http.connections_max", HELIOS_MEMBER(http.connections_max),
                "Open connections; beyond it new ones are closed."),
        setting("http.pipeline_max", HELIOS_MEMBER(http.pipeline_max),
                "Requests of one connection handled at once."),
        setting("http.header_timeout", HELIOS_MEMBER(http.header_timeout),
                "Time for a request's headers."),
        setting("http.body_timeout", HELIOS_MEMBER(http.body_timeout),
                "Time for a request's body."),
        setting("http.idle_timeout", HELIOS_MEMBER(http.idle_timeout),
                "Time a connection may be idle between requests."),
        setting("http.write_timeout", HELIOS_MEMBER(http.write_timeout),
                "Time for a client to take a response."),
        setting("http.websockets_max", HELIOS_MEMBER(http.websockets_max),
                "WebSockets open at once; beyond it: 503."),
        size("http.websocket_waiting_bytes_max", HELIOS_MEMBER(http.websocket_waiting_bytes_max),
             "Bytes that may wait for a slow WebSocket client; beyond it the log is not read for "
             "it."),
        size("http.websocket_message_bytes_max", HELIOS_MEMBER(http.websocket_message_bytes_max),
             "Largest message a WebSocket client may send; beyond it: close code 1009."),
        setting("http.websocket_ping_interval", HELIOS_MEMBER(http.websocket_ping_interval),
                "Time between pings of a WebSocket."),
        setting("http.websocket_pong_timeout", HELIOS_MEMBER(http.websocket_pong_timeout),
                "Time for a WebSocket client to answer a ping."),
        setting("http.public_url", HELIOS_MEMBER(public_url),
                "Where senders reach this server, https://helios.example: for what `helios source "
                "add` prints. Empty: not said."),
        setting("http.ca_file", HELIOS_MEMBER(ca_file),
                "PEM of further roots to trust when others are asked over https (keys, "
                "certificates). Empty: the machine's alone."),
        setting("http.allowed_hosts", HELIOS_MEMBER(http.allowed_hosts),
                "Host headers allowed beside loopback and the listening address (guard against DNS "
                "rebinding)."),
        setting("http.tls.cert_file", HELIOS_MEMBER(http.tls.cert_file),
                "PEM file of the server's certificate, then of those between it and the root: "
                "every address speaks https then. Read again within 10s of a change; what can't "
                "be used leaves the old."),
        setting("http.tls.key_file", HELIOS_MEMBER(http.tls.key_file),
                "PEM file of the certificate's private key, without a passphrase; likewise."),
        setting("http.tls.client_ca_file", HELIOS_MEMBER(http.tls.client_ca_file),
                "PEM file of who issues clients' certificates: each client needs one of theirs "
                "then; likewise."),
        setting("http.trusted_proxies", HELIOS_MEMBER(http.trusted_proxies),
                "Networks and addresses of proxies, 10.0.0.0/8: what they say in X-Forwarded-For "
                "or Forwarded about their client is believed."),
        setting("http.proxy_protocol", HELIOS_MEMBER(http.proxy_protocol),
                "Connections from trusted proxies begin with a PROXY header, version 1 or 2."),

        setting("log.partitions", HELIOS_MEMBER(log.partitions),
                "Partitions of every topic. Fixed for the life of a data directory."),
        size("log.segment_bytes", HELIOS_MEMBER(log.segment_bytes), "Size of a journal segment."),
        size("log.pending_bytes_max", HELIOS_MEMBER(log.pending_bytes_max),
             "Bytes waiting to become durable; beyond it senders are told to retry."),
        setting("log.pending_records_max", HELIOS_MEMBER(log.pending_records_max),
                "Records waiting to become durable; beyond it senders are told to retry."),
        size("log.group_bytes_max", HELIOS_MEMBER(log.group_bytes_max),
             "Bytes written with one fsync."),
        size("log.cache_bytes", HELIOS_MEMBER(log.cache_bytes),
             "Recent records kept in memory for the stages."),
        size("log.reserve_bytes", HELIOS_MEMBER(log.reserve_bytes),
             "Disk space set aside so that the stages can finish when the disk is full."),
        setting("log.scrub_delay", HELIOS_MEMBER(log.scrub_delay),
                "Time from start until the log begins to be read through for damage."),
        setting("log.scrub_interval", HELIOS_MEMBER(log.scrub_interval),
                "How often the log is read through; 0: never."),
        size("log.scrub_bytes_per_second", HELIOS_MEMBER(log.scrub_bytes_per_second),
             "How much of it in a second, at most."),

        size("gateway.record_bytes_max", HELIOS_MEMBER(gateway.record_bytes_max),
             "Largest event; beyond it: quarantine (clouds) or 413 (direct)."),
        size("gateway.direct_bytes_max", HELIOS_MEMBER(gateway.direct_bytes_max),
             "Largest body of POST /api/v1/events/ingest."),
        size("gateway.body_bytes_max", HELIOS_MEMBER(gateway.body_bytes_max),
             "Largest body of the other endpoints."),
        size("gateway.dlq_bytes_max", HELIOS_MEMBER(gateway.dlq_bytes_max),
             "Bytes of records on the log that may wait in quarantine. At 80 % the log and "
             "`helios health` say so; when it is full, what can't be accepted is refused, "
             "retryably, and good events go on."),
        setting("gateway.recent_ids_max", HELIOS_MEMBER(gateway.recent_ids_max),
                "Recent event ids kept in memory for deduplication."),
        setting("gateway.unindexed_ids_max", HELIOS_MEMBER(gateway.unindexed_ids_max),
                "Ids the index has not caught up with; beyond it senders are told to retry."),
        size("gateway.index_cache_bytes", HELIOS_MEMBER(gateway.index_cache_bytes),
             "Memory for the deduplication index."),
        setting("gateway.index_flush_interval", HELIOS_MEMBER(gateway.index_flush_interval),
                "How often what is in memory of the deduplication index is written out; a start "
                "after a crash reads the log from there."),
        setting("gateway.counts_interval", HELIOS_MEMBER(gateway.counts_interval),
                "How often counts go to the log; a crash loses no more than this much of them."),

        setting("reconcile.grace", HELIOS_MEMBER(route.grace),
                "Given to open deadlines on top of our own absence."),
        setting("reconcile.absence_min", HELIOS_MEMBER(route.absence_min),
                "Shorter stops and standstills are none; refusals are one stretch until none has "
                "come for as long."),
        setting(
            "reconcile.absence_max", HELIOS_MEMBER(route.absence_max),
            "Refusals (disk full, overload) together move a case's deadlines by at most as much."),
        setting("reconcile.heartbeat", HELIOS_MEMBER(engine.heartbeat),
                "A tick at least this often while a case is open."),
        setting("reconcile.checkpoint_interval", HELIOS_MEMBER(engine.checkpoint_interval),
                "How often what has changed of the engine's state is written; a start after a "
                "crash replays the log from there."),
        setting("reconcile.checkpoint_records", HELIOS_MEMBER(engine.checkpoint_records),
                "Case records after which it is written sooner."),
        size("reconcile.cache_bytes", HELIOS_MEMBER(engine.cache_bytes),
             "Memory for closed cases, which are on disk."),
        setting("reconcile.open_cases_max", HELIOS_MEMBER(engine.open_cases_max),
                "Open cases, about 1 KiB of memory each; beyond it events that would open another "
                "are refused, retryably."),
        setting("reconcile.flow_versions_max", HELIOS_MEMBER(route.flow_versions_max),
                "Active flow versions over all flows."),

        setting("store.batch_records_max", HELIOS_MEMBER(store.batch_records_max),
                "Log records per transaction."),
        setting("store.readers_max", HELIOS_MEMBER(store.readers_max), "Connections for queries."),
        setting("store.query_limit", HELIOS_MEMBER(store.query_limit),
                "A query that runs longer is stopped."),
        setting("store.page_rows_max", HELIOS_MEMBER(store.page_rows_max), "Rows of one page."),
        size("store.write_cache_bytes", HELIOS_MEMBER(store.write_cache_bytes),
             "Page cache of the writer."),

        keep("retention.log", HELIOS_MEMBER(log.keep),
             "How long events, case records and verdicts stay on the log; older segments are "
             "dropped, unless a stage, the store or an index still needs them (`helios log ls`)."),
        size("retention.log_bytes", HELIOS_MEMBER(log.keep_bytes_max),
             "Beyond it the oldest segments of them are dropped, too; 0: no bound."),
        keep("retention.health", HELIOS_MEMBER(log.keep_health),
             "How long what the server saw of itself stays on the log."),
        keep("retention.dedup", HELIOS_MEMBER(gateway.dedup_horizon),
             "How long after an event another with its id counts as its copy; at most "
             "retention.log."),
        setting("retention.dedup_sources", HELIOS_MEMBER(gateway.dedup_horizons),
                "Sources for which that is another time: aws=48h, gcp=1h."),
        setting("retention.quarantine", HELIOS_MEMBER(quarantine_keep),
                "How long after it came last a quarantined item is listed and its body can be "
                "read; at most retention.log, and `log` is as long. Its bytes leave with the log's "
                "segments.",
                {}, Unit::as_log),
        setting("retention.slice", HELIOS_MEMBER(store.slice),
                "Log time per file of the store's event rows, which leave with it: whole minutes, "
                "1m … 31d. Files that are there keep theirs."),
        keep("retention.events", HELIOS_MEMBER(store.keep_events),
             "How long after the end of its slice an event is listed, a case's events are known "
             "and minutes are counted; independent of retention.log, which has the payloads."),
        size("retention.events_bytes", HELIOS_MEMBER(store.keep_events_bytes_max),
             "Beyond it the oldest slices leave, too; 0: no bound."),
        setting("retention.cases", HELIOS_MEMBER(cases_keep),
                "How long after its last decision a case is listed, answered and in the figures; "
                "`events` is as long as retention.events.",
                {}, Unit::as_events),
    };
}
std::optional<Setting> find_setting(std::string_view key) {
    const auto& table = settings();
    const auto it =
        std::find_if(table.begin(), table.end(), [&](const Setting& s) { return s.key == key; });
    return it == table.end() ? named_setting(key) : std::optional(*it);
}

std::string_view section_of(std::string_view key) {
    return key.substr(0, key.find('.'));
}

Error unknown_option(std::string_view file, yaml::Mark mark, const std::string& key) {
    std::vector<std::string_view> keys;
    for (const auto& row : settings()) {
        keys.push_back(row.key);
    }
    const auto near = yaml::nearest(key, keys);
    return yaml::error_at(file, mark, fmt::format("unknown option \"{}\"", key),
                          near.empty() ? "`helios config reference` lists all options"
                                       : fmt::format("did you mean \"{}\"?", near));
}

Error unknown_section(std::string_view file, yaml::Mark mark, const std::string& name) {
    std::vector<std::string_view> sections;
    for (const auto& row : settings()) {
        if (sections.empty() || sections.back() != section_of(row.key)) {
            sections.push_back(section_of(row.key));
        }
    }
    for (const auto& row : settings()) {
        if (row.key.substr(section_of(row.key).size() + 1) == name) {
            return yaml::error_at(file, mark, fmt::format("\"{}\" stands in no section", name),
                                  fmt::format("did you mean \"{}\"?", row.key));
        }
    }
    const auto near = yaml::nearest(name, sections);
    return yaml::error_at(file, mark, fmt::format("unknown section \"{}\"", name),
                          near.empty() ? fmt::format("one of {}; or an option's whole name",
                                                     fmt::join(sections, ", "))
                                       : fmt::format("did you mean \"{}\"?", near));
}

bool is_section(std::string_view name) {
    const auto& table = settings();
    return std::any_of(table.begin(), table.end(),
                       [&](const Setting& s) { return section_of(s.key) == name; });
}

/// Whether options' names go on behind it: "sources.aws".
bool is_part(const std::string& name) {
    return is_part_of_named(name) || std::ranges::any_of(settings(), [&](const Setting& row) {
               return row.key.starts_with(name + ".");
           });
}

/// A secret with its sources, as a map: {secret: file:…, sources: [orders]}.
Result<std::string> secret_with_sources(const yaml::Node& map, std::string_view file,
                                        const std::string& key) {
    std::string secret;
    std::string sources;
    for (const auto& member : map.members) {
        const bool one = member.key == "secret" && member.value.is_scalar();
        if (!one && !(member.key == "sources" && member.value.is_sequence())) {
            return fail(yaml::error_at(
                file, member.key_mark,
                fmt::format("\"{}\": expected secret: (one reference) and sources: (a list)",
                            key)));
        }
        if (one) {
            secret = member.value.text;
        }
        for (const auto& source : member.value.items) {
            sources += (sources.empty() ? "=" : "+") + source.text;
        }
    }
    return secret + sources;
}

/// A value as `helios config check` prints it, so that it can be read back.
std::string listed(const std::string& value) {
    constexpr std::string_view harmless =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./";
    constexpr std::string_view harmless_within =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./, +-@=";
    const bool plain = !value.empty() && harmless.find(value.front()) != std::string_view::npos &&
                       !value.ends_with(' ') &&
                       value.find_first_not_of(harmless_within) == std::string::npos;
    if (plain || value.empty()) {
        return value;
    }
    std::string quoted;  // YAML reads JSON's strings
    json::append_string(quoted, value);
    return quoted;
}

Result<std::string> scalar_text(const yaml::Node& node, std::string_view file,
                                const std::string& key) {
    if (node.is_sequence()) {
        std::string joined;
        for (const auto& item : node.items) {
            if (item.is_map() && key.ends_with(".secrets")) {
                HELIOS_TRY_ASSIGN(const auto one, secret_with_sources(item, file, key));
                joined += (joined.empty() ? "" : ",") + one;
                continue;
            }
            if (!item.is_scalar()) {
                return fail(yaml::error_at(file, item.mark,
                                           fmt::format("\"{}\": expected a list of text", key)));
            }
            joined += (joined.empty() ? "" : ",") + item.text;
        }
        return joined;
    }
    if (node.is_map() && key.ends_with(".map")) {
        std::string joined;
        for (const auto& member : node.members) {
            joined += (joined.empty() ? "" : ",") + member.key + "=" + member.value.text;
        }
        return joined;
    }
    if (node.is_map()) {
        return fail(yaml::error_at(file, node.mark,
                                   fmt::format("\"{}\": expected a value, found a map", key)));
    }
    return node.text;
}

}  // namespace

Error with_place(Error error, std::string_view place) {
    error.what = fmt::format("{}: {}", place, error.what);
    return error;
}

const std::vector<Setting>& settings() {
    static const std::vector<Setting> table = [] {
        auto rows = make_settings();
        const auto at = std::ranges::find(rows, "gateway.record_bytes_max", &Setting::key);
        auto senders = sender_settings();
        std::ranges::move(pull_settings(), std::back_inserter(senders));
        rows.insert(at, std::make_move_iterator(senders.begin()),
                    std::make_move_iterator(senders.end()));
        return rows;
    }();
    return table;
}

std::vector<Error> Config::validate() const {
    std::vector<Error> out;
    Config rest = *this;
    std::set<std::string, std::less<>> told;
    // A room complains of one option at a time: with the default in its place the next one shows.
    for (auto status = rest.check_ranges(); !status; status = rest.check_ranges()) {
        auto error = std::move(status).error();
        const auto key = error.what.substr(0, error.what.find(' '));
        const auto row = find_setting(key);
        if (!row || !told.insert(key).second) {
            if (!row) {
                out.push_back(std::move(error));
            }
            break;
        }
        const auto place = places.find(key);
        out.push_back(place == places.end() ? std::move(error)
                                            : with_place(std::move(error), place->second));
        if (!row->set(rest, row->get(Config{}))) {
            break;
        }
    }
    for (auto& error : retention_mistakes()) {
        const auto place = places.find(error.what.substr(0, error.what.find(' ')));
        out.push_back(place == places.end() ? std::move(error)
                                            : with_place(std::move(error), place->second));
    }
    return out;
}

Status Config::check_ranges() const {
    if (data_dir.empty()) {
        return fail(ErrorKind::invalid, "app.data_dir is empty",
                    "name a directory, for example ./helios-data");
    }
    if (check_interval <= Duration::zero()) {
        return fail(ErrorKind::invalid, "app.check_interval is not longer than nothing",
                    "choose a duration such as 10s");
    }
    if (const auto url = http::Url::parse(public_url); !public_url.empty() && !url) {
        return fail(ErrorKind::invalid, "http.public_url is no URL: " + url.error().what,
                    "write https://helios.example");
    }
    HELIOS_TRY(http.validate());
    auto log_options = log;
    log_options.directory = data_dir;  // not an option of its own
    HELIOS_TRY(log_options.validate());
    HELIOS_TRY(gateway.validate());
    HELIOS_TRY(pull.validate(gateway.senders.test_hosts));
    HELIOS_TRY(check_named(*this));
    for (auto status : {route.validate(), engine.validate()}) {
        if (!status) {
            status.error().what = "reconcile." + status.error().what;
            return status;
        }
    }
    return store.validate();
}

/// What is wrong with retention's options beside one another: no default would set it right.
std::vector<Error> Config::retention_mistakes() const {
    std::vector<Error> out;
    const auto check = [&](std::string_view key, const std::string& value, Duration time) {
        if (log.keep > Duration::zero() && (time == Duration::zero() || time > log.keep)) {
            out.push_back({ErrorKind::invalid,
                           fmt::format("{} is {}, longer than retention.log ({})", key, value,
                                       format_duration(log.keep)),
                           "what is not on the log any more can't be kept: lower it, or raise "
                           "retention.log"});
        }
    };
    if (log.keep_bytes_max > 0 && log.keep_bytes_max < 2 * log.segment_bytes) {
        out.push_back(
            {ErrorKind::invalid,
             fmt::format("retention.log_bytes is {}, less than two segments of {}",
                         format_bytes(log.keep_bytes_max), format_bytes(log.segment_bytes)),
             "whole segments are dropped, and never the one that is being written: raise it, or "
             "lower log.segment_bytes"});
    }
    check("retention.dedup", format_keep(gateway.dedup_horizon), gateway.dedup_horizon);
    for (const auto& [source, horizon] : gateway.dedup_horizons) {
        check("retention.dedup_sources", source + "=" + format_keep(horizon), horizon);
    }
    if (quarantine_keep) {
        check("retention.quarantine", format_keep(*quarantine_keep), *quarantine_keep);
    }
    add_slice_mistakes(out);
    add_memory_mistakes(out);
    return out;
}

namespace {

/// Takes options from one file.
class FileReader {
public:
    FileReader(Config& config, std::string_view file, std::vector<Error>& errors)
        : config_(config), file_(file), errors_(errors) {}

    void read(const yaml::Node& root) {
        if (root.is_null()) {
            return;
        }
        if (!root.is_map()) {
            errors_.push_back(yaml::error_at(file_, root.mark, "expected sections (http:, log:, …)",
                                             "`helios config reference` shows every option"));
            return;
        }
        for (const auto& member : root.members) {
            if (member.key.find('.') != std::string::npos) {
                option(member.key, member.key_mark, member.value);
            } else if (member.key == senders_section && !member.value.is_scalar()) {
                read_declared_senders(member.value, file_, config_.gateway.senders.declared,
                                      errors_);
            } else if (member.value.is_map()) {
                section(member.key, member.value);
            } else if (!is_section(member.key)) {
                errors_.push_back(unknown_section(file_, member.key_mark, member.key));
            } else if (!member.value
                            .is_null()) {  // null: every option of the section is commented out
                errors_.push_back(yaml::error_at(
                    file_, member.value.mark,
                    fmt::format("\"{}\" is a section: expected its options", member.key),
                    "one per line, indented: `name: value`"));
            }
        }
    }

private:
    void section(const std::string& name, const yaml::Node& map) {
        for (const auto& each : map.members) {
            const auto key = name + "." + each.key;
            if (each.value.is_map() && is_part(key) && !find_setting(key)) {
                section(key, each.value);
            } else if (!each.value.is_null() || !is_part(key)) {
                option(key, each.key_mark, each.value);
            }
        }
    }

    /// `key`: its whole name, at `mark`.
    void option(const std::string& key, yaml::Mark mark, const yaml::Node& node) {
        const auto row = find_setting(key);
        if (!row) {
            errors_.push_back(unknown_option(file_, mark, key));
            return;
        }
        const auto [first, is_first] = lines_.emplace(key, mark.line);
        if (!is_first) {
            errors_.push_back(yaml::error_at(
                file_, mark, fmt::format("{} is set twice; first in line {}", key, first->second),
                "keep one of them"));
            return;
        }
        const auto value = scalar_text(node, file_, key);
        if (!value) {
            errors_.push_back(value.error());
            return;
        }
        const bool nobody =
            node.is_sequence() && node.items.empty() && row->type.ends_with(empty_list);
        if (auto set = row->set(config_, nobody ? std::string(empty_list) : *value); !set) {
            errors_.push_back(yaml::error_at(
                file_, node.mark, fmt::format("{}: {}", key, set.error().what), set.error().hint));
            return;
        }
        config_.places[key] = fmt::format("{}:{}:{}", file_, node.mark.line, node.mark.column);
    }

    Config& config_;
    std::string_view file_;
    std::vector<Error>& errors_;
    std::map<std::string, int, std::less<>> lines_;
};

}  // namespace

std::vector<Error> apply_file(Config& config, std::string_view text, std::string_view file) {
    auto document = yaml::read(text, file);
    auto errors = std::move(document.errors);
    if (document.root) {
        FileReader(config, file, errors).read(*document.root);
    }
    return errors;
}

std::vector<Error> apply_environment(Config& config, const Environment& environment) {
    std::vector<Error> errors;
    auto rows = settings();
    for (const auto& [name, value] : environment) {
        if (const auto key = value.empty() ? std::nullopt : named_key_of(name, config)) {
            rows.push_back(*named_setting(*key));
            rows.back().environment = {name};
        }
    }
    for (const auto& row : rows) {
        // The short name first, so that the full name wins where both are set.
        for (auto name = row.environment.rbegin(); name != row.environment.rend(); ++name) {
            const auto it = environment.find(*name);
            if (it == environment.end() || it->second.empty()) {
                continue;
            }
            if (auto set = row.set(config, it->second); !set) {
                auto error = with_place(set.error(), *name);
                if (is_injected(it->second)) {
                    error.hint = fmt::format("Kubernetes sets it for a Service of that name; {}",
                                             no_service_links);
                }
                errors.push_back(std::move(error));
                continue;
            }
            config.places[row.key] = *name;
        }
    }
    return errors;
}

namespace {

/// Always a name: the prefix says that an option was meant, or that this one will be read as one.
std::string nearest_variable(std::string_view name, const std::vector<std::string_view>& names) {
    constexpr std::size_t typo = 3;
    if (const auto near = yaml::nearest(name, names, typo); !near.empty()) {
        return fmt::format("did you mean {}?", near);
    }
    std::vector<std::string_view> options;
    for (const auto& row : settings()) {
        options.push_back(row.environment.front());
    }
    return fmt::format("the nearest option is {}; `helios config reference` lists all",
                       yaml::nearest(name, options, std::numeric_limits<std::uint16_t>::max()));
}

}  // namespace

std::vector<Error> unknown_variables(const Environment& environment) {
    std::vector<std::string_view> names(known_elsewhere.begin(), known_elsewhere.end());
    for (const auto& row : settings()) {
        names.insert(names.end(), row.environment.begin(), row.environment.end());
    }
    std::vector<Error> out;
    for (const auto& [name, value] : environment) {
        // Test harnesses have their own prefixes; only names that look like options are judged.
        const bool ours = name.starts_with("HELIOS_") && !name.starts_with("HELIOS_TEST_") &&
                          !name.starts_with("HELIOS_SIM_");
        if (!ours || value.empty() || named_key_of(name, {}) ||
            std::find(names.begin(), names.end(), name) != names.end()) {
            continue;
        }
        auto hint = nearest_variable(name, names);
        if (is_injected(value) || name.starts_with("HELIOS_PORT") ||
            name.starts_with("HELIOS_SERVICE_")) {
            hint +=
                fmt::format(" (Kubernetes sets such names for a Service: {})", no_service_links);
        }
        out.push_back(
            {ErrorKind::invalid,
             fmt::format("warning: the environment sets {}, which is no option: ignored", name),
             std::move(hint)});
    }
    return out;
}

std::vector<Error> check_not_built_yet(const Environment& environment) {
    std::vector<Error> errors;
    for (const auto& [variable, what] : not_built_yet) {
        const auto it = environment.find(std::string(variable));
        if (it != environment.end() && !it->second.empty()) {
            errors.push_back(
                {ErrorKind::invalid,
                 fmt::format("{} is set, but {} is not built yet in this version", variable, what),
                 fmt::format(
                     "unset it (`unset {}`, or set it empty) to run on the embedded default",
                     variable)});
        }
    }
    return errors;
}

Status apply_listen(Config& config, std::string_view listen) {
    HELIOS_TRY_ASSIGN(auto address, http::parse_address(listen));
    config.http.host = std::move(address.host);
    config.http.port = address.port;
    return {};
}

std::string config_reference() {
    std::string out = "# Configuration\n\n";
    const auto paragraph = [&](std::string_view text) {
        out += fmt::format("{}\n", fmt::join(wrapped(text, 100), "\n"));
    };
    paragraph(
        "Generated by `helios config reference`. Order: flag, environment, file (`--config FILE`), "
        "default. An empty variable counts as unset; a HELIOS_ variable that is none of these is a "
        "warning, and a mistake for `helios config check --strict`. In a file, options stand in "
        "sections (`http:`, then `port: 8001` below it) or under their whole name (`http.port: "
        "8001`), as `helios config check` prints them. Durations: 250ms, 60s, 5m, 2h, 31d. Sizes: "
        "64KiB, 16MiB, 1GiB. Lists in the environment are comma-separated.");
    out += "\n| option | environment | type | default | meaning |\n|---|---|---|---|---|\n";
    const Config defaults;
    for (const auto& row : settings()) {
        const auto value = row.get(defaults);
        out += fmt::format("| `{}` | {} | {} | {} | {} |\n", row.key,
                           fmt::format("`{}`", fmt::join(row.environment, "` `")), row.type,
                           value.empty() ? "" : "`" + value + "`", row.description);
    }
    out += "\n";
    paragraph("For a NAME that is none of these sources, in small letters, digits, - and _:");
    out += "\n| option | environment | type | default | meaning |\n|---|---|---|---|---|\n";
    Config fresh;  // reading makes what is not there
    for (const auto& row : named_reference()) {
        const auto value = row.get(fresh);
        out += fmt::format("| `{}` | `{}` | {} | {} | {} |\n", row.key, row.environment.front(),
                           row.type, value.empty() ? "" : "`" + value + "`", row.description);
    }
    std::vector<std::string> names;
    for (const auto& part : not_built_yet) {
        names.push_back(fmt::format("`{}` ({})", part.variable, part.what));
    }
    out += "\n";
    paragraph(fmt::format("Not built yet, refused at start when set and not empty: {}.",
                          fmt::join(names, ", ")));
    return out;
}

std::string config_listing(const Config& config) {
    std::string out;
    for (const auto& row : settings()) {
        out += fmt::format("{}: {}\n", row.key, listed(row.get(config)));
    }
    for (const auto& row : named_settings_of(config)) {
        out += fmt::format("{}: {}\n", row.key, listed(row.get(config)));
    }
    return out + list_declared_senders(config.gateway.senders.declared);
}

}  // namespace helios::app
