#include "store/migrations.h"

#include <array>
#include <fmt/format.h>
#include <span>

#include "model/topics.h"
#include "store/prepared.h"
#include "store/sql.h"

namespace helios::store {
namespace {

struct Migration {
    std::int64_t number;
    std::string_view name;
    Sql sql;
};

// Times are int64 nanoseconds since the epoch, UTC. Texts compare by bytes. Enumerations are the
// model's stored numbers. Tables without a row id are clustered by their key: events by log time,
// so that appending and paging by time touch one end.
constexpr SqlText first_step{R"sql(
CREATE TABLE migrations(number INTEGER PRIMARY KEY, name TEXT NOT NULL);

CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

-- The next offset to read, per partition: committed with the rows it accounts for.
CREATE TABLE applied_offsets(
  topic INTEGER NOT NULL, partition INTEGER NOT NULL, next_offset INTEGER NOT NULL,
  PRIMARY KEY(topic, partition)) WITHOUT ROWID;

-- One row per accepted event: an identity (tenant, source, scope, event_id) with one type and payload. The payload
-- stays in the log, at (topic, partition, offset): of several records the least place, the others are copies.
-- content: 64 bits of source, scope, type and payload. They tell apart what shares an id; short, as an index holds them.
CREATE TABLE events(
  log_time INTEGER NOT NULL, topic INTEGER NOT NULL, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL,
  tenant TEXT NOT NULL, source TEXT NOT NULL, scope TEXT NOT NULL, event_id TEXT NOT NULL,
  content INTEGER NOT NULL, identity INTEGER NOT NULL,
  event_type TEXT NOT NULL, key TEXT NOT NULL, customer TEXT, event_time INTEGER,
  PRIMARY KEY(log_time, topic, partition, "offset")) WITHOUT ROWID;
CREATE INDEX events_by_key ON events(tenant, key) WHERE key <> '';
CREATE UNIQUE INDEX events_by_identity ON events(tenant, event_id, content);
CREATE INDEX events_by_type ON events(tenant, event_type);
CREATE INDEX events_by_source ON events(tenant, source);

-- Further records of events.
CREATE TABLE event_copies(
  tenant TEXT NOT NULL, event_id TEXT NOT NULL, content INTEGER NOT NULL,
  log_time INTEGER NOT NULL, topic INTEGER NOT NULL, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL,
  source TEXT NOT NULL, scope TEXT NOT NULL,
  PRIMARY KEY(tenant, event_id, content, log_time, topic, partition, "offset")) WITHOUT ROWID;

-- Where the legs of a case stand on helios.cases.
CREATE TABLE case_records(
  tenant TEXT NOT NULL, key TEXT NOT NULL, flow TEXT NOT NULL, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY(tenant, key, flow, partition, "offset")) WITHOUT ROWID;

-- What else on helios.cases may change a verdict: absences of ours (kind {absence}, body: model::encode),
-- activated flow versions (kind {flow}).
CREATE TABLE control_records(
  partition INTEGER NOT NULL, "offset" INTEGER NOT NULL, at INTEGER NOT NULL, kind INTEGER NOT NULL,
  tenant TEXT NOT NULL, flow TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(partition, "offset")) WITHOUT ROWID;

-- Every revision, whole (model::encode).
CREATE TABLE verdicts(
  id INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL, key TEXT NOT NULL, flow TEXT NOT NULL, instance INTEGER NOT NULL, revision INTEGER NOT NULL,
  partition INTEGER NOT NULL, "offset" INTEGER NOT NULL, log_time INTEGER NOT NULL, body BLOB NOT NULL);
CREATE UNIQUE INDEX verdicts_by_case ON verdicts(tenant, key, flow, instance, revision);

-- The latest revision per case, with what lists and statistics ask for. kinds: bit n = some finding is of kind n.
-- at_risk: "USD 12.50\nEUR 3.00", exact decimals. first_reconciled_at: when it was decided for the first time.
CREATE TABLE cases(
  tenant TEXT NOT NULL, key TEXT NOT NULL, flow TEXT NOT NULL, instance INTEGER NOT NULL,
  revision INTEGER NOT NULL, verdict INTEGER NOT NULL, status INTEGER NOT NULL, kinds INTEGER NOT NULL,
  opened_at INTEGER NOT NULL, deadline INTEGER NOT NULL, reconciled_at INTEGER, first_reconciled_at INTEGER,
  at_risk TEXT NOT NULL,
  PRIMARY KEY(tenant, key, flow, instance)) WITHOUT ROWID;
CREATE INDEX cases_pending ON cases(tenant, flow) WHERE status = {pending};
CREATE INDEX cases_decided ON cases(tenant, reconciled_at, flow, status, kinds, opened_at, first_reconciled_at) WHERE status <> {pending};
CREATE INDEX cases_broken ON cases(tenant, reconciled_at DESC, flow, key, instance, status, kinds, at_risk, verdict) WHERE status IN ({partial}, {mismatched});

-- What waits on helios.events.dlq, one row per dlqId: a sender's retry lands on the same one.
CREATE TABLE quarantine(
  tenant TEXT NOT NULL, dlq_id TEXT NOT NULL, record_type INTEGER NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
  source TEXT NOT NULL, endpoint TEXT NOT NULL, scope TEXT NOT NULL, event_id TEXT NOT NULL, event_type TEXT NOT NULL, key TEXT NOT NULL,
  first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, times INTEGER NOT NULL,
  partition INTEGER NOT NULL, "offset" INTEGER NOT NULL,
  PRIMARY KEY(tenant, dlq_id)) WITHOUT ROWID;
CREATE INDEX quarantine_by_time ON quarantine(tenant, last_at DESC, dlq_id);
CREATE INDEX quarantine_by_key ON quarantine(tenant, key) WHERE key <> '';

CREATE TABLE flows(
  tenant TEXT NOT NULL, flow TEXT NOT NULL, version INTEGER NOT NULL, activated_at INTEGER NOT NULL, hash TEXT NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY(tenant, flow, version)) WITHOUT ROWID;

-- Completeness per minute, source and hop: sums of the deltas on helios.counts, and this hop's own `stored` and `copies`.
CREATE TABLE counts(
  tenant TEXT NOT NULL, minute INTEGER NOT NULL, source TEXT NOT NULL, hop TEXT NOT NULL, counter TEXT NOT NULL, value INTEGER NOT NULL,
  PRIMARY KEY(tenant, minute, source, hop, counter)) WITHOUT ROWID;
)sql"};

// Cases by flow and status: a list or a figure is a few ranges of an index, whatever is asked for.
constexpr SqlText cases_by_every_filter{R"sql(
DROP INDEX cases_pending;
DROP INDEX cases_decided;
DROP INDEX cases_broken;
CREATE INDEX cases_by_opening ON cases(tenant, flow, status, opened_at, key, instance);
CREATE INDEX cases_by_decision ON cases(tenant, flow, status, reconciled_at, key, instance, kinds, opened_at, first_reconciled_at) WHERE status <> {pending};

-- One row per case and kind of finding that its latest revision has.
CREATE TABLE case_kinds(
  tenant TEXT NOT NULL, key TEXT NOT NULL, flow TEXT NOT NULL, instance INTEGER NOT NULL, kind INTEGER NOT NULL,
  status INTEGER NOT NULL, opened_at INTEGER NOT NULL, reconciled_at INTEGER,
  PRIMARY KEY(tenant, key, flow, instance, kind)) WITHOUT ROWID;
CREATE INDEX case_kinds_by_opening ON case_kinds(tenant, flow, kind, status, opened_at, key, instance);
CREATE INDEX case_kinds_by_decision ON case_kinds(tenant, flow, kind, status, reconciled_at, key, instance) WHERE status <> {pending};
INSERT INTO case_kinds
  WITH RECURSIVE bits(bit) AS (SELECT 0 UNION ALL SELECT bit + 1 FROM bits WHERE bit < 31)
  SELECT tenant, key, flow, instance, bit, status, opened_at, reconciled_at FROM cases, bits
  WHERE kinds <> 0 AND kinds >> bit & 1;
)sql"};

// Events and case records lie in slices (slice.h). What one file held is moved there before this
// step (single_file.h). Figures are sums, kept as cases change: by minute, hour and day of
// reconciled_at, and of what is open now.
constexpr SqlText slices_step{R"sql(
DROP TABLE IF EXISTS event_copies;
DROP TABLE IF EXISTS events;
DROP TABLE IF EXISTS case_records;
DELETE FROM counts WHERE hop = 'store';

CREATE TABLE slices("start" INTEGER PRIMARY KEY, "end" INTEGER NOT NULL, sealed INTEGER NOT NULL);

-- One row: slices that ended by then are gone, what belongs there is not taken in again.
CREATE TABLE dropped_slices(until INTEGER NOT NULL);

-- One row: options that say what the rows are, so that a store that is made anew has the same (Options, nanoseconds).
CREATE TABLE kept_options(slice INTEGER NOT NULL, copies_within INTEGER NOT NULL);

-- Of cases by the minute, hour (level 1) and day (2) of their last decision: CaseSums::encode.
CREATE TABLE case_sums(
  tenant TEXT NOT NULL, flow TEXT NOT NULL, level INTEGER NOT NULL, "start" INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(tenant, flow, level, "start")) WITHOUT ROWID;
-- How many cases are pending, per flow that ever had one.
CREATE TABLE open_cases(
  tenant TEXT NOT NULL, flow TEXT NOT NULL, cases INTEGER NOT NULL, PRIMARY KEY(tenant, flow)) WITHOUT ROWID;

-- What items share that lists filter by. NULL: of all that have no kind of their own.
CREATE TABLE quarantine_kinds(id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, source TEXT, reason TEXT);
CREATE INDEX quarantine_kinds_by_tenant ON quarantine_kinds(tenant);
ALTER TABLE quarantine ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
INSERT INTO quarantine_kinds(tenant, source, reason) SELECT DISTINCT tenant, source, reason FROM quarantine;
UPDATE quarantine SET kind = (SELECT k.id FROM quarantine_kinds k
  WHERE k.tenant = quarantine.tenant AND k.source = quarantine.source AND k.reason = quarantine.reason);
DROP INDEX quarantine_by_time;
DROP INDEX quarantine_by_key;
CREATE INDEX quarantine_by_kind ON quarantine(kind, last_at, dlq_id);
CREATE INDEX quarantine_by_key ON quarantine(key, kind, last_at, dlq_id) WHERE key <> '';
CREATE INDEX quarantine_by_age ON quarantine(last_at);
)sql"};

// What became of items in quarantine. Lists are of one status.
constexpr SqlText dlq_step{R"sql(
ALTER TABLE quarantine ADD COLUMN status INTEGER NOT NULL DEFAULT {waiting};
ALTER TABLE quarantine ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
DROP INDEX quarantine_by_kind;
DROP INDEX quarantine_by_key;
CREATE INDEX quarantine_by_kind ON quarantine(kind, status, last_at, dlq_id);
CREATE INDEX quarantine_by_type ON quarantine(event_type, kind, status, last_at, dlq_id);
CREATE INDEX quarantine_by_key ON quarantine(key, kind, status, last_at, dlq_id) WHERE key <> '';

-- One row per record. edited: names, each followed by a blank but the last.
CREATE TABLE dlq_outcomes(
  tenant TEXT NOT NULL, dlq_id TEXT NOT NULL, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL,
  what INTEGER NOT NULL, attempt INTEGER NOT NULL, source TEXT NOT NULL, scope TEXT NOT NULL, event_id TEXT NOT NULL,
  reason TEXT NOT NULL, detail TEXT NOT NULL, who TEXT NOT NULL, at INTEGER NOT NULL, redrive TEXT NOT NULL, edited TEXT NOT NULL,
  PRIMARY KEY(tenant, dlq_id, partition, "offset")) WITHOUT ROWID;
-- Sums over its outcomes. begun_at is NULL until its begin has been read, ended_at until its end.
CREATE TABLE redrives(
  tenant TEXT NOT NULL, id TEXT NOT NULL, phase INTEGER NOT NULL DEFAULT {running}, filter TEXT NOT NULL DEFAULT '', who TEXT NOT NULL DEFAULT '',
  begun_at INTEGER, until INTEGER NOT NULL DEFAULT 0, total INTEGER NOT NULL DEFAULT 0,
  accepted INTEGER NOT NULL DEFAULT 0, duplicate INTEGER NOT NULL DEFAULT 0, conflict INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
  skipped INTEGER NOT NULL DEFAULT 0, ended_at INTEGER, detail TEXT NOT NULL DEFAULT '',
  PRIMARY KEY(tenant, id)) WITHOUT ROWID;
CREATE INDEX redrives_open ON redrives(begun_at) WHERE ended_at IS NULL;
CREATE INDEX redrives_by_end ON redrives(ended_at) WHERE ended_at IS NOT NULL;
CREATE TRIGGER dlq_outcomes_leave AFTER DELETE ON quarantine BEGIN
  DELETE FROM dlq_outcomes WHERE tenant = OLD.tenant AND dlq_id = OLD.dlq_id;
END;
)sql"};

// How much waits in quarantine, kept as items come, are decided about and leave. What was there
// before this step counts as nothing: only the log knows how large it is.
constexpr SqlText quarantine_size_step{R"sql(
-- bytes: of the item's record on the log, key and value.
ALTER TABLE quarantine ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;

-- One row: of items that nobody has decided about, waiting or exhausted.
CREATE TABLE quarantine_size(bytes INTEGER NOT NULL);
INSERT INTO quarantine_size VALUES(0);
CREATE TRIGGER quarantine_comes AFTER INSERT ON quarantine BEGIN
  UPDATE quarantine_size SET bytes = bytes + (NEW.status IN ({waiting}, {is_exhausted})) * NEW.bytes;
END;
CREATE TRIGGER quarantine_changes AFTER UPDATE OF status, bytes ON quarantine BEGIN
  UPDATE quarantine_size SET bytes = bytes + (NEW.status IN ({waiting}, {is_exhausted})) * NEW.bytes
    - (OLD.status IN ({waiting}, {is_exhausted})) * OLD.bytes;
END;
CREATE TRIGGER quarantine_leaves AFTER DELETE ON quarantine BEGIN
  UPDATE quarantine_size SET bytes = bytes - (OLD.status IN ({waiting}, {is_exhausted})) * OLD.bytes;
END;
)sql"};

// Sums are per half minute where they were per minute: how many cases are open goes with them, so
// that who opens the file sees that nothing is summed up (CurrentTables::sum_up).
constexpr SqlText half_minutes_step{R"sql(
DELETE FROM case_sums;
DELETE FROM open_cases;
)sql"};

constexpr std::array<Migration, 6> steps_of_current{
    {{first_migration, "tables of the first release", first_step},
     {3, "cases by every filter", cases_by_every_filter},
     {migration_to_slices, "slices", slices_step},
     {5, "outcomes of quarantine", dlq_step},
     {6, "size of quarantine", quarantine_size_step},
     {migration_to_half_minutes, "sums of half minutes", half_minutes_step}}};

// Times, texts and numbers as in the file of what is current.
constexpr SqlText first_slice_step{R"sql(
CREATE TABLE migrations(number INTEGER PRIMARY KEY, name TEXT NOT NULL);

-- What stretch of log time it is of: one row.
CREATE TABLE slice("start" INTEGER NOT NULL, "end" INTEGER NOT NULL);

-- As in the file of what is current, while the slice is not sealed there.
CREATE TABLE applied_offsets(
  topic INTEGER NOT NULL, partition INTEGER NOT NULL, next_offset INTEGER NOT NULL,
  PRIMARY KEY(topic, partition)) WITHOUT ROWID;

-- copies: of further records of events. source and event_type NULL: of all that have no kind of their own.
CREATE TABLE kinds(
  id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, copies INTEGER NOT NULL, source TEXT, event_type TEXT);
CREATE INDEX kinds_by_tenant ON kinds(tenant, copies);

-- One row per accepted event: an identity (tenant, source, scope, event_id) with one type and payload; one more per copy.
-- The payload stays in the log, at (topic, partition, offset).
-- content: 64 bits of source, scope, type and payload. They tell apart what shares an id; short, as an index holds them.
CREATE TABLE events(
  kind INTEGER NOT NULL, log_time INTEGER NOT NULL, topic INTEGER NOT NULL, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL,
  source TEXT NOT NULL, scope TEXT NOT NULL, event_id TEXT NOT NULL,
  content INTEGER NOT NULL, identity INTEGER NOT NULL,
  event_type TEXT NOT NULL, key TEXT NOT NULL, customer TEXT, event_time INTEGER,
  PRIMARY KEY(kind, log_time, topic, partition, "offset")) WITHOUT ROWID;
CREATE INDEX events_by_key ON events(key, kind, log_time, topic, partition, "offset") WHERE key <> '';
CREATE INDEX events_by_id ON events(event_id, kind, content, log_time, topic, partition, "offset");

-- Where the legs of a case stand on helios.cases.
CREATE TABLE case_records(
  tenant TEXT NOT NULL, key TEXT NOT NULL, flow TEXT NOT NULL, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY(tenant, key, flow, partition, "offset")) WITHOUT ROWID;

-- This hop's own counts: events `stored`, and further `copies` of them.
CREATE TABLE counts(
  tenant TEXT NOT NULL, minute INTEGER NOT NULL, source TEXT NOT NULL, counter TEXT NOT NULL, value INTEGER NOT NULL,
  PRIMARY KEY(tenant, minute, source, counter)) WITHOUT ROWID;
)sql"};

constexpr std::array<Migration, 1> steps_of_slice{
    {{1, "tables of the first release", first_slice_step}}};

std::span<const Migration> steps_of(FileKind kind) {
    return kind == FileKind::current ? std::span<const Migration>(steps_of_current)
                                     : std::span<const Migration>(steps_of_slice);
}

struct InsertMigration {
    static constexpr SqlText sql{"INSERT INTO migrations(number, name) VALUES(:number, :name)"};
    static constexpr std::tuple parameters{
        named("number", &Migration::number),
        named("name", &Migration::name),
    };
};

struct InsertTopic {
    static constexpr SqlText sql{"INSERT OR IGNORE INTO topics(id, name) VALUES(:id, :name)"};
    static constexpr std::tuple parameters{
        named("id", &model::TopicDeclaration::id),
        named("name", &model::TopicDeclaration::name),
    };
};

/// not ours, or newer: what to tell.
Status check_origin(Database& database, FileKind kind, std::int64_t version) {
    HELIOS_TRY_ASSIGN(const std::int64_t application, database.application_id());
    HELIOS_TRY_ASSIGN(Statement tables, database.prepare("SELECT count(*) FROM sqlite_master"));
    const std::int64_t objects = tables.row() ? tables.integer(0) : 0;
    HELIOS_TRY(tables.status());
    if (application != store_application_id && (application != 0 || version != 0 || objects != 0)) {
        return fail(ErrorKind::corrupt,
                    fmt::format("store: {} is an SQLite database, but not one of Helios",
                                database.file().string()),
                    "move it away; `helios store rebuild` makes a new one from the log");
    }
    if (version > newest_migration(kind)) {
        return fail(ErrorKind::corrupt,
                    fmt::format("store: {} is at migration {}, this Helios knows {}: it was "
                                "written by a newer one",
                                database.file().string(), version, newest_migration(kind)),
                    "run the newer Helios, or `helios store rebuild` with this one");
    }
    if (version != 0 && version < steps_of(kind).front().number) {
        return fail(ErrorKind::corrupt,
                    fmt::format("store: {} is at migration {}, which was never released",
                                database.file().string(), version),
                    "`helios store rebuild` makes a new one from the log");
    }
    return {};
}

/// Topics that are new to the file get rows; a number is never given again.
Status write_topics(Database& database) {
    Prepared<InsertTopic> insert;
    HELIOS_TRY(insert.prepare(database));
    for (const auto& declared : model::all_topics) {
        HELIOS_TRY(insert.run(declared));
    }
    return {};
}

Status apply(Database& database, const Migration& step) {
    HELIOS_TRY_ASSIGN(Transaction transaction, Transaction::begin_write(database));
    HELIOS_TRY(database.execute(step.sql));
    Prepared<InsertMigration> insert;
    HELIOS_TRY(insert.prepare(database));
    HELIOS_TRY(insert.run(step));
    HELIOS_TRY(database.set_application_id(store_application_id));
    HELIOS_TRY(database.set_user_version(step.number));
    return transaction.commit();
}

}  // namespace

std::int64_t newest_migration(FileKind kind) {
    return steps_of(kind).back().number;
}

Status migrate(Database& database, FileKind kind, std::optional<std::int64_t> last) {
    HELIOS_TRY_ASSIGN(const std::int64_t version, database.user_version());
    HELIOS_TRY(check_origin(database, kind, version));
    for (const Migration& step : steps_of(kind)) {
        if (step.number > version && step.number <= last.value_or(step.number)) {
            HELIOS_TRY(apply(database, step));
        }
    }
    return kind == FileKind::current ? write_topics(database) : Status{};
}

Status check_version(Database& database, FileKind kind) {
    HELIOS_TRY_ASSIGN(const std::int64_t version, database.user_version());
    HELIOS_TRY(check_origin(database, kind, version));
    if (version < newest_migration(kind)) {
        return fail(ErrorKind::unavailable,
                    fmt::format("store: {} is at migration {}, {} is needed",
                                database.file().string(), version, newest_migration(kind)),
                    "start `helios serve` once on this data directory: it migrates");
    }
    return {};
}

}  // namespace helios::store
