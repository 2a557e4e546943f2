#include "sources/aws_credentials.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

#include "auth/file.h"
#include "base/ascii.h"
#include "base/time.h"

namespace helios::sources {
namespace {

constexpr std::size_t file_bytes_max = 256u << 10;
constexpr std::size_t token_bytes_max = 32u << 10;
/// A file may be written anew at any time.
constexpr Duration file_holds = std::chrono::minutes(1);
constexpr std::string_view machine_host = "http://169.254.169.254";
constexpr std::string_view container_host = "http://169.254.170.2";

std::string_view trimmed(std::string_view text) {
    return ascii::trimmed(text, " \t\r\n");
}

/// What is between <name> and </name>; empty: there is no such element.
std::string_view element(std::string_view xml, std::string_view name) {
    const auto open = fmt::format("<{}>", name);
    const auto at = xml.find(open);
    const auto end = at == std::string_view::npos ? at : xml.find("</", at);
    return end == std::string_view::npos ? std::string_view()
                                         : xml.substr(at + open.size(), end - at - open.size());
}

std::unexpected<Error> none(std::string what, std::string hint = {}) {
    return fail(ErrorKind::not_found, std::move(what), std::move(hint));
}

/// Absent: no time that can be read, so they are asked for again soon.
Duration valid_for(std::string_view expires, const Clock& clock) {
    const auto at = parse_rfc3339(expires);
    return at ? at->at - clock.wall() : file_holds;
}

}  // namespace

Result<AwsKeys> keys_of_profile(std::string_view text, std::string_view profile) {
    AwsKeys keys;
    bool in_profile = false;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.starts_with('[') && line.ends_with(']')) {
            in_profile = trimmed(line.substr(1, line.size() - 2)) == profile;
            continue;
        }
        const auto equals = line.find('=');
        if (!in_profile || equals == std::string_view::npos || line.starts_with('#')) {
            continue;
        }
        const auto name = trimmed(line.substr(0, equals));
        const auto value = trimmed(line.substr(equals + 1));
        if (name == "aws_access_key_id") {
            keys.id = value;
        } else if (name == "aws_secret_access_key") {
            keys.secret = value;
        } else if (name == "aws_session_token") {
            keys.token = value;
        }
    }
    if (keys.id.empty() || keys.secret.empty()) {
        return none(
            fmt::format("no aws_access_key_id and aws_secret_access_key in profile {}", profile));
    }
    return keys;
}

AwsCredentials::AwsCredentials(std::string how, std::string region, CredentialParts parts)
    : how_(std::move(how)), region_(std::move(region)), parts_(std::move(parts)) {}

Result<AwsKeys> AwsCredentials::current(HttpsClient& client) {
    return keys_.get(parts_.clock.boot_time(), [&] { return ask(client); });
}

AwsCredentials::Keys AwsCredentials::ask(HttpsClient& client) const {
    if (how_ == "environment") {
        return from_environment();
    }
    if (how_ == "web_identity") {
        return from_web_identity(client);
    }
    if (how_ == "metadata") {
        return from_metadata(client);
    }
    if (how_.starts_with("file:")) {
        return from_file(how_.substr(5));
    }
    if (!parts_.variable("AWS_ACCESS_KEY_ID").empty()) {
        return from_environment();
    }
    if (!parts_.variable("AWS_WEB_IDENTITY_TOKEN_FILE").empty()) {
        return from_web_identity(client);
    }
    std::error_code ignored;  // what can't be looked at is no file
    if (const auto file = shared_file(); std::filesystem::exists(file, ignored)) {
        return from_file(file);
    }
    return from_metadata(client);
}

AwsCredentials::Keys AwsCredentials::from_environment() const {
    AwsKeys keys{parts_.variable("AWS_ACCESS_KEY_ID"), parts_.variable("AWS_SECRET_ACCESS_KEY"),
                 parts_.variable("AWS_SESSION_TOKEN")};
    if (keys.id.empty() || keys.secret.empty()) {
        return none("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set");
    }
    return Issued<AwsKeys>{std::move(keys), {}};
}

std::string AwsCredentials::shared_file() const {
    const auto named = parts_.variable("AWS_SHARED_CREDENTIALS_FILE");
    const auto home = parts_.variable("HOME");
    return !named.empty() ? named : home.empty() ? "" : home + "/.aws/credentials";
}

AwsCredentials::Keys AwsCredentials::from_file(const std::string& path) const {
    HELIOS_TRY_ASSIGN(const auto text, auth::read_file(path, file_bytes_max));
    const auto named = parts_.variable("AWS_PROFILE");
    auto keys = keys_of_profile(text, named.empty() ? "default" : named);
    if (!keys) {
        return none(fmt::format("{}: {}", path, keys.error().what),
                    "AWS_PROFILE names another profile");
    }
    return Issued<AwsKeys>{*std::move(keys), file_holds};
}

AwsCredentials::Keys AwsCredentials::from_web_identity(HttpsClient& client) const {
    const auto role = parts_.variable("AWS_ROLE_ARN");
    const auto file = parts_.variable("AWS_WEB_IDENTITY_TOKEN_FILE");
    if (role.empty() || file.empty()) {
        return none("AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE are not both set");
    }
    HELIOS_TRY_ASSIGN(const auto token, auth::read_file(file, token_bytes_max));
    auto endpoint = parts_.variable("AWS_ENDPOINT_URL_STS");
    if (endpoint.empty()) {
        endpoint = fmt::format("https://sts.{}.amazonaws.com{}/", region_,
                               region_.starts_with("cn-") ? ".cn" : "");
    }
    const auto session = parts_.variable("AWS_ROLE_SESSION_NAME");
    HELIOS_TRY_ASSIGN(auto request, request_to(endpoint, Reach::configured));
    request.post = true;
    request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    request.body = form_of({{"Action", "AssumeRoleWithWebIdentity"},
                            {"Version", "2011-06-15"},
                            {"RoleArn", role},
                            {"RoleSessionName", session.empty() ? "helios" : session},
                            {"WebIdentityToken", trimmed(token)}});
    HELIOS_TRY_ASSIGN(const auto answer, client.perform(request));
    if (answer.status != 200) {
        return fail(error_of_answer(answer, request.host, element(answer.body, "Code"),
                                    element(answer.body, "Message")));
    }
    AwsKeys keys{std::string(element(answer.body, "AccessKeyId")),
                 std::string(element(answer.body, "SecretAccessKey")),
                 std::string(element(answer.body, "SessionToken"))};
    if (keys.id.empty() || keys.secret.empty() || keys.token.empty()) {
        return fail(ErrorKind::corrupt, request.host + " answers without keys");
    }
    return Issued<AwsKeys>{std::move(keys),
                           valid_for(element(answer.body, "Expiration"), parts_.clock)};
}

AwsCredentials::Keys AwsCredentials::from_metadata(HttpsClient& client) const {
    const bool container = !parts_.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").empty() ||
                           !parts_.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI").empty();
    return container ? from_container(client) : from_machine(client);
}

AwsCredentials::Keys AwsCredentials::from_container(HttpsClient& client) const {
    const auto relative = parts_.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const auto url = relative.empty() ? parts_.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI")
                                      : std::string(container_host) + relative;
    HELIOS_TRY_ASSIGN(auto request, request_to(url, Reach::metadata));
    auto token = parts_.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (const auto file = parts_.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        !file.empty()) {
        HELIOS_TRY_ASSIGN(const auto text, auth::read_file(file, token_bytes_max));
        token = trimmed(text);
    }
    if (!token.empty()) {
        request.headers.emplace_back("Authorization", token);
    }
    HELIOS_TRY_ASSIGN(const auto answer, client.perform(request));
    return keys_in(answer, request.host);
}

/// EC2, by its second version alone: a token first, which no request that somebody made us send
/// could bring.
AwsCredentials::Keys AwsCredentials::from_machine(HttpsClient& client) const {
    const auto named = parts_.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    auto host = named.empty() ? std::string(machine_host) : named;
    while (host.ends_with('/')) {
        host.pop_back();
    }
    HELIOS_TRY_ASSIGN(auto for_token, request_to(host + "/latest/api/token", Reach::metadata));
    for_token.put = true;
    for_token.headers.emplace_back("X-aws-ec2-metadata-token-ttl-seconds", "300");
    HELIOS_TRY_ASSIGN(const auto token, client.perform(for_token));
    if (token.status != 200) {
        return fail(error_of_answer(token, "the machine's metadata service", "", ""));
    }
    const auto get = [&](const std::string& path) -> Result<HttpsAnswer> {
        HELIOS_TRY_ASSIGN(auto request, request_to(host + path, Reach::metadata));
        request.headers.emplace_back("X-aws-ec2-metadata-token", trimmed(token.body));
        return client.perform(request);
    };
    const std::string path = "/latest/meta-data/iam/security-credentials/";
    HELIOS_TRY_ASSIGN(const auto role, get(path));
    if (role.status != 200) {
        return none("the machine has no role",
                    "give its instance profile a role, or say sources.aws.pull.credentials");
    }
    HELIOS_TRY_ASSIGN(const auto answer,
                      get(path + std::string(trimmed(role.body.substr(0, role.body.find('\n'))))));
    return keys_in(answer, "the machine's metadata service");
}

AwsCredentials::Keys AwsCredentials::keys_in(const HttpsAnswer& answer,
                                             std::string_view where) const {
    if (answer.status != 200) {
        return fail(error_of_answer(answer, where, "", ""));
    }
    HELIOS_TRY_ASSIGN(const auto document, object_in(answer, where));
    const auto root = document.root();
    AwsKeys keys{std::string(root.find("AccessKeyId").text()),
                 std::string(root.find("SecretAccessKey").text()),
                 std::string(root.find("Token").text())};
    if (keys.id.empty() || keys.secret.empty()) {
        return fail(ErrorKind::corrupt, std::string(where) + " answers without keys");
    }
    return Issued<AwsKeys>{std::move(keys),
                           valid_for(root.find("Expiration").text(), parts_.clock)};
}

}  // namespace helios::sources
