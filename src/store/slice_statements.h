#pragma once
/// What is written into a slice and asked of one: SQL beside its parameters and columns. Private to
/// the room.

#include "store/kinds.h"
#include "store/prepared.h"
#include "store/read_statements.h"
#include "store/slice.h"
#include "store/sql.h"
#include "store/write_statements.h"

namespace helios::store {

// ---- Kinds

struct KindColumns {
    using Row = Kind;
    static constexpr std::tuple columns{
        named("id", &Row::id),           named("tenant", &Row::tenant),
        named("copies", &Row::copies),   named("source", &Row::source),
        named("event_type", &Row::name),
    };
};
struct AllKinds : KindColumns {
    static constexpr SqlText sql{"SELECT id, tenant, copies, source, event_type FROM kinds"};
    static constexpr std::tuple<> parameters{};
};
/// Of a tenant; there are at most Options::kinds_max and one, and as many of copies.
struct KindsOf : KindColumns {
    static constexpr SqlText sql{R"sql(
SELECT id, tenant, copies, source, event_type FROM kinds INDEXED BY kinds_by_tenant
WHERE tenant = :tenant)sql"};
    static constexpr std::tuple parameters{named("tenant", std::identity{})};
};
struct InsertKind {
    static constexpr SqlText sql{R"sql(
INSERT INTO kinds(id, tenant, copies, source, event_type)
VALUES(:id, :tenant, :copies, :source, :event_type))sql"};
    static constexpr std::tuple parameters{
        named("id", &Kind::id),           named("tenant", &Kind::tenant),
        named("copies", &Kind::copies),   named("source", &Kind::source),
        named("event_type", &Kind::name),
    };
};

// ---- Records of events

/// A record of an event, and the kind that it is, or would be, under.
struct RecordOfKind {
    const EventRow& of;
    std::int64_t kind;
    Instant bound{};  ///< see the question
};

inline constexpr char record_of_kind[] =
    "kind = :kind AND log_time = :log_time AND topic = :topic AND partition = :partition AND "
    "\"offset\" = :offset";

/// Parameters that name a record, behind `more`.
constexpr auto with_place(auto... more) {
    return std::tuple{
        named("log_time", of_case(&EventRow::log_time)),
        named("topic", [](const auto& v) { return v.of.pointer.partition.topic; }),
        named("partition", [](const auto& v) { return v.of.pointer.partition.index; }),
        named("offset", [](const auto& v) { return v.of.pointer.offset.value; }),
        more...,
    };
}
constexpr auto with_identity(auto... more) {
    return std::tuple{
        named("event_id", of_case(&EventRow::event_id)),
        named("kind", &RecordOfKind::kind),
        named("content", of_case(&EventRow::content)),
        more...,
    };
}

struct InsertRecord {
    static constexpr SqlText sql{R"sql(
INSERT INTO events(kind, log_time, topic, partition, "offset", source, scope, event_id, content,
  identity, event_type, key, customer, event_time)
VALUES(:kind, :log_time, :topic, :partition, :offset, :source, :scope, :event_id, :content,
  :identity, :event_type, :key, :customer, :event_time)
ON CONFLICT DO NOTHING)sql"};
    static constexpr auto parameters = with_place(
        named("kind", &RecordOfKind::kind), named("source", of_case(&EventRow::source)),
        named("scope", of_case(&EventRow::scope)), named("event_id", of_case(&EventRow::event_id)),
        named("content", of_case(&EventRow::content)),
        named("identity", of_case(&EventRow::identity)),
        named("event_type", of_case(&EventRow::type)), named("key", of_case(&EventRow::key)),
        named("customer", of_case(&EventRow::customer)),
        named("event_time", of_case(&EventRow::event_time)));
};

struct RecordThere {
    static constexpr SqlText sql{"SELECT 1 AS there FROM events WHERE ", record_of_kind};
    static constexpr auto parameters = with_place(named("kind", &RecordOfKind::kind));
    using Row = std::int64_t;
    static constexpr std::tuple columns{named("there", std::identity{})};
};

/// Is there any record of this identity and content?
struct AnyLike {
    static constexpr SqlText sql{R"sql(
SELECT 1 AS there FROM events INDEXED BY events_by_id
WHERE event_id = :event_id AND kind = :kind AND content = :content LIMIT 1)sql"};
    static constexpr std::tuple parameters = with_identity();
    using Row = std::int64_t;
    static constexpr std::tuple columns{named("there", std::identity{})};
};

/// One that comes before the given one, not before `bound`.
struct LikeBefore {
    static constexpr SqlText sql{R"sql(
SELECT 1 AS there FROM events INDEXED BY events_by_id
WHERE event_id = :event_id AND kind = :kind AND content = :content AND log_time >= :bound
  AND (log_time, topic, partition, "offset") < (:log_time, :topic, :partition, :offset) LIMIT 1)sql"};
    static constexpr std::tuple parameters =
        std::tuple_cat(with_identity(), with_place(named("bound", &RecordOfKind::bound)));
    using Row = std::int64_t;
    static constexpr std::tuple columns{named("there", std::identity{})};
};

/// The first that comes after the given one, by `bound`.
struct LikeAfter {
    static constexpr SqlText sql{R"sql(
SELECT log_time, topic, partition, "offset" FROM events INDEXED BY events_by_id
WHERE event_id = :event_id AND kind = :kind AND content = :content AND log_time <= :bound
  AND (log_time, topic, partition, "offset") > (:log_time, :topic, :partition, :offset)
ORDER BY log_time, topic, partition, "offset" LIMIT 1)sql"};
    static constexpr auto parameters = LikeBefore::parameters;
    using Row = EventPlace;
    static constexpr std::tuple columns{
        named("log_time", &Row::log_time),
        named("topic", [](Row& row) -> auto& { return row.pointer.partition.topic; }),
        named("partition", [](Row& row) -> auto& { return row.pointer.partition.index; }),
        named("offset", [](Row& row) -> auto& { return row.pointer.offset.value; }),
    };
};

/// A record moves to another kind of its tenant, source and type.
struct MoveRecord {
    static constexpr SqlText sql{"UPDATE events SET kind = :other WHERE ", record_of_kind};
    struct Values {
        EventPlace of;
        std::int64_t kind;
        std::int64_t other;
    };
    static constexpr std::tuple parameters{
        named("log_time", part_of(&Values::of, &EventPlace::log_time)),
        named("topic", [](const Values& v) { return v.of.pointer.partition.topic; }),
        named("partition", [](const Values& v) { return v.of.pointer.partition.index; }),
        named("offset", [](const Values& v) { return v.of.pointer.offset.value; }),
        named("kind", &Values::kind),
        named("other", &Values::other),
    };
};

// ---- Counts of what is stored

/// What a sum of a slice is of.
struct StoredKey {
    TenantId tenant;
    Instant minute;
    std::string source;
    std::string counter;
    friend auto operator<=>(const StoredKey&, const StoredKey&) = default;
};

struct AddStored {
    static constexpr SqlText sql{R"sql(
INSERT INTO counts(tenant, minute, source, counter, value)
VALUES(:tenant, :minute, :source, :counter, :value)
ON CONFLICT(tenant, minute, source, counter) DO UPDATE SET value = value + excluded.value)sql"};
    using Values = std::pair<const StoredKey, std::int64_t>;
    static constexpr std::tuple parameters{
        named("tenant", part_of(&Values::first, &StoredKey::tenant)),
        named("minute", part_of(&Values::first, &StoredKey::minute)),
        named("source", part_of(&Values::first, &StoredKey::source)),
        named("counter", part_of(&Values::first, &StoredKey::counter)),
        named("value", &Values::second),
    };
};
/// A sum from which something was taken leaves no row if nothing is left.
struct DeleteEmptyStored {
    static constexpr SqlText sql{R"sql(
DELETE FROM counts WHERE tenant = :tenant AND minute = :minute AND source = :source
  AND counter = :counter AND value = 0)sql"};
    static constexpr std::tuple parameters{
        named("tenant", &StoredKey::tenant),
        named("minute", &StoredKey::minute),
        named("source", &StoredKey::source),
        named("counter", &StoredKey::counter),
    };
};

struct SetRange {
    static constexpr SqlText sql{R"sql(
INSERT INTO slice("start", "end") SELECT :start, :end WHERE NOT EXISTS (SELECT 1 FROM slice))sql"};
    static constexpr std::tuple parameters{
        named("start", &SliceRange::start),
        named("end", &SliceRange::end),
    };
};
struct TheRange {
    static constexpr SqlText sql{R"sql(SELECT "start", "end" FROM slice)sql"};
    static constexpr std::tuple<> parameters{};
    using Row = SliceRange;
    static constexpr std::tuple columns{named("start", &Row::start), named("end", &Row::end)};
};

using SliceWriteStatements =
    PreparedAll<AllKinds, InsertKind, InsertRecord, RecordThere, AnyLike, LikeBefore, LikeAfter,
                MoveRecord, InsertCaseLeg, AddStored, DeleteEmptyStored, SetApplied, SetRange>;

// ---- Questions

/// Of one kind, newest first, below a place.
struct AskedOfKind {
    const EventFilter& filter;
    std::int64_t kind;
    EventPlace before;
    std::int64_t rows;
};

inline constexpr char select_records[] = R"sql(
SELECT log_time, topic, partition, "offset", source, scope, event_id, content, identity, event_type,
  key, customer, event_time
FROM events )sql";
inline constexpr char records_range[] = R"sql( AND log_time >= :start
  AND (log_time, topic, partition, "offset")
    < (:before_time, :before_topic, :before_partition, :before_offset)
  AND (:type IS NULL OR event_type = :type) AND (:source IS NULL OR source = :source)
ORDER BY log_time DESC, topic DESC, partition DESC, "offset" DESC LIMIT :rows)sql";

struct RecordColumns {
    using Row = EventRow;
    static constexpr std::tuple columns{
        named("log_time", &Row::log_time),
        named("topic", [](Row& row) -> auto& { return row.pointer.partition.topic; }),
        named("partition", [](Row& row) -> auto& { return row.pointer.partition.index; }),
        named("offset", [](Row& row) -> auto& { return row.pointer.offset.value; }),
        named("source", &Row::source),
        named("scope", &Row::scope),
        named("event_id", &Row::event_id),
        named("content", &Row::content),
        named("identity", &Row::identity),
        named("event_type", &Row::type),
        named("key", &Row::key),
        named("customer", &Row::customer),
        named("event_time", &Row::event_time),
    };
};

constexpr auto of_kind(auto... more) {
    using Values = AskedOfKind;
    return std::tuple{
        named("kind", &Values::kind),
        named("start", start_of(&EventFilter::received)),
        named("before_time", part_of(&Values::before, &EventPlace::log_time)),
        named("before_topic", [](const Values& v) { return v.before.pointer.partition.topic; }),
        named("before_partition", [](const Values& v) { return v.before.pointer.partition.index; }),
        named("before_offset", [](const Values& v) { return v.before.pointer.offset.value; }),
        named("type", of_filter(&EventFilter::type)),
        named("source", of_filter(&EventFilter::source)),
        named("rows", &Values::rows),
        more...,
    };
}

struct EventsOfKind : RecordColumns {
    static constexpr SqlText sql{select_records, "NOT INDEXED WHERE kind = :kind", records_range};
    static constexpr std::tuple parameters = of_kind();
};
struct EventsOfKindAndKey : RecordColumns {
    static constexpr SqlText sql{select_records, R"sql(INDEXED BY events_by_key
WHERE kind = :kind AND key = :key AND key <> '')sql",
                                 records_range};
    static constexpr std::tuple parameters = of_kind(named("key", of_filter(&EventFilter::key)));
};

/// An id, or the ids from `begin` up to, not including, `end`, in a kind.
struct AskedIdOfKind {
    std::string_view id;
    std::int64_t kind;
    std::optional<std::string_view> source;
    std::optional<std::string_view> scope;
    std::int64_t rows;
};

struct EventsOfKindById : RecordColumns {
    static constexpr SqlText sql{select_records, R"sql(INDEXED BY events_by_id
WHERE event_id = :event_id AND kind = :kind AND (:source IS NULL OR source = :source)
  AND (:scope IS NULL OR scope = :scope)
ORDER BY content, log_time, topic, partition, "offset" LIMIT :rows)sql"};
    using Values = AskedIdOfKind;
    static constexpr std::tuple parameters{
        named("event_id", &Values::id),   named("kind", &Values::kind),
        named("source", &Values::source), named("scope", &Values::scope),
        named("rows", &Values::rows),
    };
};

/// How many copies an event has in this slice.
struct CountLike {
    static constexpr SqlText sql{R"sql(
SELECT count(*) AS records FROM events INDEXED BY events_by_id
WHERE event_id = :event_id AND kind = :kind AND content = :content)sql"};
    static constexpr std::tuple parameters = with_identity();
    using Row = std::uint64_t;
    static constexpr std::tuple columns{named("records", std::identity{})};
};

struct EventIds {
    static constexpr SqlText sql{R"sql(
SELECT DISTINCT event_id FROM events INDEXED BY events_by_id
WHERE event_id >= :begin AND event_id < :end AND (:source IS NULL OR source = :source)
  AND kind IN (SELECT id FROM kinds WHERE tenant = :tenant)
ORDER BY event_id LIMIT :rows)sql"};
    static constexpr std::tuple parameters{
        named("tenant", its_tenant),    named("begin", &AskedIds::begin),
        named("end", &AskedIds::end),   named("source", &AskedIds::source),
        named("rows", &AskedIds::rows),
    };
    using Row = std::string;
    static constexpr std::tuple columns{named("event_id", std::identity{})};
};

struct CaseLegs : CaseRecordColumns {
    static constexpr SqlText sql{R"sql(
SELECT partition, "offset", at FROM case_records
WHERE tenant = :tenant AND key = :key AND flow = :flow
ORDER BY partition, "offset" LIMIT :rows)sql"};
    static constexpr auto parameters = Revisions::parameters;
};

struct StoredInRange {
    static constexpr SqlText sql{R"sql(
SELECT minute, source, 'store' AS hop, counter, value FROM counts
WHERE tenant = :tenant AND minute >= :start AND minute < :end
  AND (:source IS NULL OR source = :source)
ORDER BY minute, source, counter LIMIT :rows)sql"};
    static constexpr auto parameters = CountsInRange::parameters;
    using Row = CountRow;
    static constexpr auto columns = CountsInRange::columns;
};

using SliceReadStatements = PreparedAll<KindsOf, EventsOfKind, EventsOfKindAndKey, EventsOfKindById,
                                        CountLike, EventIds, CaseLegs, StoredInRange>;

}  // namespace helios::store
