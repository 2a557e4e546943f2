#include "base/result.h"

#include <gtest/gtest.h>
#include <memory>
#include <set>

#include "base/assert.h"

namespace helios {
namespace {

Result<std::unique_ptr<int>> make(bool good) {
    if (!good) {
        return fail(ErrorKind::exhausted, "no room", "retry later");
    }
    return std::make_unique<int>(7);
}

Result<int> twice(bool good) {
    HELIOS_TRY_ASSIGN(auto value, make(good));
    return *value * 2;
}

Status check(bool good, bool& went_on) {
    HELIOS_TRY(twice(good));
    went_on = true;
    return {};
}

TEST(Result, try_passes_values_on_and_errors_up) {
    EXPECT_EQ(twice(true), 14);
    const auto failed = twice(false);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error(), (Error{ErrorKind::exhausted, "no room", "retry later"}));

    bool went_on = false;
    EXPECT_FALSE(check(false, went_on));
    EXPECT_FALSE(went_on);
    EXPECT_TRUE(check(true, went_on));
    EXPECT_TRUE(went_on);
}

TEST(Result, message_joins_what_and_hint) {
    EXPECT_EQ((Error{ErrorKind::invalid, "the key is empty", ""}.message()), "the key is empty");
    EXPECT_EQ((Error{ErrorKind::invalid, "the key is empty", "give one"}.message()),
              "the key is empty; give one");
}

TEST(Result, every_kind_has_its_own_name) {
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(ErrorKind::stopping); ++i) {
        names.insert(to_string(static_cast<ErrorKind>(i)));
    }
    EXPECT_EQ(names.size(), 9u);
    EXPECT_FALSE(names.contains("unknown"));
}

TEST(AssertDeathTest, says_condition_message_and_place) {
    HELIOS_ASSERT(1 + 1 == 2, "never seen");
    EXPECT_DEATH(HELIOS_ASSERT(1 + 1 == 3, "sums are broken"),
                 "result_test.cpp:[0-9]+: assertion failed: 1 \\+ 1 == 3: sums are broken");
}

}  // namespace
}  // namespace helios
