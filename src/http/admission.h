#pragma once
/// Judges a request by its header, before a byte of its body is kept: host, path, method, origin, a
/// WebSocket's handshake, size. Pure: knows no socket.

#include <optional>

#include "http/byte_budget.h"
#include "http/host_policy.h"
#include "http/options.h"
#include "http/request_reader.h"
#include "http/route.h"

namespace helios::http {

/// Thread-safe. Options, routes and budget outlive it.
class Admission {
public:
    Admission(const ServerOptions& options, const RouteTable& routes, const ByteBudget& budget)
        : options_(options),
          routes_(routes),
          budget_(budget),
          policy_(hosts_of(options), options.allowed_hosts) {}

    struct Verdict {
        const Route* route = nullptr;
        std::size_t body_bytes_max = 0;
        std::size_t spare = 0;            ///< bytes of the budget that its body leaves to others
        std::optional<Response> refusal;  ///< set: this is the answer
    };

    /// Fills path, path parameters and query of `request`.
    Verdict judge(const RequestHead& head, Request& request) const;

private:
    static std::vector<std::string> hosts_of(const ServerOptions& options);
    std::optional<Response> judge_method(const RequestHead& head) const;
    std::optional<Response> judge_target(const RequestHead& head, Request& request,
                                         Verdict& verdict) const;
    std::optional<Response> judge_route(std::string_view host, const RequestHead& head,
                                        std::string_view raw_path, Request& request,
                                        Verdict& verdict) const;
    std::optional<Response> judge_body(const RequestHead& head, const Request& request,
                                       Verdict& verdict) const;

    const ServerOptions& options_;
    const RouteTable& routes_;
    const ByteBudget& budget_;
    const HostPolicy policy_;
};

}  // namespace helios::http
