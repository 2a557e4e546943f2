#include "store/slice_file.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "store/migrations.h"
#include "store/projection.h"
#include "store/slice_range.h"

namespace helios::store {

SliceFile::SliceFile(Database database, const SliceRange& range, std::size_t kinds_max)
    : database_(std::move(database)), range_(range), kinds_(kinds_max) {}

Result<std::unique_ptr<SliceFile>> SliceFile::open(const std::filesystem::path& file,
                                                   const SliceRange& range, std::size_t kinds_max,
                                                   std::size_t cache_bytes) {
    HELIOS_TRY_ASSIGN(Database database, Database::open(file, Database::Mode::write));
    HELIOS_TRY(migrate(database, FileKind::slice));
    HELIOS_TRY(database.set_cache_bytes(cache_bytes));
    std::unique_ptr<SliceFile> slice(new SliceFile(std::move(database), range, kinds_max));
    HELIOS_TRY(slice->statements_.prepare(slice->database_));
    HELIOS_TRY(slice->statements_.get<SetRange>().run(range));
    HELIOS_TRY(expect_range(slice->database_, range));
    HELIOS_TRY(slice->read_kinds());
    return slice;
}

Status SliceFile::read_kinds() {
    kinds_.clear();
    HELIOS_TRY_ASSIGN(auto kinds, statements_.get<AllKinds>().ask().rows());
    for (Kind& kind : kinds) {
        kinds_.add(std::move(kind));
    }
    return {};
}

// ---- The transaction

Status SliceFile::begin() {
    if (!transaction_) {
        HELIOS_TRY_ASSIGN(auto transaction, Transaction::begin_write(database_));
        transaction_.emplace(std::move(transaction));
    }
    return {};
}

Status SliceFile::commit() {
    HELIOS_TRY(write_counts());
    HELIOS_TRY(transaction_->commit());
    transaction_.reset();
    counts_.clear();
    return {};
}

void SliceFile::roll_back() {
    if (!transaction_) {
        return;
    }
    transaction_.reset();
    counts_.clear();
    (void)read_kinds();  // those of the batch are gone; on a file that can't be read the next
                         // statement says so
}

Status SliceFile::write_counts() {
    for (const auto& sum : counts_) {
        HELIOS_TRY(statements_.get<AddStored>().run(sum));
        if (sum.second <= 0) {
            HELIOS_TRY(statements_.get<DeleteEmptyStored>().run(sum.first));
        }
    }
    return {};
}

void SliceFile::count(const OfTenant<EventRow>& row, Instant log_time, bool copy, std::int64_t by) {
    counts_[{row.tenant, minute_of(log_time), row.source, copy ? "copies" : "stored"}] += by;
}

// ---- Kinds

std::optional<std::int64_t> SliceFile::find_kind(const OfTenant<EventRow>& row, bool copies) const {
    return kinds_.find({row.tenant.text(), row.source, row.type, copies});
}

Result<std::int64_t> SliceFile::kind_for(const OfTenant<EventRow>& row, bool copies) {
    return kinds_.find_or_make(
        {row.tenant.text(), row.source, row.type, copies},
        [this](const Kind& kind) { return statements_.get<InsertKind>().run(kind); });
}

// ---- What is there

template <class S>
Result<bool> SliceFile::any(const OfTenant<EventRow>& row, std::optional<std::int64_t> kind,
                            Instant bound) {
    if (!kind) {
        return false;
    }
    auto answer = statements_.get<S>().ask(RecordOfKind{row, *kind, bound});
    const bool there = answer.next();
    HELIOS_TRY(answer.status());
    return there;
}

Result<bool> SliceFile::has_like(const OfTenant<EventRow>& row) {
    for (const bool copies : {false, true}) {
        HELIOS_TRY_ASSIGN(const bool there, any<AnyLike>(row, find_kind(row, copies)));
        if (there) {
            return true;
        }
    }
    return false;
}

Result<bool> SliceFile::has_like_before(const OfTenant<EventRow>& row, Instant from) {
    for (const bool copies : {false, true}) {
        HELIOS_TRY_ASSIGN(const bool there, any<LikeBefore>(row, find_kind(row, copies), from));
        if (there) {
            return true;
        }
    }
    return false;
}

Result<std::optional<EventPlace>> SliceFile::row_after(const OfTenant<EventRow>& row,
                                                       Instant until) {
    const auto kind = find_kind(row, false);
    if (!kind) {
        return std::nullopt;
    }
    auto answer = statements_.get<LikeAfter>().ask(RecordOfKind{row, *kind, until});
    const bool there = answer.next();
    HELIOS_TRY(answer.status());
    return there ? std::optional(answer.row()) : std::nullopt;
}

// ---- Changes

Status SliceFile::put_event(const OfTenant<EventRow>& row, bool copy) {
    HELIOS_TRY_ASSIGN(const bool was_copy, any<RecordThere>(row, find_kind(row, true)));
    if (was_copy) {
        return {};  // and stays one, also if what it is a copy of has left
    }
    if (copy) {
        HELIOS_TRY_ASSIGN(const bool was_row, any<RecordThere>(row, find_kind(row, false)));
        if (was_row) {
            return make_copy(row, row.place());
        }
    }
    HELIOS_TRY_ASSIGN(const std::int64_t kind, kind_for(row, copy));
    HELIOS_TRY(statements_.get<InsertRecord>().run(RecordOfKind{row, kind}));
    if (database_.changes() == 1) {
        count(row, row.log_time, copy, 1);
    }
    return {};
}

Status SliceFile::make_copy(const OfTenant<EventRow>& like, const EventPlace& place) {
    HELIOS_TRY_ASSIGN(const std::int64_t from, kind_for(like, false));
    HELIOS_TRY_ASSIGN(const std::int64_t to, kind_for(like, true));
    HELIOS_TRY(statements_.get<MoveRecord>().run(MoveRecord::Values{place, from, to}));
    if (database_.changes() == 1) {
        count(like, place.log_time, false, -1);
        count(like, place.log_time, true, 1);
    }
    return {};
}

Status SliceFile::put_leg(const CaseLegRow& leg) {
    return statements_.get<InsertCaseLeg>().run(leg);
}

Status SliceFile::put_offset(const AppliedRow& row) {
    return statements_.get<SetApplied>().run(row);
}

}  // namespace helios::store
