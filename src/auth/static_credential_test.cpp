#include "auth/static_credential.h"

#include <gtest/gtest.h>
#include <vector>

#include "base/hash.h"

namespace helios::auth {
namespace {

const std::vector<std::string> secrets{"old secret", "new secret"};

std::string basic(std::string_view pair) {
    return "Basic " + base64_encode(pair);
}

TEST(StaticCredential, a_value_is_one_of_the_secrets) {
    EXPECT_EQ(check_value("old secret", secrets, "aws").subject, "aws");
    EXPECT_TRUE(check_value("new secret", secrets, "aws").is_held());
    EXPECT_EQ(check_value("secret", secrets, "aws").refusal, Refusal::wrong_secret);
    EXPECT_EQ(check_value("", secrets, "aws").kind, Proof::Kind::refused);
    EXPECT_EQ(check_value(std::nullopt, secrets, "aws").kind, Proof::Kind::absent);
}

TEST(StaticCredential, nobody_is_admitted_without_a_secret) {
    EXPECT_EQ(check_value("", {}, "aws").kind, Proof::Kind::refused);
    EXPECT_EQ(check_basic(basic(":"), "", {}, "aws").kind, Proof::Kind::refused);
}

TEST(StaticCredential, a_bearer_text_is_told_from_other_schemes) {
    EXPECT_TRUE(check_bearer("Bearer new secret", secrets, "x").is_held());
    EXPECT_TRUE(check_bearer("bEARER  new secret ", secrets, "x").is_held());
    EXPECT_EQ(check_bearer("Bearer wrong", secrets, "x").kind, Proof::Kind::refused);
    EXPECT_EQ(check_bearer("Bearer", secrets, "x").kind, Proof::Kind::refused);
    for (const char* other : {"", "Basic bmV3", "Bearernew secret", "new secret"}) {
        EXPECT_EQ(check_bearer(other, secrets, "x").kind, Proof::Kind::absent) << other;
    }
    EXPECT_EQ(check_bearer(std::nullopt, secrets, "x").kind, Proof::Kind::absent);
}

TEST(StaticCredential, basic_wants_user_and_password) {
    EXPECT_EQ(check_basic(basic("sns:old secret"), "sns", secrets, "aws").subject, "aws");
    EXPECT_TRUE(check_basic(basic("sns:new secret"), "sns", secrets, "aws").is_held());
    for (const char* wrong : {"sns:secret", "SNS:new secret", ":new secret", "sns:"}) {
        EXPECT_EQ(check_basic(basic(wrong), "sns", secrets, "aws").refusal, Refusal::wrong_secret)
            << wrong;
    }
    const std::vector<std::string> with_colon{"a:b"};
    EXPECT_TRUE(check_basic(basic("sns:a:b"), "sns", with_colon, "aws").is_held());
}

TEST(StaticCredential, basic_credentials_that_are_none_are_malformed) {
    for (const std::string& wrong : {std::string("Basic "), std::string("Basic ?"),
                                     basic("no colon"), std::string("Basic c25zOm5ldw")}) {
        EXPECT_EQ(check_basic(wrong, "sns", secrets, "aws").refusal, Refusal::malformed) << wrong;
    }
    EXPECT_EQ(check_basic("Bearer x", "sns", secrets, "aws").kind, Proof::Kind::absent);
    EXPECT_EQ(check_basic(std::nullopt, "sns", secrets, "aws").kind, Proof::Kind::absent);
}

}  // namespace
}  // namespace helios::auth
