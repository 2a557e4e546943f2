#pragma once
/// The tables of what is current: cases and their verdicts, quarantine, flows, counts, kept sums,
/// and which slices there are. Takes its rows of a batch in, with the offsets they account for.
///
/// What is there already stays as it is, so that a second delivery changes no row; sums (`counts`,
/// `quarantine.times`) rely on rows and offsets committing together. Private to the room.

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "log/log.h"
#include "store/case_sums.h"
#include "store/database.h"
#include "store/slice.h"
#include "store/write_statements.h"

namespace helios::store {

/// Not thread-safe; must not outlive the database.
class CurrentTables {
public:
    static Result<std::unique_ptr<CurrentTables>> prepare(Database& database,
                                                          std::size_t kinds_max);

    /// One transaction: all of it or nothing, and what there is new to know of slices. Errors are
    /// the database's.
    Result<std::vector<DecidedVerdict>> write(const Rows& rows, std::span<const KnownSlice> slices);

    /// Writes down what a store that is made anew must do alike, if it has changed.
    Status keep(const KeptOptions& options);

    Result<std::vector<KnownSlice>> slices();
    Result<Instant> dropped_until();
    /// Slices that end by then are gone, and so are counts of minutes before it.
    Status forget_slices(Instant until);

    /// Sums of all cases that are here, made anew.
    Status sum_up();
    /// The same where nothing is summed up, as after a step that changes what sums are kept.
    Status sum_up_if_missing();

    /// At most `rows` cases whose last decision came before `until` leave, with their revisions;
    /// how many did.
    Result<std::size_t> drop_cases(Instant until, std::size_t rows);
    /// The same of what came last before `until` and waits in quarantine.
    Result<std::size_t> drop_quarantined(Instant until, std::size_t rows);

private:
    CurrentTables(Database& database, std::size_t kinds_max)
        : database_(&database), kinds_(kinds_max) {}
    Status read_kinds();
    Result<std::vector<DecidedVerdict>> write_all(const Rows& rows,
                                                  std::span<const KnownSlice> slices);
    Result<std::int64_t> kind_for(const OfTenant<QuarantineRow>& row);
    /// What a batch adds to kept sums and takes from them.
    struct Changes {
        std::map<SumKey, CaseSums> sums;  ///< of half minutes
        std::map<FlowOfTenant, std::int64_t> open;
        void count(const CaseInstance& of, const CaseBefore& row, std::int64_t by);
    };
    Status write_quarantine(const Rows& rows);
    Status write_verdicts(const Rows& rows, Changes& changes, std::vector<DecidedVerdict>& decided);
    Status write_kinds(const CaseInstance& of, const CaseRow& row, std::int64_t before);
    Status write_sums(const Changes& changes);
    Status write_offsets(const Rows& rows);
    Result<std::vector<CaseInstance>> decided_before(Instant until, std::size_t rows);
    Status drop_case(const CaseInstance& of, Changes& changes);
    template <class S>
    Status write_each(const auto& rows) {
        for (const auto& row : rows) {
            HELIOS_TRY(statements_.get<S>().run(row));
        }
        return {};
    }

    Database* database_;
    WriteStatements statements_;
    Kinds kinds_;  ///< of what is in quarantine
};

}  // namespace helios::store
