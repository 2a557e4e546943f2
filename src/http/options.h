#pragma once
/// Limits and addresses of the HTTP server. Defaults suit one machine; every bound answers with
/// back-pressure.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace helios::http {

/// One place to listen on.
struct Address {
    std::string host;
    std::uint16_t port = 0;
};
/// "127.0.0.1:8001", "[::1]:0", ":8001" (127.0.0.1). invalid: anything else.
Result<Address> parse_address(std::string_view text);

/// Files in PEM. Empty: not used.
struct TlsOptions {
    std::string cert_file;       ///< the server's own, then those between it and the root
    std::string key_file;        ///< its key, without a passphrase
    std::string client_ca_file;  ///< who issues clients' certificates; one is required then
    Duration reload_interval = std::chrono::seconds(2);  ///< files are read again so often

    bool on() const { return !cert_file.empty(); }
};

struct ServerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8001;
    /// Further addresses, HOST:PORT.
    std::vector<std::string> also_listen;
    unsigned io_threads = 1;              ///< beside the one that accepts and serves probes
    unsigned worker_threads = 4;          ///< for blocking handlers
    std::size_t worker_queue_max = 1024;  ///< waiting blocking requests; beyond: 503
    /// From a blocking request's arrival to its answer: what would begin later is refused (503).
    Duration worker_wait_max = std::chrono::seconds(5);
    std::size_t header_bytes_max = 64u << 10;
    std::size_t header_fields_max = 256;     ///< beyond: 431, as for header_bytes_max
    std::size_t body_bytes_max = 16u << 20;  ///< per request, unless the route says less
    std::size_t inflight_bytes_max =
        256u << 20;  ///< bodies of all requests being read or handled; beyond: 503
    /// Answers to GET that peers have not taken yet, of all connections; beyond: 503.
    std::size_t unsent_bytes_max = 256u << 20;
    std::size_t connections_max = 10'000;
    std::size_t pipeline_max = 64;  ///< requests of one connection being handled at once
    Duration header_timeout = std::chrono::seconds(15);
    Duration body_timeout = std::chrono::seconds(60);
    Duration idle_timeout = std::chrono::seconds(75);
    Duration write_timeout = std::chrono::seconds(30);
    std::size_t websockets_max =
        100;  ///< open at once; beyond: 503. They count as connections, too
    std::size_t websocket_waiting_bytes_max =
        1u << 20;  ///< of one WebSocket, unsent: beyond it nothing more is taken for it
    std::size_t websocket_message_bytes_max =
        1024;  ///< of one that comes in: larger ends it with 1009
    Duration websocket_ping_interval = std::chrono::seconds(20);
    Duration websocket_pong_timeout =
        std::chrono::seconds(20);  ///< silence after a ping: the client is gone
    /// Host header values allowed beside localhost, loopback addresses and the listening host (DNS
    /// rebinding guard).
    std::vector<std::string> allowed_hosts;
    TlsOptions tls;  ///< of all addresses
    /// Networks of proxies whose word about the client counts, such as 10.0.0.0/8.
    std::vector<std::string> trusted_proxies;
    bool proxy_protocol = false;  ///< connections from them begin with a PROXY header

    /// Others may speak through whoever connects.
    bool behind_proxy() const { return !trusted_proxies.empty() || proxy_protocol; }
    Status validate() const;
    /// All that is listened on, `host` and `port` first. Of good options.
    std::vector<Address> addresses() const;
};

}  // namespace helios::http
