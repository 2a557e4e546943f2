#pragma once
/// The client's side of TLS: whom to believe, and one connection.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/tls_library.h"

namespace helios::http {

/// Whose word about servers counts: those in `ca_file`, or the system's if that is empty.
/// invalid: `ca_file` can't be read, or holds no certificate.
Result<SslContext> open_roots(const std::string& ca_file);

/// A connection over a descriptor that does not block: each call does what it can, or says what
/// poll(2) has to wait for. Not thread-safe.
class TlsClient {
public:
    /// `host` is whom the server has to prove to be: a name or an address.
    TlsClient(ssl_ctx_st& roots, int fd, std::string host);
    TlsClient(const TlsClient&) = delete;
    TlsClient& operator=(const TlsClient&) = delete;
    ~TlsClient();

    struct Step {
        std::size_t bytes = 0;
        short wait_for = 0;  ///< POLLIN, POLLOUT: nothing could be done yet
        bool ended = false;  ///< the server sends nothing more, and has said so
        std::optional<Error> error;
    };
    /// Until it waits for nothing. denied: the server is not to be believed, or does not believe
    /// us; corrupt: no TLS; unavailable: the connection broke.
    Step shake_hands();
    /// Into at least a byte. unavailable: the connection broke, or ended without saying so.
    Step read(char* into, std::size_t size);
    /// After a wait the same bytes again.
    Step write(std::string_view bytes);

private:
    Step outcome(int result, bool in_handshake);
    Error handshake_error() const;

    std::string host_;
    std::unique_ptr<TlsWire> wire_;
    Ssl ssl_;
    bool broken_ = false;  ///< OpenSSL must not be asked for anything more
};

}  // namespace helios::http
