#include "sources/bearer.h"

#include <fmt/format.h>

#include "auth/crypto.h"
#include "auth/file.h"
#include "auth/secret.h"
#include "base/hash.h"
#include "base/json.h"

namespace helios::sources {
namespace {

constexpr std::size_t file_bytes_max = 64u << 10;
/// A file may be written anew at any time.
constexpr Duration file_holds = std::chrono::minutes(1);
constexpr std::string_view pubsub_scope = "https://www.googleapis.com/auth/pubsub";
constexpr std::string_view eventgrid_resource = "https://eventgrid.azure.net";
constexpr std::string_view form = "application/x-www-form-urlencoded";

using Answered = Result<Issued<std::string>>;

/// RFC 6749: {"access_token": …, "expires_in": …}; Azure writes the number as text.
Answered token_in(const HttpsAnswer& answer, std::string_view where) {
    if (answer.status != 200) {
        const auto problem = json::Document::parse(answer.body);
        const auto root = problem ? problem->root() : json::Value();
        return fail(error_of_answer(answer, where, root.find("error").text(),
                                    root.find("error_description").text()));
    }
    HELIOS_TRY_ASSIGN(const auto document, object_in(answer, where));
    const auto token = document.root().find("access_token");
    const auto seconds =
        parse_duration(std::string(document.root().find("expires_in").text()) + "s");
    if (!token.is_string() || token.text().empty()) {
        return fail(ErrorKind::corrupt, fmt::format("{} answers without a token", where));
    }
    return Issued<std::string>{"Bearer " + std::string(token.text()),
                               seconds ? *seconds : file_holds};
}

class NoAuthorization final : public Authorization {
public:
    explicit NoAuthorization(CredentialParts parts) : Authorization(std::move(parts)) {}

private:
    Answered ask(HttpsClient&) const override { return Issued<std::string>{"", {}}; }
};

/// RFC 7523: a JWT that the account's own key has signed, for a token.
class ServiceAccount final : public Authorization {
public:
    ServiceAccount(std::string path, CredentialParts parts)
        : Authorization(std::move(parts)), path_(std::move(path)) {}

private:
    Answered ask(HttpsClient& client) const override {
        HELIOS_TRY_ASSIGN(const auto text, auth::read_file(path_, file_bytes_max));
        const auto document = json::Document::parse(text);
        const auto root = document ? document->root() : json::Value();
        const auto member = [&](std::string_view name) {
            return std::string(root.find(name).text());
        };
        const auto email = member("client_email");
        const auto token_uri = member("token_uri");
        if (member("type") != "service_account" || email.empty() || token_uri.empty()) {
            return fail(ErrorKind::invalid, path_ + " is no key of a service account",
                        "gcloud iam service-accounts keys create writes one");
        }
        const auto now = parts_.clock.wall().time_since_epoch() / std::chrono::seconds(1);
        json::Writer header;
        header.begin_object().field("alg", "RS256").field("typ", "JWT");
        header.field("kid", std::string_view(member("private_key_id"))).end_object();
        json::Writer claims;
        claims.begin_object().field("iss", std::string_view(email)).field("scope", pubsub_scope);
        claims.field("aud", std::string_view(token_uri));
        claims.field("iat", std::int64_t{now}).field("exp", std::int64_t{now + 3600}).end_object();
        auto jwt = base64url_encode(header.view()) + "." + base64url_encode(claims.view());
        auto signature = auth::sign_rsa_sha256(member("private_key"), jwt);
        if (!signature) {
            return fail(ErrorKind::invalid, path_ + ": " + signature.error().what);
        }
        jwt += "." + base64url_encode(*signature);
        HELIOS_TRY_ASSIGN(auto request, request_to(token_uri, Reach::configured));
        request.post = true;
        request.headers.emplace_back("Content-Type", form);
        request.body = form_of(
            {{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"}, {"assertion", jwt}});
        HELIOS_TRY_ASSIGN(const auto answer, client.perform(request));
        return token_in(answer, request.host);
    }

    const std::string path_;
};

class GoogleMetadata final : public Authorization {
public:
    explicit GoogleMetadata(CredentialParts parts) : Authorization(std::move(parts)) {}

private:
    Answered ask(HttpsClient& client) const override {
        const auto named = parts_.variable("GCE_METADATA_HOST");
        HELIOS_TRY_ASSIGN(
            auto request,
            request_to(
                fmt::format("http://{}/computeMetadata/v1/instance/service-accounts/default/token",
                            named.empty() ? std::string(metadata_hosts.front()) : named),
                Reach::metadata));
        request.headers.emplace_back("Metadata-Flavor", "Google");
        HELIOS_TRY_ASSIGN(const auto answer, client.perform(request));
        return token_in(answer, "the machine's metadata service");
    }
};

class AccessKey final : public Authorization {
public:
    AccessKey(std::string reference, CredentialParts parts)
        : Authorization(std::move(parts)), reference_(std::move(reference)) {}

private:
    Answered ask(HttpsClient&) const override {
        HELIOS_TRY_ASSIGN(auto reference, auth::parse_secret_reference(reference_));
        const bool file = reference.kind == auth::SecretReference::Kind::file;
        HELIOS_TRY_ASSIGN(const auto secrets,
                          auth::Secrets::open({std::move(reference)}, parts_.environment,
                                              parts_.clock.monotonic()));
        return Issued<std::string>{"SharedAccessKey " + secrets->current()->front(),
                                   file ? std::optional(file_holds) : std::nullopt};
    }

    const std::string reference_;
};

class ClientSecret final : public Authorization {
public:
    explicit ClientSecret(CredentialParts parts) : Authorization(std::move(parts)) {}

private:
    Answered ask(HttpsClient& client) const override {
        const auto tenant = parts_.variable("AZURE_TENANT_ID");
        const auto id = parts_.variable("AZURE_CLIENT_ID");
        const auto secret = parts_.variable("AZURE_CLIENT_SECRET");
        if (tenant.empty() || id.empty() || secret.empty()) {
            return fail(ErrorKind::not_found,
                        "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET are not all set");
        }
        auto authority = parts_.variable("AZURE_AUTHORITY_HOST");
        if (authority.empty()) {
            authority = "https://login.microsoftonline.com";
        }
        while (authority.ends_with('/')) {
            authority.pop_back();
        }
        HELIOS_TRY_ASSIGN(auto request,
                          request_to(fmt::format("{}/{}/oauth2/v2.0/token", authority, tenant),
                                     Reach::configured));
        request.post = true;
        request.headers.emplace_back("Content-Type", form);
        request.body = form_of({{"grant_type", "client_credentials"},
                                {"client_id", id},
                                {"client_secret", secret},
                                {"scope", std::string(eventgrid_resource) + "/.default"}});
        HELIOS_TRY_ASSIGN(const auto answer, client.perform(request));
        return token_in(answer, request.host);
    }
};

class ManagedIdentity final : public Authorization {
public:
    explicit ManagedIdentity(CredentialParts parts) : Authorization(std::move(parts)) {}

private:
    Answered ask(HttpsClient& client) const override {
        const auto named = parts_.variable("AZURE_POD_IDENTITY_AUTHORITY_HOST");
        const auto host = named.empty() ? fmt::format("http://{}", metadata_hosts.front()) : named;
        const auto id = parts_.variable("AZURE_CLIENT_ID");
        auto query = form_of({{"api-version", "2018-02-01"}, {"resource", eventgrid_resource}});
        if (!id.empty()) {
            query += "&" + form_of({{"client_id", id}});
        }
        HELIOS_TRY_ASSIGN(
            auto request,
            request_to(fmt::format("{}/metadata/identity/oauth2/token?{}", host, query),
                       Reach::metadata));
        request.headers.emplace_back("Metadata", "true");
        HELIOS_TRY_ASSIGN(const auto answer, client.perform(request));
        return token_in(answer, "the machine's metadata service");
    }
};

}  // namespace

std::shared_ptr<Authorization> google_authorization(std::string how, CredentialParts parts) {
    if (how == "none") {
        return std::make_shared<NoAuthorization>(std::move(parts));
    }
    auto file = how.starts_with("file:") ? how.substr(5)
                : how.empty()            ? parts.variable("GOOGLE_APPLICATION_CREDENTIALS")
                                         : std::string();
    if (!file.empty()) {
        return std::make_shared<ServiceAccount>(std::move(file), std::move(parts));
    }
    return std::make_shared<GoogleMetadata>(std::move(parts));
}

std::shared_ptr<Authorization> azure_authorization(std::string how, CredentialParts parts) {
    if (how.starts_with("file:") || how.starts_with("env:")) {
        return std::make_shared<AccessKey>(std::move(how), std::move(parts));
    }
    if (how == "environment" || (how.empty() && !parts.variable("AZURE_CLIENT_SECRET").empty())) {
        return std::make_shared<ClientSecret>(std::move(parts));
    }
    return std::make_shared<ManagedIdentity>(std::move(parts));
}

}  // namespace helios::sources
