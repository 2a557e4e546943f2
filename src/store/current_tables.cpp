#include "store/current_tables.h"

#include <bit>
#include <utility>
#include <variant>

#include "store/projection.h"
#include "store/read_statements.h"

namespace helios::store {

Result<std::unique_ptr<CurrentTables>> CurrentTables::prepare(Database& database,
                                                              std::size_t kinds_max) {
    std::unique_ptr<CurrentTables> tables(new CurrentTables(database, kinds_max));
    HELIOS_TRY(tables->statements_.prepare(database));
    HELIOS_TRY(tables->read_kinds());
    return tables;
}

Status CurrentTables::read_kinds() {
    Prepared<AllQuarantineKinds> statement;
    HELIOS_TRY(statement.prepare(*database_));
    HELIOS_TRY_ASSIGN(auto kinds, statement.ask().rows());
    kinds_.clear();
    for (Kind& kind : kinds) {
        kinds_.add(std::move(kind));
    }
    return {};
}

Result<std::vector<DecidedVerdict>> CurrentTables::write(const Rows& rows,
                                                         std::span<const KnownSlice> slices) {
    auto decided = write_all(rows, slices);
    if (!decided) {
        (void)read_kinds();  // those of the batch are gone; on a file that can't be read the next
                             // statement says so
    }
    return decided;
}

Result<std::vector<DecidedVerdict>> CurrentTables::write_all(const Rows& rows,
                                                             std::span<const KnownSlice> slices) {
    HELIOS_TRY_ASSIGN(Transaction transaction, Transaction::begin_write(*database_));
    std::vector<DecidedVerdict> decided;
    Changes changes;
    HELIOS_TRY(write_quarantine(rows));
    HELIOS_TRY(write_each<InsertControl>(rows.controls));
    HELIOS_TRY(write_verdicts(rows, changes, decided));
    HELIOS_TRY(write_sums(changes));
    HELIOS_TRY(write_each<UpsertFlow>(rows.flows));
    HELIOS_TRY(write_each<AddCount>(rows.counts));
    HELIOS_TRY(write_each<SetSlice>(slices));
    HELIOS_TRY(write_offsets(rows));
    HELIOS_TRY(transaction.commit());
    return decided;
}

Status CurrentTables::write_quarantine(const Rows& rows) {
    for (const auto& row : rows.quarantine) {
        if (const auto* item = std::get_if<OfTenant<QuarantineRow>>(&row)) {
            HELIOS_TRY_ASSIGN(const std::int64_t kind, kind_for(*item));
            HELIOS_TRY(
                statements_.get<UpsertQuarantined>().run(UpsertQuarantined::Values{*item, kind}));
        } else if (const auto* repeat = std::get_if<QuarantineRepeatRow>(&row)) {
            HELIOS_TRY(statements_.get<RepeatQuarantined>().run(*repeat));
        } else {
            const auto& outcome = std::get<OfTenant<DlqOutcomeRow>>(row);
            HELIOS_TRY(statements_.get<InsertDlqOutcome>().run(outcome));
            HELIOS_TRY(statements_.get<SettleQuarantined>().run(outcome));
            if (!outcome.redrive.empty()) {
                HELIOS_TRY(statements_.get<AddToRedrive>().run(outcome));
            }
        }
    }
    for (const auto& record : rows.redrives) {
        HELIOS_TRY(record.phase == model::RedrivePhase::running
                       ? statements_.get<BeginRedrive>().run(record)
                       : statements_.get<EndRedrive>().run(record));
    }
    return {};
}

Result<std::int64_t> CurrentTables::kind_for(const OfTenant<QuarantineRow>& row) {
    return kinds_.find_or_make(
        {row.tenant.text(), row.source, row.reason},
        [this](const Kind& kind) { return statements_.get<InsertQuarantineKind>().run(kind); });
}

// ---- Cases and their sums

void CurrentTables::Changes::count(const CaseInstance& of, const CaseBefore& row, std::int64_t by) {
    open[{of.tenant, of.flow}] += row.status == model::VerdictStatus::pending ? by : 0;
    if (row.status == model::VerdictStatus::pending || !row.reconciled_at) {
        return;
    }
    const CaseFigures figures{row.status, row.kinds,
                              row.first_reconciled_at.value_or(*row.reconciled_at) - row.opened_at,
                              row.at_risk};
    CaseSums& sum = sums[{of.tenant, of.flow, SumLevel::half_minute,
                          start_of_sum(SumLevel::half_minute, *row.reconciled_at)}];
    if (by > 0) {
        sum.add(figures);
    } else {
        sum.take_out(figures);
    }
}

Status CurrentTables::write_verdicts(const Rows& rows, Changes& changes,
                                     std::vector<DecidedVerdict>& decided) {
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
        HELIOS_TRY_ASSIGN(const auto before, statements_.get<TheCase>().ask(of).rows());
        if (!before.empty() && before.front().revision >= row.revision) {
            continue;  // the case is beyond this revision
        }
        auto first = row.first_reconciled_at;
        if (!before.empty()) {
            changes.count(of, before.front(), -1);
            first = before.front().first_reconciled_at ? before.front().first_reconciled_at : first;
        }
        const CaseValues values{of, row, *id, first};
        HELIOS_TRY(before.empty() ? statements_.get<InsertCase>().run(values)
                                  : statements_.get<UpdateCase>().run(values));
        HELIOS_TRY(write_kinds(of, row, before.empty() ? 0 : before.front().kinds));
        changes.count(of,
                      {row.revision, row.status, row.kinds, row.opened_at, row.reconciled_at, first,
                       row.at_risk},
                      1);
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
Status CurrentTables::write_kinds(const CaseInstance& of, const CaseRow& row, std::int64_t before) {
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

Status CurrentTables::write_sums(const Changes& changes) {
    std::map<SumKey, CaseSums> sums;
    for (const auto& [of, sum] : changes.sums) {
        for (const SumLevel level : sum_levels) {
            sums[{of.tenant, of.flow, level, start_of_sum(level, of.start)}].add(sum);
        }
    }
    for (auto& [of, sum] : sums) {
        {
            auto there = statements_.get<TheSum>().ask(of);
            if (there.next()) {
                HELIOS_TRY_ASSIGN(const auto kept, CaseSums::decode(there.row().bytes));
                sum.add(kept);
            }
            HELIOS_TRY(there.status());
        }
        if (sum.empty()) {
            HELIOS_TRY(statements_.get<DeleteSum>().run(of));
        } else {
            const std::string body = sum.encode();
            HELIOS_TRY(statements_.get<PutSum>().run(PutSum::Values{of, body}));
        }
    }
    return write_each<AddOpen>(changes.open);
}

Status CurrentTables::write_offsets(const Rows& rows) {
    for (const auto& [id, next] : rows.next_offsets) {
        HELIOS_TRY(statements_.get<SetApplied>().run(AppliedRow{id.topic, id.index, next.value}));
    }
    return {};
}

Status CurrentTables::sum_up() {
    Prepared<EveryCase> cases;
    HELIOS_TRY(cases.prepare(*database_));
    HELIOS_TRY_ASSIGN(Transaction transaction, Transaction::begin_write(*database_));
    HELIOS_TRY(database_->execute("DELETE FROM case_sums; DELETE FROM open_cases;"));
    Changes changes;
    {
        auto answer = cases.ask();
        while (answer.next()) {
            const auto found = answer.row();
            HELIOS_TRY_ASSIGN(auto tenant, TenantId::parse(found.of.tenant));
            changes.count({std::move(tenant), found.of.flow, found.of.key, found.of.instance},
                          found.row, 1);
        }
        HELIOS_TRY(answer.status());
    }
    HELIOS_TRY(write_sums(changes));
    return transaction.commit();
}

Status CurrentTables::sum_up_if_missing() {
    HELIOS_TRY_ASSIGN(const auto flows, statements_.get<FlowsWithCases>().ask().rows());
    return flows.empty() ? sum_up() : Status{};
}

// ---- Slices, and what leaves

Status CurrentTables::keep(const KeptOptions& options) {
    HELIOS_TRY_ASSIGN(const auto kept, statements_.get<TheKeptOptions>().ask().rows());
    if (kept == std::vector{options}) {
        return {};
    }
    HELIOS_TRY_ASSIGN(Transaction transaction, Transaction::begin_write(*database_));
    HELIOS_TRY(statements_.get<ForgetOptions>().run(0));
    HELIOS_TRY(statements_.get<KeepOptions>().run(options));
    return transaction.commit();
}

Result<std::vector<KnownSlice>> CurrentTables::slices() {
    Prepared<AllSlices> statement;
    HELIOS_TRY(statement.prepare(*database_));
    return statement.ask().rows();
}

Result<Instant> CurrentTables::dropped_until() {
    Prepared<DroppedUntil> statement;
    HELIOS_TRY(statement.prepare(*database_));
    HELIOS_TRY_ASSIGN(const auto rows, statement.ask().rows());
    return rows.front();
}

Status CurrentTables::forget_slices(Instant until) {
    HELIOS_TRY_ASSIGN(Transaction transaction, Transaction::begin_write(*database_));
    HELIOS_TRY(statements_.get<ForgetSlices>().run(until));
    HELIOS_TRY(statements_.get<ForgetDropped>().run(until));
    HELIOS_TRY(statements_.get<SetDropped>().run(until));
    HELIOS_TRY(statements_.get<DeleteCounts>().run(until));
    return transaction.commit();
}

Status CurrentTables::drop_case(const CaseInstance& of, Changes& changes) {
    HELIOS_TRY_ASSIGN(const auto before, statements_.get<TheCase>().ask(of).rows());
    if (!before.empty()) {
        changes.count(of, before.front(), -1);
    }
    HELIOS_TRY(statements_.get<DeleteRevisions>().run(of));
    HELIOS_TRY(statements_.get<DeleteCaseKinds>().run(of));
    return statements_.get<DeleteCase>().run(of);
}

Result<std::vector<CaseInstance>> CurrentTables::decided_before(Instant until, std::size_t rows) {
    HELIOS_TRY_ASSIGN(const auto flows, statements_.get<FlowsWithCases>().ask().rows());
    std::vector<CaseInstance> decided;
    for (const FoundFlow& flow : flows) {
        HELIOS_TRY_ASSIGN(const auto tenant, TenantId::parse(flow.tenant));
        const FlowOfTenant of{tenant, flow.flow};
        for (const auto status : decided_statuses) {
            const DecidedBefore::Values asked{of, status, until,
                                              static_cast<std::int64_t>(rows - decided.size())};
            HELIOS_TRY_ASSIGN(const auto cases, statements_.get<DecidedBefore>().ask(asked).rows());
            for (const FoundCase& found : cases) {
                decided.push_back({tenant, found.flow, found.key, found.instance});
            }
        }
    }
    return decided;
}

Result<std::size_t> CurrentTables::drop_cases(Instant until, std::size_t rows) {
    HELIOS_TRY_ASSIGN(Transaction transaction, Transaction::begin_write(*database_));
    HELIOS_TRY_ASSIGN(const auto cases, decided_before(until, rows));
    Changes changes;
    for (const CaseInstance& of : cases) {
        HELIOS_TRY(drop_case(of, changes));
    }
    HELIOS_TRY(write_sums(changes));
    HELIOS_TRY(transaction.commit());
    return cases.size();
}

Result<std::size_t> CurrentTables::drop_quarantined(Instant until, std::size_t rows) {
    HELIOS_TRY(statements_.get<DeleteRedrives>().run(until));
    HELIOS_TRY(statements_.get<DeleteQuarantined>().run(
        DeleteQuarantined::Values{until, static_cast<std::int64_t>(rows)}));
    return static_cast<std::size_t>(database_->changes());
}

}  // namespace helios::store
