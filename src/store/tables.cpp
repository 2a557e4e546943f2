#include "store/tables.h"

#include <bit>
#include <utility>
#include <variant>

#include "store/projection.h"

namespace helios::store {

/// Sums of the batch, with what only the tables can count.
struct Tables::Counted {
    std::map<CountKey, std::uint64_t> sums;  // modulo 2^64: something may be taken from a sum
    std::vector<CountKey> lowered;

    static CountKey key_of(const OfTenant<EventRow>& row, Instant log_time, const char* counter) {
        return {row.tenant, minute_of(log_time), row.source, "store", counter};
    }
    void stored(const OfTenant<EventRow>& row) { ++sums[key_of(row, row.log_time, "stored")]; }
    void not_stored(const OfTenant<EventRow>& row, Instant log_time) {
        --sums[lowered.emplace_back(key_of(row, log_time, "stored"))];
    }
    void copy(const OfTenant<EventRow>& row, Instant log_time) {
        ++sums[key_of(row, log_time, "copies")];
    }
};

Result<std::unique_ptr<Tables>> Tables::prepare(Database& database) {
    std::unique_ptr<Tables> tables(new Tables(database));
    HELIOS_TRY(tables->statements_.prepare(database));
    return tables;
}

Result<std::vector<DecidedVerdict>> Tables::write(const Rows& rows) {
    HELIOS_TRY_ASSIGN(Transaction transaction, Transaction::begin_write(*database_));
    std::vector<DecidedVerdict> decided;
    Counted counted{rows.counts, {}};
    HELIOS_TRY(write_events(rows, counted));
    HELIOS_TRY(write_quarantine(rows));
    HELIOS_TRY(write_each<InsertCaseLeg>(rows.case_legs));
    HELIOS_TRY(write_each<InsertControl>(rows.controls));
    HELIOS_TRY(write_verdicts(rows, decided));
    HELIOS_TRY(write_each<UpsertFlow>(rows.flows));
    HELIOS_TRY(write_counts(counted));
    HELIOS_TRY(write_offsets(rows));
    HELIOS_TRY(transaction.commit());
    return decided;
}

/// Events that are new are counted as stored: which these are, only the table knows.
Status Tables::write_events(const Rows& rows, Counted& counted) {
    for (const auto& row : rows.events) {
        HELIOS_TRY(statements_.get<InsertEvent>().run(row));
        if (database_->changes() == 1) {
            counted.stored(row);
        } else {
            HELIOS_TRY(write_further_record(row, counted));
        }
    }
    return {};
}

/// The event has a row. Of its records the least is the row and the others are copies, in whatever
/// order they are read.
Status Tables::write_further_record(const OfTenant<EventRow>& row, Counted& counted) {
    HELIOS_TRY_ASSIGN(const auto found, statements_.get<EventLike>().ask(row).rows());
    if (found.empty() || found.front() == row.place()) {
        return {};  // this very record
    }
    EventPlace copy = row.place();
    if (copy < found.front()) {
        copy = found.front();
        HELIOS_TRY(statements_.get<DeleteEvent>().run(copy));
        HELIOS_TRY(statements_.get<InsertEvent>().run(row));
        counted.not_stored(row, copy.log_time);
        counted.stored(row);
    }
    HELIOS_TRY(statements_.get<InsertCopy>().run(InsertCopy::Values{row, copy}));
    if (database_->changes() == 1) {
        counted.copy(row, copy.log_time);
    }
    return {};
}

Status Tables::write_counts(const Counted& counted) {
    HELIOS_TRY(write_each<AddCount>(counted.sums));
    return write_each<DeleteEmptyCount>(counted.lowered);
}

Status Tables::write_quarantine(const Rows& rows) {
    for (const auto& row : rows.quarantine) {
        if (const auto* item = std::get_if<OfTenant<QuarantineRow>>(&row)) {
            HELIOS_TRY(statements_.get<UpsertQuarantined>().run(*item));
        } else {
            HELIOS_TRY(
                statements_.get<RepeatQuarantined>().run(std::get<QuarantineRepeatRow>(row)));
        }
    }
    return {};
}

Status Tables::write_verdicts(const Rows& rows, std::vector<DecidedVerdict>& decided) {
    std::vector<std::optional<std::int64_t>> ids;  // none: that revision was here already
    ids.reserve(rows.verdicts.size());
    for (const auto& row : rows.verdicts) {
        HELIOS_TRY(statements_.get<InsertVerdict>().run(row));
        ids.push_back(database_->changes() == 1 ? std::optional(database_->last_insert_id())
                                                : std::nullopt);
    }
    for (const auto& [of, row] : rows.cases) {
        const auto id = ids[row.verdict];
        if (!id) {
            continue;
        }
        HELIOS_TRY_ASSIGN(const auto found, statements_.get<CaseBefore>().ask(of).rows());
        const auto before = found.empty() ? CaseBefore::Row{} : found.front();
        if (!found.empty() && before.revision >= row.revision) {
            continue;  // the case is beyond this revision
        }
        const auto first =
            before.first_reconciled_at ? before.first_reconciled_at : row.first_reconciled_at;
        const CaseValues values{of, row, *id, first};
        HELIOS_TRY(found.empty() ? statements_.get<InsertCase>().run(values)
                                 : statements_.get<UpdateCase>().run(values));
        HELIOS_TRY(write_kinds(of, row, before.kinds));
        for (std::optional<std::size_t> i = row.verdict; i; i = rows.verdicts[*i].before) {
            const VerdictRow& verdict = rows.verdicts[*i];
            if (ids[*i] && verdict.reconciled_at) {
                decided.push_back({verdict.at, verdict.opened_at, *verdict.reconciled_at,
                                   first == verdict.reconciled_at});
            }
        }
    }
    return {};
}

/// Few cases have a finding, so that nothing is written for most.
Status Tables::write_kinds(const CaseInstance& of, const CaseRow& row, std::int64_t before) {
    for (auto bits = static_cast<std::uint64_t>(row.kinds | before); bits != 0; bits &= bits - 1) {
        const CaseKindValues values{of, row, std::countr_zero(bits)};
        if ((row.kinds >> values.kind & 1) != 0) {
            HELIOS_TRY(statements_.get<UpsertCaseKind>().run(values));
        } else {
            HELIOS_TRY(statements_.get<DeleteCaseKind>().run(values));
        }
    }
    return {};
}

Status Tables::write_offsets(const Rows& rows) {
    for (const auto& [id, next] : rows.next_offsets) {
        HELIOS_TRY(statements_.get<SetApplied>().run(AppliedRow{id.topic, id.index, next.value}));
    }
    return {};
}

}  // namespace helios::store
