#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/test_kit.h"
#include "base/hash.h"
#include "base/temporary_directory.h"
#include "sources/aws_credentials.h"
#include "sources/bearer.h"
#include "sources/vendor_test_kit.h"

namespace helios::sources {
namespace {

using http::Method;
using http::Response;
using testing::HasSubstr;

class CredentialsTest : public testing::Test {
protected:
    std::string file(const std::string& name, std::string_view text) {
        auto path = directory_.path() + "/" + name;
        std::ofstream(path) << text;
        return path;
    }
    HttpsClient client() { return HttpsClient(vendor_.https()); }

    TemporaryDirectory directory_ = *TemporaryDirectory::make("helios-credentials-");
    ManualClock clock_{parse_rfc3339("2026-01-05T10:00:00Z")->at};
    Vendor vendor_;
};

TEST_F(CredentialsTest, aws_environment_comes_first) {
    AwsCredentials aws("", "eu-central-1",
                       parts_of(clock_, {{"AWS_ACCESS_KEY_ID", "id"},
                                         {"AWS_SECRET_ACCESS_KEY", "secret"},
                                         {"AWS_SHARED_CREDENTIALS_FILE", "/nowhere"}}));
    vendor_.start();
    auto with = client();
    EXPECT_EQ(*aws.current(with), (AwsKeys{"id", "secret", ""}));
}

TEST_F(CredentialsTest, aws_file_has_profiles_and_is_read_again) {
    const auto path = file("credentials",
                           "[default]\r\naws_access_key_id = one\naws_secret_access_key=two\n"
                           "# aws_session_token = no\n[other]\naws_access_key_id=three\n"
                           "aws_secret_access_key = four\naws_session_token =five==\n");
    vendor_.start();
    auto with = client();
    AwsCredentials other("file:" + path, "", parts_of(clock_, {{"AWS_PROFILE", "other"}}));
    EXPECT_EQ(*other.current(with), (AwsKeys{"three", "four", "five=="}));
    AwsCredentials aws("", "", parts_of(clock_, {{"AWS_SHARED_CREDENTIALS_FILE", path}}));
    EXPECT_EQ(*aws.current(with), (AwsKeys{"one", "two", ""}));
    file("credentials", "[default]\naws_access_key_id=new\naws_secret_access_key=newer\n");
    clock_.advance(std::chrono::minutes(2));
    EXPECT_EQ(aws.current(with)->id, "new");
    AwsCredentials none("file:" + path, "", parts_of(clock_, {{"AWS_PROFILE", "absent"}}));
    EXPECT_EQ(none.current(with).error().kind, ErrorKind::not_found);
}

TEST_F(CredentialsTest, aws_web_identity_is_exchanged_and_renewed_before_it_expires) {
    vendor_.on(Method::post, "/", [](const http::Request&) {
        return Response::text(
            200,
            "<AssumeRoleWithWebIdentityResponse><Credentials><SessionToken>t</SessionToken>"
            "<SecretAccessKey>s</SecretAccessKey><Expiration>2026-01-05T11:00:00Z</Expiration>"
            "<AccessKeyId>ASIA</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResponse>");
    });
    vendor_.start();
    auto with = client();
    AwsCredentials aws("", "eu-central-1",
                       parts_of(clock_, {{"AWS_ROLE_ARN", "arn:aws:iam::1:role/helios"},
                                         {"AWS_WEB_IDENTITY_TOKEN_FILE", file("token", "jwt\n")},
                                         {"AWS_ENDPOINT_URL_STS", vendor_.url("/")}}));
    EXPECT_EQ(*aws.current(with), (AwsKeys{"ASIA", "s", "t"}));
    EXPECT_THAT(vendor_.asked()[0].body,
                HasSubstr("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fhelios&RoleSessionName=helios&"
                          "WebIdentityToken=jwt"));
    clock_.advance(std::chrono::minutes(54));
    EXPECT_TRUE(aws.current(with));
    EXPECT_EQ(vendor_.asked().size(), 1u) << "it holds";
    clock_.advance(std::chrono::minutes(2));
    EXPECT_TRUE(aws.current(with));
    EXPECT_EQ(vendor_.asked().size(), 2u) << "it would expire in 4 minutes";
}

TEST_F(CredentialsTest, aws_machine_gives_keys_to_who_has_a_token) {
    const std::string path = "/latest/meta-data/iam/security-credentials";
    vendor_.on(Method::put, "/latest/api/token",
               [](const http::Request&) { return Response::text(200, "imds-token"); });
    const auto with_token = [](const http::Request& request, Response answer) {
        const auto* token = request.header("X-aws-ec2-metadata-token");
        return token != nullptr && *token == "imds-token" ? std::move(answer)
                                                          : Response::empty(401);
    };
    vendor_.on(Method::get, path + "/", [&](const http::Request& request) {
        return with_token(request, Response::text(200, "helios-role"));
    });
    vendor_.on(Method::get, path + "/helios-role", [&](const http::Request& request) {
        return with_token(
            request,
            Response::json(
                200,
                R"({"AccessKeyId":"ASIA","SecretAccessKey":"s","Token":"t","Expiration":"2026-01-05T16:00:00Z"})"));
    });
    vendor_.start();
    auto with = client();
    AwsCredentials aws("metadata", "",
                       parts_of(clock_, {{"AWS_EC2_METADATA_SERVICE_ENDPOINT", vendor_.url("/")}}));
    const auto got = aws.current(with);
    ASSERT_TRUE(got) << got.error().message();
    EXPECT_EQ(*got, (AwsKeys{"ASIA", "s", "t"}));
    EXPECT_EQ(vendor_.header(0, "X-aws-ec2-metadata-token-ttl-seconds"), "300");
    EXPECT_EQ(vendor_.asked().back().path, path + "/helios-role");
}

TEST_F(CredentialsTest, aws_container_gives_keys) {
    vendor_.on(Method::get, "/v2/credentials/x", [](const http::Request&) {
        return Response::json(
            200,
            R"({"AccessKeyId":"ASIA","SecretAccessKey":"s","Token":"t","Expiration":"2026-01-05T16:00:00Z"})");
    });
    vendor_.start();
    auto with = client();
    AwsCredentials aws(
        "", "",
        parts_of(clock_, {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", vendor_.url("/v2/credentials/x")},
                          {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file("pod", "pod-token")}}));
    EXPECT_EQ(*aws.current(with), (AwsKeys{"ASIA", "s", "t"}));
    EXPECT_EQ(vendor_.header(0, "Authorization"), "pod-token");
}

TEST_F(CredentialsTest, only_a_metadata_services_own_address_is_reached_as_one) {
    vendor_.on(Method::get, "/", [](const http::Request&) { return Response::text(200, "mine"); });
    vendor_.start();
    HttpsClient nobody_stands_for_it(HttpsOptions{});
    for (const auto* host : {"127.0.0.1", "localhost", "169.254.1.1", "metadata.google.internal"}) {
        auto request = request_to(vendor_.url("/"), Reach::metadata);
        ASSERT_TRUE(request);
        request->host = host;
        const auto got = nobody_stands_for_it.perform(*request);
        ASSERT_FALSE(got) << host;
        EXPECT_EQ(got.error().kind, ErrorKind::denied) << host;
    }
    auto configured = *request_to(vendor_.url("/"), Reach::configured);
    configured.https = true;
    EXPECT_EQ(nobody_stands_for_it.perform(configured).error().kind, ErrorKind::denied)
        << "a configured host is not this machine";
    EXPECT_TRUE(vendor_.asked().empty());
}

TEST_F(CredentialsTest, a_service_account_signs_for_its_token) {
    const auto& key = auth::testing::rsa_key();
    const auth::testing::Issued pem({"helios", clock_.wall(), clock_.wall()}, key);
    vendor_.on(Method::post, "/token", [](const http::Request&) {
        return Response::json(200, R"({"access_token":"ya29","expires_in":3599})");
    });
    vendor_.start();
    json::Writer out;
    out.begin_object().field("type", "service_account").field("client_email", "helios@shop");
    out.field("private_key_id", "kid-1").field("private_key", std::string_view(pem.key_pem()));
    out.field("token_uri", std::string_view(vendor_.url("/token"))).end_object();
    auto with = client();
    const auto google = google_authorization(
        "", parts_of(clock_, {{"GOOGLE_APPLICATION_CREDENTIALS", file("key.json", out.view())}}));
    const auto got = google->current(with);
    ASSERT_TRUE(got) << got.error().message();
    EXPECT_EQ(*got, "Bearer ya29");
    const auto asked = vendor_.asked();
    const auto& body = asked.at(0).body;
    const auto jwt = body.substr(body.find("assertion=") + 10);
    const auto dot = jwt.rfind('.');
    std::string signature;
    ASSERT_TRUE(base64_decode(jwt.substr(dot + 1), signature));
    EXPECT_TRUE(key.public_key().verifies(auth::Scheme::rsa_sha256, jwt.substr(0, dot), signature));
    std::string claims;
    const auto first = jwt.find('.');
    ASSERT_TRUE(base64_decode(jwt.substr(first + 1, dot - first - 1), claims));
    EXPECT_THAT(claims, HasSubstr(R"("iss":"helios@shop")"));
    EXPECT_THAT(claims, HasSubstr(R"("scope":"https://www.googleapis.com/auth/pubsub")"));
    clock_.advance(std::chrono::minutes(50));
    EXPECT_TRUE(google->current(with));
    EXPECT_EQ(vendor_.asked().size(), 1u);
    google->forget();
    EXPECT_TRUE(google->current(with));
    EXPECT_EQ(vendor_.asked().size(), 2u);
}

TEST_F(CredentialsTest, what_is_no_service_accounts_key_is_told_without_its_text) {
    vendor_.start();
    auto with = client();
    for (
        const auto* text :
        {"", "{", R"({"type":"authorized_user","client_secret":"hush"})",
         R"({"type":"service_account","client_email":"a","token_uri":"https://x/","private_key":"hush"})"}) {
        const auto google =
            google_authorization("file:" + file("key.json", text), parts_of(clock_, {}));
        const auto got = google->current(with);
        ASSERT_FALSE(got) << text;
        EXPECT_EQ(got.error().message().find("hush"), std::string::npos);
    }
}

TEST_F(CredentialsTest, googles_machine_gives_tokens) {
    vendor_.on(Method::get, "/computeMetadata/v1/instance/service-accounts/default/token",
               [](const http::Request& request) {
                   return request.header("Metadata-Flavor") == nullptr
                              ? Response::empty(403)
                              : Response::json(200, R"({"access_token":"m","expires_in":300})");
               });
    vendor_.start();
    auto with = client();
    const auto google = google_authorization(
        "metadata", parts_of(clock_, {{"GCE_METADATA_HOST", vendor_.place()}}));
    EXPECT_EQ(*google->current(with), "Bearer m");
}

TEST_F(CredentialsTest, azures_client_secret_is_exchanged) {
    bool good = true;
    vendor_.on(Method::post, "/tenant-1/oauth2/v2.0/token", [&](const http::Request&) {
        return good ? Response::json(200, R"({"access_token":"e","expires_in":3599})")
                    : Response::json(401,
                                     R"({"error":"invalid_client","error_description":"expired"})");
    });
    vendor_.start();
    auto with = client();
    const Variables variables{{"AZURE_TENANT_ID", "tenant-1"},
                              {"AZURE_CLIENT_ID", "app"},
                              {"AZURE_CLIENT_SECRET", "se cret"},
                              {"AZURE_AUTHORITY_HOST", vendor_.url("/")}};
    EXPECT_EQ(*azure_authorization("", parts_of(clock_, variables))->current(with), "Bearer e");
    EXPECT_THAT(vendor_.asked()[0].body, HasSubstr("client_secret=se%20cret&scope=https%3A%2F%2F"
                                                   "eventgrid.azure.net%2F.default"));
    good = false;
    const auto refused = azure_authorization("environment", parts_of(clock_, variables));
    const auto got = refused->current(with);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, ErrorKind::denied);
    EXPECT_THAT(got.error().what, HasSubstr("expired"));
}

TEST_F(CredentialsTest, azures_machine_gives_tokens_with_a_number_as_text) {
    vendor_.on(Method::get, "/metadata/identity/oauth2/token", [](const http::Request& request) {
        return request.query_param("resource") == "https://eventgrid.azure.net" &&
                       request.header("Metadata") != nullptr
                   ? Response::json(200, R"({"access_token":"i","expires_in":"86399"})")
                   : Response::empty(400);
    });
    vendor_.start();
    auto with = client();
    const auto azure = azure_authorization(
        "metadata", parts_of(clock_, {{"AZURE_POD_IDENTITY_AUTHORITY_HOST", vendor_.url()}}));
    EXPECT_EQ(*azure->current(with), "Bearer i");
}

TEST(Renewed, serves_what_still_holds_while_a_renewal_fails) {
    Renewed<int> renewed;
    int asked = 0;
    bool works = true;
    const auto ask = [&]() -> Result<Issued<int>> {
        ++asked;
        if (!works) {
            return fail(ErrorKind::unavailable, "down");
        }
        return Issued<int>{asked, std::chrono::minutes(10)};
    };
    EXPECT_EQ(*renewed.get(std::chrono::minutes(0), ask), 1);
    EXPECT_EQ(*renewed.get(std::chrono::minutes(7), ask), 1);
    works = false;
    EXPECT_EQ(*renewed.get(std::chrono::minutes(8), ask), 1) << "not expired yet";
    EXPECT_EQ(*renewed.get(std::chrono::minutes(8), ask), 1);
    EXPECT_EQ(asked, 2) << "and not asked for each time";
    EXPECT_FALSE(renewed.get(std::chrono::minutes(10), ask));
    works = true;
    EXPECT_EQ(*renewed.get(std::chrono::minutes(10), ask), 4);
}

}  // namespace
}  // namespace helios::sources
