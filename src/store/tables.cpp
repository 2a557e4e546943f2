#include "store/tables.h"

#include <algorithm>
#include <utility>

#include "store/dump.h"
#include "store/file_set.h"
#include "store/migrations.h"
#include "store/single_file.h"

namespace helios::store {

Result<std::unique_ptr<Tables>> Tables::open(const Options& options) {
    HELIOS_TRY(split_single_file(options));
    std::unique_ptr<Tables> tables(new Tables(options));
    HELIOS_TRY(tables->open_current());
    HELIOS_TRY(tables->current_->keep({options.slice.count(), options.copies_within.count()}));
    HELIOS_TRY_ASSIGN(const auto known, tables->current_->slices());
    HELIOS_TRY_ASSIGN(const Instant dropped_until, tables->current_->dropped_until());
    HELIOS_TRY_ASSIGN(tables->slices_, Slices::open(options, known, dropped_until));
    HELIOS_TRY_ASSIGN(tables->applied_, applied_offsets(*tables->database_));
    if (!tables->slices_->news().empty()) {  // questions go by what the current file knows
        HELIOS_TRY(tables->write({}));
    }
    return tables;
}

Status Tables::open_current() {
    HELIOS_TRY_ASSIGN(Database database, Database::open(options_.file, Database::Mode::write));
    HELIOS_TRY(migrate(database));
    HELIOS_TRY(database.set_cache_bytes(options_.write_cache_bytes));
    auto owned = std::make_unique<Database>(std::move(database));
    HELIOS_TRY_ASSIGN(auto tables, CurrentTables::prepare(*owned, options_.kinds_max));
    HELIOS_TRY(tables->sum_up_if_missing());
    current_ = std::move(tables);  // before the database that its statements belong to
    database_ = std::move(owned);
    return {};
}

Result<std::vector<DecidedVerdict>> Tables::write(const Rows& rows) {
    HELIOS_TRY(slices_->write(rows, applied_));
    HELIOS_TRY_ASSIGN(auto decided, current_->write(rows, slices_->news()));
    slices_->told();
    for (const auto& [partition, next] : rows.next_offsets) {
        Offset& applied = applied_[partition];
        applied = std::max(applied, next);
    }
    return decided;
}

bool Tables::is_current(const Position& at) const {
    const auto found = applied_.find(at.partition);
    return found != applied_.end() && at.offset < found->second;
}

// ---- What leaves

Result<Dropped> Tables::drop_expired(Instant now) {
    const std::size_t rows = options_.rows_per_retention;
    Dropped dropped;
    if (const auto gone = slices_->expired(now); !gone.empty()) {
        const Instant until = gone.back().end;
        HELIOS_TRY(current_->forget_slices(until));
        slices_->drop(gone, until);
        dropped.slices = gone.size();
    }
    if (options_.keep_cases > Duration::zero()) {
        HELIOS_TRY_ASSIGN(dropped.cases, current_->drop_cases(now - options_.keep_cases, rows));
    }
    if (options_.keep_quarantine > Duration::zero()) {
        HELIOS_TRY_ASSIGN(dropped.items,
                          current_->drop_quarantined(now - options_.keep_quarantine, rows));
    }
    dropped.more = dropped.cases == rows || dropped.items == rows;
    return dropped;
}

// ---- Files

std::vector<std::filesystem::path> Tables::open_files() const {
    auto files = slices_->open_files();
    files.push_back(options_.file);
    return files;
}

Status Tables::remake(const std::vector<std::filesystem::path>& files) {
    for (const auto& file : files) {
        if (file == options_.file) {
            HELIOS_TRY(remake_file_set(*database_, file));
            HELIOS_TRY(open_current());
        } else {
            HELIOS_TRY(slices_->remake(file));
        }
    }
    return {};
}

}  // namespace helios::store
