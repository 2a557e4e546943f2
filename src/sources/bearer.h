#pragma once
/// Bearer tokens of Google and of Entra, and Event Grid's keys: what stands behind
/// `Authorization:`.

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sources/endpoint.h"
#include "sources/https_client.h"
#include "sources/renewed.h"

namespace helios::sources {

/// Thread-safe: may be shared by all receivers of a queue.
class Authorization {
public:
    virtual ~Authorization() = default;

    /// The header's value that holds now; empty: none is sent. May ask for a new one. Errors as
    /// what had to be asked or read failed.
    Result<std::string> current(HttpsClient& client) {
        return value_.get(parts_.clock.boot_time(), [&] { return ask(client); });
    }
    /// The vendor does not take it: it is asked for anew.
    void forget() { value_.forget(); }

protected:
    explicit Authorization(CredentialParts parts) : parts_(std::move(parts)) {}
    virtual Result<Issued<std::string>> ask(HttpsClient& client) const = 0;

    const CredentialParts parts_;

private:
    Renewed<std::string> value_;
};

/// `how`: "file:PATH" of a service account's JSON key, "metadata" (of the machine), "none", or
/// empty: the file that GOOGLE_APPLICATION_CREDENTIALS names, else metadata.
std::shared_ptr<Authorization> google_authorization(std::string how, CredentialParts parts);

/// `how`: "file:PATH" or "env:NAME" of an access key, "environment" (AZURE_TENANT_ID,
/// AZURE_CLIENT_ID, AZURE_CLIENT_SECRET), "metadata" (a managed identity, AZURE_CLIENT_ID names
/// which), or empty: environment if that is set, else metadata.
std::shared_ptr<Authorization> azure_authorization(std::string how, CredentialParts parts);

}  // namespace helios::sources
