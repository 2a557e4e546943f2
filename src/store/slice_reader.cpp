#include "store/slice_reader.h"

#include <algorithm>
#include <deque>
#include <queue>
#include <utility>

#include "store/migrations.h"

namespace helios::store {
namespace {

constexpr std::size_t rows_at_first = 8;

/// The events of one kind below a place, newest first, fetched a few at a time: more of a kind that
/// many are taken from.
class KindRows {
public:
    KindRows(SliceReader& reader, const EventFilter& filter, std::int64_t kind,
             const EventPlace& before)
        : reader_(&reader), filter_(&filter), kind_(kind), before_(before) {}

    /// Is there one? Then front() is it.
    Result<bool> fetch(std::size_t wanted) {
        if (!rows_.empty() || ended_) {
            return !rows_.empty();
        }
        const std::size_t rows = std::min(next_fetch_, wanted);
        next_fetch_ *= 2;
        const AskedOfKind asked{*filter_, kind_, before_, static_cast<std::int64_t>(rows)};
        HELIOS_TRY(filter_->key ? take(reader_->ask<EventsOfKindAndKey>(asked))
                                : take(reader_->ask<EventsOfKind>(asked)));
        ended_ = rows_.size() < rows;
        if (!rows_.empty()) {
            before_ = rows_.back().place();
        }
        return !rows_.empty();
    }
    EventPlace place() const { return rows_.front().place(); }
    EventRow take_front() {
        EventRow row = std::move(rows_.front());
        rows_.pop_front();
        return row;
    }

private:
    template <class Answer>
    Status take(Answer&& answer) {
        while (answer.next()) {
            rows_.push_back(answer.row());
        }
        return answer.status();
    }

    SliceReader* reader_;
    const EventFilter* filter_;
    std::int64_t kind_;
    EventPlace before_;
    std::size_t next_fetch_ = rows_at_first;
    bool ended_ = false;
    std::deque<EventRow> rows_;
};

}  // namespace

Result<std::unique_ptr<SliceReader>> SliceReader::open(const std::filesystem::path& file) {
    const auto identity = identify(file);
    HELIOS_TRY_ASSIGN(Database database, Database::open(file, Database::Mode::read));
    HELIOS_TRY(check_version(database, FileKind::slice));
    std::unique_ptr<SliceReader> reader(new SliceReader(std::move(database)));
    reader->file_ = identity;
    HELIOS_TRY(reader->statements_.prepare(reader->database_));
    return reader;
}

/// Kinds that may hold what is asked for.
Result<std::vector<EventKind>> SliceReader::kinds_for(const TenantId& tenant, bool copies,
                                                      std::optional<std::string_view> source,
                                                      std::optional<std::string_view> type) {
    HELIOS_TRY_ASSIGN(auto kinds, ask<KindsOf>(std::string_view(tenant.text())).rows());
    std::erase_if(kinds, [&](const EventKind& kind) {
        return (kind.copies && !copies) || (source && kind.source && *kind.source != *source) ||
               (type && kind.type && *kind.type != *type);
    });
    return kinds;
}

Status SliceReader::list(const EventFilter& filter, const EventPlace& before, std::size_t rows,
                         std::vector<EventRow>& out) {
    HELIOS_TRY_ASSIGN(Transaction snapshot, Transaction::begin_read(database_));
    HELIOS_TRY_ASSIGN(const auto kinds, kinds_for(filter.tenant, false, filter.source, filter.type));
    std::vector<KindRows> of_kinds;
    of_kinds.reserve(kinds.size());
    const auto older = [&](std::size_t a, std::size_t b) {
        return of_kinds[a].place() < of_kinds[b].place();
    };
    std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(older)> newest(older);
    for (const EventKind& kind : kinds) {
        of_kinds.emplace_back(*this, filter, kind.id, before);
        HELIOS_TRY_ASSIGN(const bool some, of_kinds.back().fetch(rows));
        if (some) {
            newest.push(of_kinds.size() - 1);
        }
    }
    while (out.size() < rows && !newest.empty()) {
        const std::size_t kind = newest.top();
        newest.pop();
        out.push_back(of_kinds[kind].take_front());
        HELIOS_TRY_ASSIGN(const bool some, of_kinds[kind].fetch(rows - out.size() + 1));
        if (some) {
            newest.push(kind);
        }
    }
    return {};
}

Status SliceReader::by_id(const TenantId& tenant, const AskedIdOfKind& id, bool copies,
                          std::vector<EventRow>& out) {
    HELIOS_TRY_ASSIGN(Transaction snapshot, Transaction::begin_read(database_));
    HELIOS_TRY_ASSIGN(const auto kinds, kinds_for(tenant, copies, id.source, {}));
    AskedIdOfKind asked = id;
    for (const EventKind& kind : kinds) {
        asked.kind = kind.id;
        auto answer = ask<EventsOfKindById>(asked);
        while (answer.next()) {
            out.push_back(answer.row());
        }
        HELIOS_TRY(answer.status());
    }
    return {};
}

Result<std::uint64_t> SliceReader::copies_of(const TenantId& tenant, const EventRow& row) {
    HELIOS_TRY_ASSIGN(const auto kinds, kinds_for(tenant, true, row.source, row.type));
    std::uint64_t copies = 0;
    for (const EventKind& kind : kinds) {
        if (!kind.copies) {
            continue;
        }
        auto answer = ask<CountLike>(RecordOfKind{row, kind.id});
        copies += answer.next() ? answer.row() : 0;
        HELIOS_TRY(answer.status());
    }
    return copies;
}

}  // namespace helios::store
