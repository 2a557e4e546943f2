#include "sources/sigv4.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace helios::sources {
namespace {

/// AWS's published test suite ("AWS4 signature test suite") has these keys, this time, this
/// service.
const AwsKeys keys{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};

HttpsRequest vector_request(std::string target) {
    HttpsRequest request;
    request.host = "example.amazonaws.com";
    request.target = std::move(target);
    return request;
}

std::string authorization(HttpsRequest request, const AwsKeys& with = keys) {
    sign_v4(request, with, "us-east-1", "service", parse_rfc3339("2015-08-30T12:36:00Z")->at);
    const auto found = std::ranges::find(request.headers, "Authorization",
                                         [](const auto& h) -> const auto& { return h.first; });
    return found == request.headers.end() ? "" : found->second;
}

std::string expected(std::string_view headers, std::string_view signature) {
    return "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
           "SignedHeaders=" +
           std::string(headers) + ", Signature=" + std::string(signature);
}

TEST(SigV4, get_vanilla) {
    EXPECT_EQ(authorization(vector_request("/")),
              expected("host;x-amz-date",
                       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"));
}

TEST(SigV4, get_vanilla_query_order_key_case) {
    EXPECT_EQ(authorization(vector_request("/?Param2=value2&Param1=value1")),
              expected("host;x-amz-date",
                       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"));
}

TEST(SigV4, get_header_value_trim) {
    auto request = vector_request("/");
    request.headers = {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}};
    EXPECT_EQ(authorization(request),
              expected("host;my-header1;my-header2;x-amz-date",
                       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"));
}

TEST(SigV4, post_vanilla) {
    auto request = vector_request("/");
    request.post = true;
    EXPECT_EQ(authorization(request),
              expected("host;x-amz-date",
                       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"));
}

TEST(SigV4, post_x_www_form_urlencoded) {
    auto request = vector_request("/");
    request.post = true;
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    request.body = "Param1=value1";
    EXPECT_EQ(authorization(request),
              expected("content-type;host;x-amz-date",
                       "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"));
}

TEST(SigV4, a_session_token_is_signed_too) {
    auto with = keys;
    with.token = "AQoDYXdzEPT//////////wEXAMPLE";
    EXPECT_NE(authorization(vector_request("/"), with).find("host;x-amz-date;x-amz-security-token"),
              std::string::npos);
}

TEST(SigV4, a_port_of_its_own_is_part_of_the_host) {
    auto request = vector_request("/");
    request.port = 8443;
    sign_v4(request, keys, "us-east-1", "service", parse_rfc3339("2015-08-30T12:36:00Z")->at);
    EXPECT_EQ(request.headers.front().second, "example.amazonaws.com:8443");
}

}  // namespace
}  // namespace helios::sources
