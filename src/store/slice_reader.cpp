#include "store/slice_reader.h"

#include <utility>

#include "store/merge_kinds.h"
#include "store/migrations.h"
#include "store/slice_range.h"

namespace helios::store {
namespace {

/// Asks for events of one kind.
struct EventsOf {
    SliceReader& reader;
    const EventFilter& filter;

    using Row = EventRow;
    using Place = EventPlace;
    static Place place_of(const EventRow& row) { return row.place(); }
    Status fetch(std::int64_t kind, const Place& before, std::size_t rows,
                 std::deque<EventRow>& out) const {
        const AskedOfKind asked{filter, kind, before, static_cast<std::int64_t>(rows)};
        return filter.key ? take_rows(reader.ask<EventsOfKindAndKey>(asked), out)
                          : take_rows(reader.ask<EventsOfKind>(asked), out);
    }
};

}  // namespace

Result<std::unique_ptr<SliceReader>> SliceReader::open(const std::filesystem::path& file,
                                                       const SliceRange& range, const Clock& clock,
                                                       Duration deadline) {
    const auto identity = identify(file);
    HELIOS_TRY_ASSIGN(Database database,
                      Database::open(file, Database::Mode::read, {&clock, deadline}));
    HELIOS_TRY(check_version(database, FileKind::slice));
    std::unique_ptr<SliceReader> reader(new SliceReader(std::move(database)));
    reader->file_ = identity;
    HELIOS_TRY(reader->statements_.prepare(reader->database_));
    HELIOS_TRY(expect_range(reader->database_, range));
    return reader;
}

/// Kinds that may hold what is asked for.
Result<std::vector<Kind>> SliceReader::kinds_for(const TenantId& tenant, bool copies,
                                                 std::optional<std::string_view> source,
                                                 std::optional<std::string_view> type) {
    HELIOS_TRY_ASSIGN(auto kinds, ask<KindsOf>(std::string_view(tenant.text())).rows());
    std::erase_if(kinds, [&](const Kind& kind) {
        return (kind.copies && !copies) || !kind.may_hold(source, type);
    });
    return kinds;
}

Status SliceReader::list(const EventFilter& filter, const EventPlace& before, std::size_t rows,
                         std::vector<EventRow>& out) {
    HELIOS_TRY_ASSIGN(Transaction snapshot, Transaction::begin_read(database_));
    HELIOS_TRY_ASSIGN(const auto kinds,
                      kinds_for(filter.tenant, false, filter.source, filter.type));
    return merge_kinds(EventsOf{*this, filter}, kinds, before, rows, out);
}

Status SliceReader::by_id(const TenantId& tenant, const AskedIdOfKind& id, bool copies,
                          std::vector<EventRow>& out) {
    HELIOS_TRY_ASSIGN(Transaction snapshot, Transaction::begin_read(database_));
    HELIOS_TRY_ASSIGN(const auto kinds, kinds_for(tenant, copies, id.source, {}));
    AskedIdOfKind asked = id;
    for (const Kind& kind : kinds) {
        asked.kind = kind.id;
        auto answer = ask<EventsOfKindById>(asked);
        while (answer.next()) {
            out.push_back(answer.row());
        }
        HELIOS_TRY(answer.status());
    }
    return {};
}

Status SliceReader::count_copies(const TenantId& tenant, std::span<EventRow* const> rows) {
    HELIOS_TRY_ASSIGN(auto kinds, kinds_for(tenant, true, {}, {}));
    std::erase_if(kinds, [](const Kind& kind) { return !kind.copies; });
    for (EventRow* row : rows) {
        for (const Kind& kind : kinds) {
            if (!kind.may_hold(row->source, row->type)) {
                continue;
            }
            auto answer = ask<CountLike>(RecordOfKind{*row, kind.id});
            row->copies += answer.next() ? answer.row() : 0;
            HELIOS_TRY(answer.status());
        }
    }
    return {};
}

}  // namespace helios::store
