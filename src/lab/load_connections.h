#pragma once
/// Many pipelined keep-alive connections on one thread: the transport of the load generator.
///
/// http::Client is for conversations; this is for load: it writes bytes that are ready, reads
/// statuses, and does as little else as it can, because on a small machine every cycle of the
/// generator is taken from the server it measures. epoll, no threads.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "http/client.h"
#include "http/tls_client.h"
#include "http/tls_library.h"

namespace helios::lab {

/// An answer, or (status 0) the news that none will come: the connection broke.
struct LoadAnswer {
    std::uint64_t tag = 0;
    int status = 0;
    std::string_view body;  ///< valid during the call
};

/// Not thread-safe. Loopback addresses only.
class LoadConnections {
public:
    using OnAnswer = std::function<void(const LoadAnswer&)>;

    /// Connects all, by https if the URL says so: `ca_file` as of http::Client. invalid: the host
    /// is not this machine, or no CA file. unavailable: can't connect. denied, corrupt: as of
    /// http::TlsClient.
    static Result<std::unique_ptr<LoadConnections>> open(const http::Url& url,
                                                         const std::string& ca_file,
                                                         std::uint32_t connections,
                                                         std::uint32_t pipeline_max,
                                                         OnAnswer on_answer);
    ~LoadConnections();

    /// A connection with room for one more request, or false: all pipelines are full.
    bool has_room() const { return free_ > 0; }
    /// Queues one request on the connection with room whose turn it is; has_room() must hold. Bytes
    /// go out in turn().
    void send(std::uint64_t tag, std::string_view request);
    /// Writes what waits, waits for answers at most `wait`, delivers them.
    void turn(Duration wait);
    /// Requests that have no answer yet.
    std::uint64_t under_way() const { return under_way_; }
    std::uint64_t broken() const { return broken_; }

private:
    struct Connection {
        int fd = -1;
        std::unique_ptr<http::TlsClient> tls;  ///< of https
        std::string out;
        std::size_t out_at = 0;
        std::string in;
        std::size_t in_at = 0;
        std::deque<std::uint64_t> tags;
        bool wants_write = false;
        bool dirty = false;  ///< has bytes that turn() must write
    };

    LoadConnections(std::uint32_t pipeline_max, OnAnswer on_answer);
    Status connect(std::size_t index);
    Status shake_hands(Connection& connection) const;
    /// What one try to write, or to read, has come to.
    struct Moved {
        std::size_t bytes = 0;
        bool later = false;  ///< nothing could be done yet
        bool lost = false;
    };
    static Moved put(Connection& connection);
    static Moved take(Connection& connection, std::span<char> into);
    void watch(std::size_t index, bool write);
    void write_out(std::size_t index);
    void read_in(std::size_t index);
    bool take_answer(Connection& connection);
    void lose(std::size_t index);

    std::string host_;
    std::string name_;        ///< as the URL has it: whom a certificate is for
    http::SslContext roots_;  ///< of https
    std::uint16_t port_ = 0;
    std::uint32_t pipeline_max_;
    OnAnswer on_answer_;
    int epoll_ = -1;
    std::vector<Connection> connections_;
    std::vector<std::size_t> dirty_;
    std::size_t next_ = 0;
    std::uint64_t free_ = 0;  ///< places over all pipelines of living connections
    std::uint64_t under_way_ = 0;
    std::uint64_t broken_ = 0;
};

/// True for localhost, 127.0.0.0/8 and ::1: nobody points a load generator at another's machine by
/// mistake.
bool is_loopback(std::string_view host);

}  // namespace helios::lab
