#pragma once
/// A blocking HTTPS client for the clouds' services: one request at a time, connections kept.
///
/// What it connects to is looked at when it connects, so neither a name that resolves to a private
/// address nor one that changes what it resolves to leads anywhere. No redirect is followed, no
/// proxy of the environment is asked.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace helios::sources {

struct HttpsOptions {
    std::string ca_file;  ///< PEM of roots beside the machine's; empty: none
    /// "host:port" that may be at any address, and speak http: stand-ins for vendors in tests.
    std::vector<std::string> test_hosts;
    Duration connect_timeout = std::chrono::seconds(3);
    Duration timeout = std::chrono::seconds(5);  ///< of one request, all in all
};

/// Which addresses a request may go to, beside test hosts.
enum class Reach : std::uint8_t {
    public_only,  ///< somebody else says where
    /// A person has configured the host: also at an address of a private network (a cloud's private
    /// endpoint), never at one that is this machine's or a metadata service's.
    configured,
    /// The metadata service of the cloud's machine itself, which gives credentials: `host` is its
    /// address, one of metadata_hosts, and it speaks http.
    metadata,
};
/// EC2, Azure and Google; ECS; EKS.
inline constexpr std::array<std::string_view, 3> metadata_hosts{"169.254.169.254", "169.254.170.2",
                                                                "169.254.170.23"};

struct HttpsRequest {
    bool https = true;
    std::string host;
    std::uint16_t port = 443;
    std::string target;  ///< path and query, as they are asked for
    std::vector<std::pair<std::string, std::string>> headers{};
    std::string body{};  ///< with post
    bool post = false;
    bool put = false;    ///< PUT, with an empty body
    Duration timeout{};  ///< all in all; 0: the client's
    Reach reach = Reach::public_only;
    std::size_t answer_bytes_max = 1u << 20;
};

struct HttpsAnswer {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
    std::string body;

    std::string_view header(std::string_view lower_name) const;  ///< the first; empty: none
};

/// Not thread-safe: one per thread.
class HttpsClient {
public:
    /// `stop`: set, it ends what is under way within a second; may be nullptr, outlives the client.
    explicit HttpsClient(HttpsOptions options, const std::atomic<bool>* stop = nullptr);
    ~HttpsClient();
    HttpsClient(HttpsClient&&) noexcept;

    /// Whatever status is answered. unavailable: no connection, or it broke; timeout; denied: an
    /// address that is not public, or http where it must be https; corrupt: its certificate does
    /// not hold, or it speaks no HTTP; exhausted: the answer is too large; stopping.
    Result<HttpsAnswer> perform(const HttpsRequest& request);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace helios::sources
