#pragma once
/// Requests to a vendor's service, and what its answers say of trying again. Pure.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/secret.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "sources/https_client.h"

namespace helios::sources {

/// Where credentials come from. The clock outlives whoever holds it.
struct CredentialParts {
    const Clock& clock;
    auth::Environment environment;

    /// Empty: there is no such variable, or it is empty.
    std::string variable(const std::string& name) const {
        return environment ? environment(name).value_or("") : "";
    }
};

/// A GET of a URL that a person or a vendor's convention names. invalid: no URL.
Result<HttpsRequest> request_to(std::string_view url, Reach reach);

/// As a POST of JSON.
void set_json(HttpsRequest& request, std::string body, std::string_view media_type);

/// "a=1&b=x%20y": names and values of a form, escaped.
std::string form_of(const std::vector<std::pair<std::string_view, std::string_view>>& fields);

/// What a status other than success means to who asked: exhausted (slow down), unavailable (try
/// later), denied (credentials), not_found, invalid. `code`: the vendor's own word, may be empty;
/// `said`: its sentence.
Error error_of_answer(const HttpsAnswer& answer, std::string_view where, std::string_view code,
                      std::string_view said);

/// A JSON object, or corrupt: `where` answers something else.
Result<json::Document> object_in(const HttpsAnswer& answer, std::string_view where);

}  // namespace helios::sources
