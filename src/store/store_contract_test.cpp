#include "store/store_contract.h"

#include <gtest/gtest.h>

#include "store/tables.h"

namespace helios::store {
namespace {

class SqliteBackend {
public:
    SqliteBackend() : clock_(testing::epoch_of_tests) {
        options_.file = folder_.path() + "/current.db";
        auto opened = Tables::open(options_);
        HELIOS_ASSERT(opened.has_value(), "the store opens");
        tables_ = *std::move(opened);
        queries_ = Queries::open(options_, clock_).value();
    }
    auto write(const Rows& rows) { return tables_->write(rows); }
    Queries& queries() { return *queries_; }
    log::Offsets applied() { return tables_->lowest().value(); }

private:
    TemporaryDirectory folder_ = testing::a_folder();
    ManualClock clock_;
    Options options_;
    std::unique_ptr<Tables> tables_;
    std::unique_ptr<Queries> queries_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(sqlite, StoreContract, SqliteBackend);

}  // namespace
}  // namespace helios::store
