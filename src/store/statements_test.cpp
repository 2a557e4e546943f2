#include <gtest/gtest.h>
#include <set>
#include <typeinfo>

#include "store/database.h"
#include "store/migrations.h"
#include "store/read_statements.h"
#include "store/slice_statements.h"
#include "store/test_kit.h"
#include "store/write_statements.h"

namespace helios::store {
namespace {

Database a_store(const TemporaryDirectory& folder) {
    auto database = Database::open(folder.path() + "/store.db", Database::Mode::write);
    EXPECT_TRUE(database);
    EXPECT_TRUE(migrate(*database));
    return *std::move(database);
}

/// Every parameter of the SQL is bound under its name, every column that is read is answered.
template <class S>
void expect_names_to_agree(Database& database) {
    SCOPED_TRACE(typeid(S).name());
    const auto statement = database.prepare(S::sql);
    ASSERT_TRUE(statement) << statement.error().what;
    std::set<int> bound;
    std::apply(
        [&](const auto&... parameter) {
            [[maybe_unused]] const auto expect = [&](std::string_view name) {
                const int index = statement->parameter(name);
                EXPECT_GT(index, 0) << "the SQL has no :" << name;
                EXPECT_TRUE(bound.insert(index).second) << name << " is bound twice";
            };
            (expect(parameter.name), ...);
        },
        S::parameters);
    EXPECT_EQ(bound.size(), static_cast<std::size_t>(statement->parameters()))
        << "some parameter is not bound";
    if constexpr (requires { S::columns; }) {
        std::apply(
            [&](const auto&... column) {
                [[maybe_unused]] const auto expect = [&](std::string_view name) {
                    EXPECT_GE(statement->column(name), 0) << "the SQL answers no " << name;
                };
                (expect(column.name), ...);
            },
            S::columns);
        EXPECT_EQ(std::tuple_size_v<decltype(S::columns)>,
                  static_cast<std::size_t>(statement->columns()))
            << "some column is not read";
    }
}

template <class... S>
void expect_names_of_all_to_agree(Database& database, const PreparedAll<S...>&) {
    (expect_names_to_agree<S>(database), ...);
}

TEST(Statements, bind_every_parameter_and_read_every_column_by_name) {
    const auto folder = testing::a_folder();
    auto database = a_store(folder);
    expect_names_of_all_to_agree(database, WriteStatements());
    expect_names_of_all_to_agree(database, ReadStatements());
    auto slice = *Database::open(folder.path() + "/slice.db", Database::Mode::write);
    ASSERT_TRUE(migrate(slice, FileKind::slice));
    expect_names_of_all_to_agree(slice, SliceWriteStatements());
    expect_names_of_all_to_agree(slice, SliceReadStatements());
    expect_names_to_agree<EveryRevision>(database);
    expect_names_to_agree<AppliedOffsets>(database);
}

struct NamesNothing {
    static constexpr SqlText sql{"SELECT flow FROM flows WHERE tenant = :tenant"};
    static constexpr std::tuple parameters{named("tenat", std::identity{})};
    using Row = std::string;
    static constexpr std::tuple columns{named("flow", std::identity{})};
};
struct ForgetsOne {
    static constexpr SqlText sql{"SELECT flow FROM flows WHERE tenant = :tenant"};
    static constexpr std::tuple<> parameters{};
    using Row = std::string;
    static constexpr std::tuple columns{named("flow", std::identity{})};
};
struct ReadsNothing {
    static constexpr SqlText sql{"SELECT flow FROM flows"};
    static constexpr std::tuple<> parameters{};
    using Row = std::string;
    static constexpr std::tuple columns{named("flwo", std::identity{})};
};

TEST(StatementsDeathTest, a_wrong_name_is_found_when_the_statement_is_prepared) {
    const auto folder = testing::a_folder();
    auto database = a_store(folder);
    EXPECT_DEATH((void)Prepared<NamesNothing>().prepare(database), "parameters are those");
    EXPECT_DEATH((void)Prepared<ForgetsOne>().prepare(database), "parameters are those");
    EXPECT_DEATH((void)Prepared<ReadsNothing>().prepare(database), "columns are among");
}

TEST(SqlText, words_are_the_stored_numbers_of_enumerations) {
    static constexpr SqlText sql{"status IN ({partial}, ", "{mismatched}) AND kind = {flow}"};
    EXPECT_EQ(sql.text(), "status IN (2, 3) AND kind = 1");
}

}  // namespace
}  // namespace helios::store
