#include "http/listen.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "http/url.h"

namespace helios::http {
namespace {

// A port that is free on one address may be taken on the other; the next pick has another chance.
constexpr int picks_max = 32;

Result<std::vector<asio::ip::address>> addresses_of(asio::io_context& context,
                                                    const std::string& host) {
    error_code ec;
    // "localhost" is loopback by definition (RFC 6761), also on machines whose /etc/hosts does not
    // say so.
    if (equal_ignoring_case(host, "localhost")) {
        return std::vector<asio::ip::address>{asio::ip::address_v4::loopback(),
                                              asio::ip::address_v6::loopback()};
    }
    if (const auto address = asio::ip::make_address(host, ec); !ec) {
        return std::vector<asio::ip::address>{address};
    }
    Tcp::resolver resolver(context);
    const auto found = resolver.resolve(host, "", Tcp::resolver::passive, ec);
    if (ec || found.empty()) {
        return fail(ErrorKind::unavailable,
                    fmt::format("cannot listen on '{}': {}", host, ec.message()),
                    "use an address of this machine, such as 127.0.0.1");
    }
    std::set<asio::ip::address> addresses;  // IPv4 first
    for (const auto& entry : found) {
        addresses.insert(entry.endpoint().address());
    }
    return std::vector<asio::ip::address>(addresses.begin(), addresses.end());
}

/// This machine has no such address, or not even its family.
bool is_absent(const error_code& ec) {
    using namespace boost::system::errc;
    return ec == address_family_not_supported || ec == protocol_not_supported ||
           ec == address_not_available || ec == no_such_device;
}

struct Attempt {
    std::string_view step;
    error_code ec;
};

Attempt bind_one(Acceptor& acceptor, const Tcp::endpoint& endpoint, bool listens) {
    error_code ec;
    acceptor.open(endpoint.protocol(), ec);
    if (ec) {
        return {"socket", ec};
    }
    acceptor.set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec && endpoint.address().is_v6()) {
        // `::` takes both families whatever the machine's default is; any other is one address.
        acceptor.set_option(asio::ip::v6_only(!endpoint.address().is_unspecified()), ec);
    }
    if (ec) {
        return {"setsockopt", ec};
    }
    acceptor.bind(endpoint, ec);
    if (ec) {
        return {"bind", ec};
    }
    if (listens) {
        acceptor.listen(asio::socket_base::max_listen_connections, ec);
    }
    return {"listen", ec};
}

Error refusal(const Tcp::endpoint& endpoint, const Attempt& attempt) {
    const auto text = endpoint.address().to_string();
    const auto address = endpoint.address().is_v6() ? "[" + text + "]" : text;
    std::string hint;
    if (attempt.ec == asio::error::address_in_use) {
        hint = "stop the other process, choose another port, or port 0 for a free one";
    } else if (attempt.ec == asio::error::access_denied) {
        hint = "ports below 1024 need root or CAP_NET_BIND_SERVICE; choose another port";
    } else if (is_absent(attempt.ec)) {
        hint = "use an address of this machine, such as 127.0.0.1, or 0.0.0.0 for every interface";
    }
    return {ErrorKind::unavailable,
            fmt::format("cannot listen on {}:{}: {} ({})", address, endpoint.port(),
                        attempt.ec.message(), attempt.step),
            std::move(hint)};
}

}  // namespace

Result<std::vector<Acceptor>> listen_on(asio::io_context& context, const std::string& host,
                                        std::uint16_t port) {
    HELIOS_TRY_ASSIGN(const auto addresses, addresses_of(context, host));
    for (int pick = 1;; ++pick) {
        std::vector<Acceptor> acceptors;
        std::uint16_t chosen = port;
        Status refused;
        bool again = false;
        for (const auto& address : addresses) {
            Acceptor acceptor(context);
            const Tcp::endpoint endpoint(address, chosen);
            const auto attempt = bind_one(acceptor, endpoint, true);
            if (attempt.ec) {
                refused = fail(refusal(endpoint, attempt));
                if (is_absent(attempt.ec)) {
                    continue;
                }
                again = port == 0 && attempt.ec == asio::error::address_in_use && pick < picks_max;
                acceptors.clear();
                break;
            }
            error_code ec;
            chosen = acceptor.local_endpoint(ec).port();
            acceptors.push_back(std::move(acceptor));
        }
        if (!acceptors.empty()) {
            return acceptors;
        }
        if (!again) {
            HELIOS_TRY(refused);
        }
    }
}

Status check_listen(const std::string& host, std::uint16_t port) {
    asio::io_context context;
    HELIOS_TRY_ASSIGN(const auto addresses, addresses_of(context, host));
    Status refused;
    bool any = false;
    for (const auto& address : addresses) {
        Acceptor acceptor(context);
        const Tcp::endpoint endpoint(address, port);
        const auto attempt = bind_one(acceptor, endpoint, false);
        if (!attempt.ec || attempt.ec == asio::error::address_in_use) {
            any = true;
        } else if (is_absent(attempt.ec)) {
            refused = fail(refusal(endpoint, attempt));
        } else {
            return fail(refusal(endpoint, attempt));
        }
    }
    return any ? Status{} : refused;
}

}  // namespace helios::http
