#include "http/tls_library.h"

#include <cerrno>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "base/assert.h"

namespace helios::http {

namespace {

TlsWire& wire_of(BIO* bio) {
    return *static_cast<TlsWire*>(BIO_get_data(bio));
}

bool would_block(int error) {
    return error == EAGAIN || error == EWOULDBLOCK;
}

int read_wire(BIO* bio, char* into, int size) {
    TlsWire& wire = wire_of(bio);
    BIO_clear_retry_flags(bio);
    ssize_t got;
    do {
        got = ::recv(wire.fd, into, static_cast<std::size_t>(size), MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        if (wire.arrived == 0) {
            wire.first_byte = static_cast<unsigned char>(*into);
        }
        wire.arrived += static_cast<std::uint64_t>(got);
    } else if (got == 0) {
        wire.ended = true;
    } else if (would_block(errno)) {
        BIO_set_retry_read(bio);
    } else {
        wire.error = errno;
    }
    return static_cast<int>(got);
}

int write_wire(BIO* bio, const char* from, int size) {
    TlsWire& wire = wire_of(bio);
    BIO_clear_retry_flags(bio);
    ssize_t sent;
    do {
        sent = ::send(wire.fd, from, static_cast<std::size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && would_block(errno)) {
        BIO_set_retry_write(bio);
    } else if (sent < 0) {
        wire.error = errno;
    }
    return static_cast<int>(sent);
}

long control_wire(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
    switch (command) {
        case BIO_CTRL_FLUSH:
            return 1;
        case BIO_CTRL_EOF:
            return wire_of(bio).ended ? 1 : 0;
        default:
            return 0;
    }
}

int create_wire(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
}

BIO_METHOD* make_method() {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "helios wire");
    HELIOS_ASSERT(method != nullptr, "libcrypto has memory for one table");
    BIO_meth_set_read(method, read_wire);
    BIO_meth_set_write(method, write_wire);
    BIO_meth_set_ctrl(method, control_wire);
    BIO_meth_set_create(method, create_wire);
    return method;
}

void note_progress(const SSL* ssl, int where, int /*value*/) {
    if ((where & SSL_CB_HANDSHAKE_DONE) != 0) {
        wire_of(SSL_get_rbio(ssl)).established = true;
    }
}

}  // namespace

void SslFree::operator()(ssl_st* ssl) const {
    SSL_free(ssl);
}

Ssl open_ssl(ssl_ctx_st& context, TlsWire& wire) {
    static BIO_METHOD* const method = make_method();
    Ssl ssl(SSL_new(&context));
    BIO* bio = ssl ? BIO_new(method) : nullptr;
    if (bio == nullptr) {
        return nullptr;
    }
    BIO_set_data(bio, &wire);
    SSL_set_bio(ssl.get(), bio, bio);
    SSL_set_info_callback(ssl.get(), note_progress);
    return ssl;
}

SslContext make_context(bool server) {
    SslContext context(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method()),
                       SSL_CTX_free);
    HELIOS_ASSERT(context != nullptr, "libssl makes a context");
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    // Of TLS 1.2 those with forward secrecy and authenticated encryption; all of TLS 1.3 are such.
    const int known = SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20");
    HELIOS_ASSERT(known == 1, "libssl has the ciphers of today");
    SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                           SSL_OP_CIPHER_SERVER_PREFERENCE |
                                           SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return context;
}

std::string take_library_error() {
    const unsigned long first = ERR_get_error();
    ERR_clear_error();
    if (first == 0) {
        return {};
    }
    const char* const reason = ERR_reason_error_string(first);
    return reason != nullptr ? reason : "error " + std::to_string(ERR_GET_REASON(first));
}

void clear_library_errors() {
    ERR_clear_error();
}

Result<std::vector<std::shared_ptr<x509_st>>> parse_certificates(std::string_view pem) {
    ERR_clear_error();
    const std::unique_ptr<BIO, int (*)(BIO*)> text(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
    std::vector<std::shared_ptr<x509_st>> certificates;
    while (X509* next = PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr)) {
        certificates.emplace_back(next, X509_free);
    }
    // Behind the last one it finds no further beginning; anything else is a broken one.
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    const auto why = take_library_error();
    if (!at_end) {
        return fail(ErrorKind::invalid, "a certificate in it is broken: " + why);
    }
    if (certificates.empty()) {
        return fail(ErrorKind::invalid, "there is no certificate in it",
                    "PEM is expected: -----BEGIN CERTIFICATE-----");
    }
    return certificates;
}

}  // namespace helios::http
