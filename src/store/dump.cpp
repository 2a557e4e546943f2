#include "store/dump.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <string>
#include <unistd.h>
#include <utility>

#include "base/hash.h"
#include "base/json.h"
#include "base/temporary_directory.h"
#include "model/verdict.h"
#include "store/database.h"
#include "store/migrations.h"
#include "store/projector.h"
#include "store/read_statements.h"

namespace helios::store {
namespace {

struct DumpedTable {
    std::string_view name;
    Sql sql;
};

// Topics by name, so that a dump does not depend on their numbers.
constexpr std::array<DumpedTable, 9> dumped_tables{{
    {"events",
     R"sql(SELECT log_time, t.name AS topic, partition, "offset", tenant, source, scope, event_id, content, identity, event_type, key, customer, event_time
                     FROM events e JOIN topics t ON t.id = e.topic ORDER BY log_time, t.name, partition, "offset")sql"},
    {"event_copies",
     R"sql(SELECT tenant, event_id, content, log_time, t.name AS topic, partition, "offset", source, scope
                     FROM event_copies e JOIN topics t ON t.id = e.topic
                     ORDER BY tenant, event_id, content, log_time, t.name, partition, "offset")sql"},
    {"case_records",
     R"sql(SELECT tenant, key, flow, partition, "offset", at FROM case_records ORDER BY tenant, key, flow, partition, "offset")sql"},
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
                         partition, "offset" FROM quarantine ORDER BY tenant, dlq_id)sql"},
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

Result<Database> open_to_read(const std::filesystem::path& file, Database::Mode mode) {
    HELIOS_TRY_ASSIGN(Database database, Database::open(file, mode));
    HELIOS_TRY(check_version(database));
    return database;
}

Status dump_table(Database& database, const DumpedTable& table, const WriteLine& write) {
    HELIOS_TRY_ASSIGN(Statement rows, database.prepare(table.sql));
    while (rows.row()) {
        json::Writer line;
        line.begin_object().field("table", table.name);
        for (int column = 0; column < rows.columns(); ++column) {
            line.key(rows.name(column));
            write_value(line, rows, column);
        }
        line.end_object();
        HELIOS_TRY(write(line.take() + "\n"));
    }
    return rows.status();
}

std::filesystem::path with_suffix(const std::filesystem::path& file, std::string_view suffix) {
    auto path = file;
    path += suffix;
    return path;
}

/// The database first: a WAL without its database is ignored, a database without its WAL would not
/// be whole.
Status remove_store(const std::filesystem::path& file) {
    for (const auto suffix : {"", "-wal", "-shm"}) {
        std::error_code error;
        std::filesystem::remove(with_suffix(file, suffix), error);
        if (error) {
            return fail(ErrorKind::unavailable,
                        fmt::format("store: can't remove {}{}: {}", file.string(), suffix,
                                    error.message()));
        }
    }
    return {};
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

/// Calls `take` with every verdict that the statement answers, until it fails.
template <class S>
Status each_verdict(Database& database,
                    const std::function<Status(const model::Verdict& verdict)>& take) {
    Prepared<S> revisions;
    HELIOS_TRY(revisions.prepare(database));
    auto answer = revisions.ask();
    while (answer.next()) {
        const auto verdict = model::decode_verdict(answer.row().bytes);
        if (!verdict) {
            return fail(ErrorKind::corrupt,
                        "store: a stored verdict can't be decoded: " + verdict.error().what,
                        "run `helios store rebuild`");
        }
        HELIOS_TRY(take(*verdict));
    }
    return answer.status();
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
    HELIOS_TRY_ASSIGN(Database database, open_to_read(file, mode));
    HELIOS_TRY_ASSIGN(Transaction snapshot, Transaction::begin_read(database));
    for (const auto& table : dumped_tables) {
        HELIOS_TRY(dump_table(database, table, write));
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

Result<log::Offsets> applied_offsets(const std::filesystem::path& file, Database::Mode mode) {
    HELIOS_TRY_ASSIGN(Database database, open_to_read(file, mode));
    return applied_offsets(database);
}

Result<log::Offsets> durable_offsets(const std::filesystem::path& file) {
    HELIOS_TRY_ASSIGN(auto applied, applied_offsets(file, Database::Mode::read));
    for (const auto& part : {with_suffix(file, "-wal"), file}) {
        const int fd = ::open(part.c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT && part != file) {
            continue;  // all of it is in the file itself
        }
        const bool synced = fd >= 0 && ::fsync(fd) == 0;
        const int why = errno;
        if (fd >= 0) {
            ::close(fd);
        }
        if (!synced) {
            return fail(ErrorKind::unavailable,
                        fmt::format("store: can't sync {}: {}", part.string(), std::strerror(why)));
        }
    }
    return applied;
}

Result<std::uint64_t> rebuild(const Options& options, log::Log& log,
                              telemetry::Telemetry& telemetry, const Clock& clock,
                              const Progress& progress) {
    Options fresh = options;
    fresh.file = with_suffix(options.file, ".rebuilding");
    HELIOS_TRY(remove_store(fresh.file));
    HELIOS_TRY_ASSIGN(const std::uint64_t records,
                      project_all(fresh, log, telemetry, clock, progress));
    // Closing the last connection has folded the WAL into the file.
    HELIOS_TRY(remove_store(options.file));
    std::error_code error;
    std::filesystem::rename(fresh.file, options.file, error);
    if (error) {
        return fail(ErrorKind::unavailable,
                    fmt::format("store: can't move {} into place: {}", fresh.file.string(),
                                error.message()),
                    "the next start of `helios serve` makes a new store from the log");
    }
    return records;
}

}  // namespace helios::store
