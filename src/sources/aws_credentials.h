#pragma once
/// AWS keys from where AWS's own tools look for them: the environment, a web identity, a shared
/// credentials file, the metadata service of a container or a machine.

#include <string>
#include <string_view>

#include "base/result.h"
#include "sources/endpoint.h"
#include "sources/https_client.h"
#include "sources/renewed.h"
#include "sources/sigv4.h"

namespace helios::sources {

/// Thread-safe.
class AwsCredentials {
public:
    /// `how`: empty (in the order above, the first that is set up), "environment", "web_identity",
    /// "file:PATH", "metadata". `region`: whose token service is asked.
    AwsCredentials(std::string how, std::string region, CredentialParts parts);

    /// Those that hold now; may ask for new ones. not_found: there are none; else as what had to be
    /// asked failed.
    Result<AwsKeys> current(HttpsClient& client);
    /// AWS does not take them: they are asked for anew.
    void forget() { keys_.forget(); }

private:
    using Keys = Result<Issued<AwsKeys>>;
    Keys ask(HttpsClient& client) const;
    Keys from_environment() const;
    Keys from_file(const std::string& path) const;
    Keys from_web_identity(HttpsClient& client) const;
    Keys from_metadata(HttpsClient& client) const;
    Keys from_container(HttpsClient& client) const;
    Keys from_machine(HttpsClient& client) const;
    Keys keys_in(const HttpsAnswer& answer, std::string_view where) const;
    std::string shared_file() const;

    const std::string how_;
    const std::string region_;
    const CredentialParts parts_;
    Renewed<AwsKeys> keys_;
};

/// Of one profile of a shared credentials file. not_found: no such profile, or no keys in it.
Result<AwsKeys> keys_of_profile(std::string_view text, std::string_view profile);

}  // namespace helios::sources
