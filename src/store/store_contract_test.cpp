#include "store/store_contract.h"

#include <gtest/gtest.h>

#include "store/migrations.h"
#include "store/tables.h"

namespace helios::store {
namespace {

class SqliteBackend {
public:
    SqliteBackend() : clock_(testing::epoch_of_tests) {
        options_.file = folder_.path() + "/store.db";
        auto opened = Database::open(options_.file, Database::Mode::write);
        HELIOS_ASSERT(opened.has_value() && migrate(*opened).has_value(), "the store opens");
        database_ = std::make_unique<Database>(*std::move(opened));
        tables_ = Tables::prepare(*database_).value();
        queries_ = Queries::open(options_, clock_).value();
    }
    auto write(const Rows& rows) { return tables_->write(rows); }
    Queries& queries() { return *queries_; }
    log::Offsets applied() { return applied_offsets(*database_).value(); }

private:
    TemporaryDirectory folder_ = testing::a_folder();
    ManualClock clock_;
    Options options_;
    std::unique_ptr<Database> database_;
    std::unique_ptr<Tables> tables_;
    std::unique_ptr<Queries> queries_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(sqlite, StoreContract, SqliteBackend);

}  // namespace
}  // namespace helios::store
