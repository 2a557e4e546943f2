#include "store/dump.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/json.h"
#include "base/temporary_directory.h"
#include "model/verdict.h"
#include "store/database.h"
#include "store/file_reading.h"
#include "store/file_set.h"
#include "store/migrations.h"
#include "store/projector.h"
#include "store/read_statements.h"
#include "store/slice.h"
#include "store/write_statements.h"

namespace helios::store {
namespace {

struct DumpedTable {
    std::string_view name;
    Sql sql;
};

// Topics by name, so that a dump does not depend on their numbers. In the order of time, so that it
// does not depend on the slices' length.
constexpr std::array<DumpedTable, 3> tables_of_slices{{
    {"events",
     R"sql(SELECT log_time, topic AS topic, partition, "offset", k.tenant, e.source, scope, event_id, content, identity, e.event_type, key, customer, event_time, k.copies AS copy
                     FROM events e JOIN kinds k ON k.id = e.kind ORDER BY log_time, topic, partition, "offset")sql"},
    {"case_records",
     R"sql(SELECT tenant, key, flow, partition, "offset", at FROM case_records ORDER BY at, partition, "offset", tenant, flow, key)sql"},
    {"stored",
     R"sql(SELECT tenant, minute, source, counter, value FROM counts ORDER BY minute, tenant, source, counter)sql"},
}};

constexpr std::array<DumpedTable, 8> tables_of_current{{
    {"control_records",
     R"sql(SELECT partition, "offset", at, kind, tenant, flow, version, body FROM control_records ORDER BY partition, "offset")sql"},
    {"verdicts",
     R"sql(SELECT tenant, key, flow, instance, revision, partition, "offset", log_time, body
                       FROM verdicts ORDER BY tenant, key, flow, instance, revision)sql"},
    {"cases",
     R"sql(SELECT tenant, key, flow, instance, revision, status, kinds, opened_at, deadline, reconciled_at, first_reconciled_at, at_risk
                    FROM cases ORDER BY tenant, key, flow, instance)sql"},
    {"quarantine",
     R"sql(SELECT tenant, dlq_id, record_type, reason, detail, source, endpoint, scope, event_id, event_type, key, first_at, last_at, times,
                         status, attempts, partition, "offset" FROM quarantine ORDER BY tenant, dlq_id)sql"},
    {"dlq_outcomes",
     R"sql(SELECT tenant, dlq_id, partition, "offset", what, attempt, source, scope, event_id, reason, detail, who, at, redrive, edited
                           FROM dlq_outcomes ORDER BY tenant, dlq_id, partition, "offset")sql"},
    {"redrives",
     R"sql(SELECT tenant, id, phase, filter, who, begun_at, until, total, accepted, duplicate, conflict, failed, skipped, ended_at, detail
                       FROM redrives ORDER BY tenant, id)sql"},
    {"flows",
     R"sql(SELECT tenant, flow, version, activated_at, hash, text FROM flows ORDER BY tenant, flow, version)sql"},
    {"counts",
     R"sql(SELECT tenant, minute, source, hop, counter, value FROM counts ORDER BY tenant, minute, source, hop, counter)sql"},
}};

void write_value(json::Writer& out, const Statement& row, int column) {
    if (row.is_null(column)) {
        out.null();
    } else if (row.is_integer(column)) {
        out.number(row.integer(column));
    } else if (row.is_blob(column)) {
        const auto bytes = row.blob(column);
        out.begin_object()
            .field("bytes", std::uint64_t{bytes.size()})
            .field("sha256", to_hex(sha256(bytes)))
            .end_object();
    } else {
        out.string(row.text(column));
    }
}

std::string_view topic_name(std::int64_t id) {
    return model::name_of(static_cast<TopicId>(id));
}

Status dump_table(Database& database, const DumpedTable& table, const WriteLine& write) {
    HELIOS_TRY_ASSIGN(Statement rows, database.prepare(table.sql));
    while (rows.row()) {
        json::Writer line;
        line.begin_object().field("table", table.name);
        for (int column = 0; column < rows.columns(); ++column) {
            line.key(rows.name(column));
            if (rows.name(column) == "topic") {
                line.string(topic_name(rows.integer(column)));
            } else {
                write_value(line, rows, column);
            }
        }
        line.end_object();
        HELIOS_TRY(write(line.take() + "\n"));
    }
    return rows.status();
}

Result<std::uint64_t> project_all(const Options& options, log::Log& log,
                                  telemetry::Telemetry& telemetry, const Clock& clock,
                                  const Progress& progress) {
    HELIOS_TRY_ASSIGN(auto projector, Projector::open(options, log, telemetry, clock));
    const Instant end = log.last_log_time();
    std::uint64_t records = 0;
    if (end == Instant{}) {
        return records;  // an empty log: nothing will ever move the frontier
    }
    // Past the last stamp: everything stamped at it is in as well.
    while (projector->frontier().get() <= end) {
        HELIOS_TRY_ASSIGN(const std::size_t taken, projector->step(options.idle_poll));
        records += taken;
        if (progress && taken > 0) {
            progress(records);
        }
    }
    return records;
}

/// Lines in the order of their bytes, on disk: a store may have more of them than memory holds.
class SortedLines {
public:
    static Result<SortedLines> make(const std::filesystem::path& file) {
        HELIOS_TRY_ASSIGN(Database database, Database::open(file, Database::Mode::write));
        HELIOS_TRY(
            database.execute(Sql("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; "
                                 "CREATE TABLE lines(line BLOB, n INTEGER, "
                                 "PRIMARY KEY(line, n)) WITHOUT ROWID; BEGIN")));
        HELIOS_TRY_ASSIGN(Statement insert,
                          database.prepare(Sql("INSERT INTO lines VALUES(?, ?)")));
        return SortedLines(std::move(database), std::move(insert));
    }

    Status add(std::string_view line) {
        insert_.bind_blob(1, line);
        insert_.bind(2, ++n_);
        return insert_.run();
    }

    Status write_all(const WriteLine& write) {
        HELIOS_TRY_ASSIGN(Statement rows,
                          database_.prepare(Sql("SELECT line FROM lines ORDER BY line, n")));
        while (rows.row()) {
            HELIOS_TRY(write(rows.blob(0)));
        }
        return rows.status();
    }

private:
    SortedLines(Database database, Statement insert)
        : database_(std::move(database)), insert_(std::move(insert)) {}

    Database database_;
    Statement insert_;
    std::int64_t n_ = 0;
};

}  // namespace

Status dump(const std::filesystem::path& file, Database::Mode mode, const WriteLine& write) {
    HELIOS_TRY_ASSIGN(Database current, open_to_read(file, mode));
    HELIOS_TRY_ASSIGN(Transaction snapshot, Transaction::begin_read(current));
    HELIOS_TRY_ASSIGN(const auto known, slices_of(current));
    for (const auto& table : tables_of_slices) {
        for (const auto& slice : known) {  // one after the other: there may be many
            HELIOS_TRY_ASSIGN(Database database, open_to_read(slice_file(file, slice.range.start),
                                                              mode, FileKind::slice));
            HELIOS_TRY(dump_table(database, table, write));
        }
    }
    for (const auto& table : tables_of_current) {
        HELIOS_TRY(dump_table(current, table, write));
    }
    return {};
}

Status dump_verdicts(const std::filesystem::path& file, Database::Mode mode,
                     const WriteLine& write) {
    HELIOS_TRY_ASSIGN(Database database, open_to_read(file, mode));
    return each_verdict<EveryRevision>(database, [&](const model::Verdict& verdict) {
        json::Writer line;
        model::write_json(line, verdict);
        return write(line.take() + "\n");
    });
}

Status dump_settled(const std::filesystem::path& file, Database::Mode mode,
                    const WriteLine& write) {
    HELIOS_TRY_ASSIGN(Database database, open_to_read(file, mode));
    HELIOS_TRY_ASSIGN(const auto scratch, TemporaryDirectory::make("helios-dump-"));
    HELIOS_TRY_ASSIGN(SortedLines lines, SortedLines::make(scratch.path() + "/lines.db"));
    HELIOS_TRY(each_verdict<NewestRevisions>(database, [&](const model::Verdict& verdict) {
        json::Writer line;
        model::write_settled_json(line, verdict);
        return lines.add(line.take() + "\n");
    }));
    return lines.write_all(write);
}

Result<log::Offsets> applied_offsets(Database& database) {
    Prepared<AppliedOffsets> statement;
    HELIOS_TRY(statement.prepare(database));
    auto answer = statement.ask();
    log::Offsets applied;
    while (answer.next()) {
        const AppliedRow row = answer.row();
        applied[{row.topic, row.partition}] = Offset{row.next_offset};
    }
    HELIOS_TRY(answer.status());
    return applied;
}

namespace {

/// Slices that may lack what the current file has. A slice that is gone was dropped meanwhile.
Result<std::vector<std::filesystem::path>> unsealed(const std::filesystem::path& file,
                                                    Database& current) {
    HELIOS_TRY_ASSIGN(const auto known, slices_of(current));
    std::vector<std::filesystem::path> files;
    for (const auto& slice : known) {
        auto path = slice_file(file, slice.range.start);
        if (!slice.sealed && std::filesystem::exists(path)) {
            files.push_back(std::move(path));
        }
    }
    return files;
}

}  // namespace

void lower_to(log::Offsets& offsets, const log::Offsets& others) {
    for (auto& [partition, next] : offsets) {
        const auto found = others.find(partition);
        next = std::min(next, found == others.end() ? Offset{0} : found->second);
    }
}

Result<log::Offsets> applied_offsets(const std::filesystem::path& file, Database::Mode mode) {
    HELIOS_TRY_ASSIGN(Database current, open_to_read(file, mode));
    HELIOS_TRY_ASSIGN(auto applied, applied_offsets(current));
    HELIOS_TRY_ASSIGN(const auto slices, unsealed(file, current));
    for (const auto& slice : slices) {
        auto database = open_to_read(slice, mode, FileKind::slice);
        if (!database && !std::filesystem::exists(slice)) {
            continue;
        }
        if (!database) {
            return fail(std::move(database).error());
        }
        HELIOS_TRY_ASSIGN(const auto of_slice, applied_offsets(*database));
        lower_to(applied, of_slice);
    }
    return applied;
}

Result<log::Offsets> durable_offsets(const std::filesystem::path& file) {
    HELIOS_TRY_ASSIGN(auto applied, applied_offsets(file, Database::Mode::read));
    HELIOS_TRY_ASSIGN(Database current, open_to_read(file, Database::Mode::read));
    HELIOS_TRY_ASSIGN(const auto slices, unsealed(file, current));
    for (const auto& slice : slices) {
        if (auto synced = sync_file_set(slice); !synced && std::filesystem::exists(slice)) {
            return fail(std::move(synced).error());
        }
    }
    HELIOS_TRY(sync_file_set(file));
    return applied;
}

namespace {

/// The store's files that stand in a folder.
std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder,
                                            const std::filesystem::path& current) {
    std::vector<std::filesystem::path> files;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
        if (slice_start(entry.path())) {
            files.push_back(entry.path());
        }
    }
    std::ranges::sort(files);
    if (std::filesystem::exists(folder / current.filename(), none)) {
        files.push_back(folder / current.filename());
    }
    return files;
}

/// What the old store was made with, as far as it can be read: a new one of the same log is alike.
Options as_before(Options options) {
    auto old = open_to_read(options.file, Database::Mode::read);
    Prepared<TheKeptOptions> statement;
    if (!old || !statement.prepare(*old)) {
        return options;
    }
    if (const auto kept = statement.ask().rows(); kept && kept->size() == 1) {
        options.slice = Duration{kept->front().slice};
        options.copies_within = Duration{kept->front().copies_within};
    }
    return options;
}

Status move_into_place(const std::filesystem::path& from, const std::filesystem::path& to) {
    std::error_code error;
    std::filesystem::rename(from, to, error);
    if (error) {
        return fail(
            ErrorKind::unavailable,
            fmt::format("store: can't move {} into place: {}", from.string(), error.message()),
            "the next start of `helios serve` makes a new store from the log");
    }
    return {};
}

}  // namespace

Result<std::uint64_t> rebuild(const Options& options, log::Log& log,
                              telemetry::Telemetry& telemetry, const Clock& clock,
                              const Progress& progress) {
    const auto folder = options.file.parent_path();
    Options fresh = as_before(options);
    fresh.file = folder / "rebuilding" / options.file.filename();
    std::error_code none;
    std::filesystem::remove_all(fresh.file.parent_path(), none);
    HELIOS_TRY_ASSIGN(const std::uint64_t records,
                      project_all(fresh, log, telemetry, clock, progress));
    // Closing the last connection has folded each write-ahead log into its file. The file of what
    // is current goes first and comes last: without it there is no store, only files to begin with.
    HELIOS_TRY(remove_file_set(options.file));
    for (const auto& file : files_in(folder, options.file)) {
        HELIOS_TRY(remove_file_set(file));
    }
    for (const auto& file : files_in(fresh.file.parent_path(), options.file)) {
        HELIOS_TRY(move_into_place(file, folder / file.filename()));
    }
    std::filesystem::remove_all(fresh.file.parent_path(), none);
    return records;
}

}  // namespace helios::store
