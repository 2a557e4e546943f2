#pragma once
/// For tests: a vendor's service on loopback, as a test host, that answers as it is told and
/// remembers what it was asked.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/mutex.h"
#include "http/test_kit.h"
#include "sources/endpoint.h"
#include "sources/https_client.h"

namespace helios::sources {

class Vendor {
public:
    using Says = std::function<http::Response(const http::Request&)>;

    /// Before start().
    Vendor& on(http::Method method, std::string path, Says says) {
        server_.routes.add(
            {.method = method,
             .path = std::move(path),
             .handler = [this, says = std::move(says)](const http::Request& request, const Caller&,
                                                       http::Responder responder) {
                 const MutexLock lock(mutex_);
                 asked_.push_back(request);
                 responder.send(says(request));
             }});
        return *this;
    }
    Vendor& start() {
        server_.start();
        return *this;
    }

    std::string place() const { return "127.0.0.1:" + std::to_string(server_.port()); }
    std::string url(std::string_view path = "") const {
        return "http://" + place() + std::string(path);
    }
    HttpsOptions https() const {
        HttpsOptions options;
        options.test_hosts = {place()};
        return options;
    }
    std::vector<http::Request> asked() {
        const MutexLock lock(mutex_);
        return asked_;
    }
    std::string header(std::size_t request, std::string_view name) {
        const auto requests = asked();
        const auto* value = request < requests.size() ? requests[request].header(name) : nullptr;
        return value == nullptr ? "" : *value;
    }

private:
    Mutex mutex_;
    std::vector<http::Request> asked_ HELIOS_GUARDED_BY(mutex_);
    http::TestServer server_;
};

using Variables = std::map<std::string, std::string>;

inline CredentialParts parts_of(const Clock& clock, Variables variables) {
    return {
        clock,
        [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
            const auto found = variables.find(name);
            return found == variables.end() ? std::nullopt : std::optional(found->second);
        }};
}

}  // namespace helios::sources
