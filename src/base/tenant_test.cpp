#include "base/tenant.h"

#include <gtest/gtest.h>
#include <type_traits>

namespace helios {
namespace {

static_assert(!std::is_default_constructible_v<TenantId>);
static_assert(!std::is_constructible_v<TenantId, std::string>, "only parse() makes one");

TEST(TenantId, is_a_short_word_of_few_letters) {
    for (const std::string& text :
         {std::string("a"), std::string("default"), std::string("shop-7_eu"), std::string("0"),
          std::string(64, 'z')}) {
        const auto tenant = TenantId::parse(text);
        ASSERT_TRUE(tenant) << text;
        EXPECT_EQ(tenant->text(), text);
    }
    EXPECT_EQ(*TenantId::parse("default"), default_tenant());
}

TEST(TenantId, anything_else_is_none) {
    using namespace std::string_literals;
    for (const std::string& text : {""s, " "s, "A"s, "../"s, "a/b"s, "a.b"s, "a\0b"s, "é"s, "a b"s,
                                    "a\n"s, "*"s, std::string(65, 'a'), std::string(1024, 'a')}) {
        const auto tenant = TenantId::parse(text);
        ASSERT_FALSE(tenant) << text;
        EXPECT_EQ(tenant.error().kind, ErrorKind::invalid);
        EXPECT_LT(tenant.error().what.size(), 100u);
    }
}

}  // namespace
}  // namespace helios
