#pragma once
/// What both sides of TLS need of OpenSSL: objects that free themselves, a descriptor as the
/// transport, and its errors in words. Shows none of its headers.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct ssl_st;
struct ssl_ctx_st;
struct x509_st;

namespace helios::http {

struct SslFree {
    void operator()(ssl_st* ssl) const;
};
using Ssl = std::unique_ptr<ssl_st, SslFree>;
using SslContext = std::shared_ptr<ssl_ctx_st>;

/// The descriptor under a connection, which does not block, and what has happened on it. Raises no
/// SIGPIPE.
struct TlsWire {
    int fd = -1;
    std::uint64_t arrived = 0;     ///< bytes read from it
    unsigned char first_byte = 0;  ///< the first of them
    bool ended = false;            ///< the peer sends nothing more
    int error = 0;                 ///< of the descriptor: errno
    /// The handshake came to its end. OpenSSL itself forgets it with the first error after that.
    bool established = false;
};

/// A connection over `wire`, which must outlive it. nullptr: there is no memory.
Ssl open_ssl(ssl_ctx_st& context, TlsWire& wire);

/// TLS 1.2 and later, without compression and renegotiation; for one side or the other. Never
/// nullptr.
SslContext make_context(bool server);

/// What OpenSSL complained of first since it was asked last; empty: of nothing.
std::string take_library_error();
/// Forgets what others have left: to be called before each call whose errors matter.
void clear_library_errors();

/// The certificates of a PEM text, in order. invalid: there is none, or one of them is no
/// certificate, or cut short.
Result<std::vector<std::shared_ptr<x509_st>>> parse_certificates(std::string_view pem);

}  // namespace helios::http
