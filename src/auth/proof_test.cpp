#include "auth/proof.h"

#include <gtest/gtest.h>
#include <set>

#include "auth/constant_time.h"

namespace helios::auth {
namespace {

const Proof held = Proof::held("ann");
const Proof forged = Proof::forged("not signed by the key it names");
const Proof refused = Proof::refused(Refusal::expired, "expired");
const Proof absent;

TEST(Proof, any_that_holds_wins_then_forged_then_refused) {
    EXPECT_EQ(combined({absent, refused, forged, held}).kind, Proof::Kind::held);
    EXPECT_EQ(combined({held, forged}).subject, "ann");
    EXPECT_EQ(combined({absent, refused, forged}).kind, Proof::Kind::forged);
    EXPECT_EQ(combined({refused, absent}).kind, Proof::Kind::refused);
    EXPECT_EQ(combined({absent, absent}).kind, Proof::Kind::absent);
    EXPECT_EQ(combined(std::span<const Proof>()).kind, Proof::Kind::absent);
}

TEST(Proof, of_equals_the_first_counts) {
    EXPECT_EQ(combined({held, Proof::held("bob")}).subject, "ann");
    EXPECT_EQ(combined({refused, Proof::refused(Refusal::topic, "")}).refusal, Refusal::expired);
}

TEST(Proof, a_sender_is_what_a_proof_is_of_unless_it_says_more) {
    EXPECT_EQ(held.roles, Roles{Role::sender});
    EXPECT_FALSE(held.sources.has_value());
}

TEST(Proof, every_refusal_has_a_name_of_its_own) {
    std::set<std::string_view> names;
    for (const Refusal refusal : all_refusals) {
        names.insert(to_string(refusal));
    }
    EXPECT_EQ(names.size(), all_refusals.size());
    EXPECT_EQ(all_refusals.size(), static_cast<std::size_t>(Refusal::keys_unavailable) + 1);
}

TEST(ConstantTime, texts_are_equal_or_not) {
    EXPECT_TRUE(equal_in_constant_time("", ""));
    EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
    EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
    EXPECT_FALSE(equal_in_constant_time("abc", "Abc"));
    EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
    EXPECT_FALSE(equal_in_constant_time("", "a"));
}

TEST(ConstantTime, one_of_several_is_found_wherever_it_stands) {
    const std::vector<std::string> secrets{"old", "newer", "newest"};
    for (const std::string& secret : secrets) {
        EXPECT_TRUE(is_one_of(secret, secrets));
    }
    EXPECT_FALSE(is_one_of("new", secrets));
    EXPECT_FALSE(is_one_of("", secrets));
    EXPECT_FALSE(is_one_of("old", {}));
}

}  // namespace
}  // namespace helios::auth
