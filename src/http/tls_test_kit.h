#pragma once
/// For tests of TLS: an authority with the files that a server takes, and connections that speak
/// TLS as they are told to. Written with OpenSSL itself, not with what the server uses of it.

#include <csignal>
#include <fstream>
#include <memory>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string>
#include <string_view>
#include <unistd.h>

#include "base/certificate_test_kit.h"
#include "base/temporary_directory.h"
#include "http/test_kit.h"

namespace helios::http {

/// An authority, a certificate for localhost that it has issued, and both as files.
class TlsFiles {
public:
    TlsFiles()
        : directory_(*TemporaryDirectory::make("helios-tls-")),
          authority(make_certificate(parts("Test authority", true))),
          server(issue("localhost")) {
        write("ca.pem", authority.pem());
        use(server);
    }

    /// Valid from an hour ago for a day, unless told otherwise.
    MadeCertificate issue(const std::string& name, Duration from = -std::chrono::hours(1),
                          Duration until = std::chrono::hours(24)) const {
        auto of = parts(name, false);
        of.not_before = SystemClock().wall() + from;
        of.not_after = SystemClock().wall() + until;
        return make_certificate(of, &authority);
    }
    /// As the server's files, whole at every moment.
    void use(const MadeCertificate& certificate) const {
        write("key.pem", certificate.key_pem());
        write("cert.pem", certificate.pem());
    }
    void write(const std::string& name, std::string_view text) const {
        const auto file = path(name);
        std::ofstream(file + ".new", std::ios::binary) << text;
        ::rename((file + ".new").c_str(), file.c_str());
    }
    std::string path(const std::string& name) const { return directory_.path() + "/" + name; }
    std::string ca_file() const { return path("ca.pem"); }
    TlsOptions options() const {
        return {.cert_file = path("cert.pem"),
                .key_file = path("key.pem"),
                .client_ca_file = {},
                .reload_interval = std::chrono::milliseconds(5)};
    }

    static CertificateParts parts(const std::string& name, bool is_authority) {
        const auto now = SystemClock().wall();
        return {.name = name,
                .not_before = now - std::chrono::hours(1),
                .not_after = now + std::chrono::hours(24),
                .is_authority = is_authority,
                .also = "IP:127.0.0.1"};
    }

private:
    TemporaryDirectory directory_;

public:
    MadeCertificate authority;
    MadeCertificate server;
};

/// What a client asks for.
struct TlsWish {
    int version = 0;                               ///< TLS1_2_VERSION…; 0: whatever both have
    std::string protocols{};                       ///< ALPN, as on the wire
    const MadeCertificate* certificate = nullptr;  ///< the client's own
    const MadeCertificate* authority = nullptr;    ///< who must have issued the server's
};

/// TLS on the blocking socket of a RawConnection.
class TlsTransport final : public RawTransport {
public:
    TlsTransport(int fd, const TlsWish& wish)
        : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
        std::signal(SIGPIPE, SIG_IGN);
        SSL_CTX_set_security_level(context_.get(), 0);
        if (wish.version != 0) {
            SSL_CTX_set_min_proto_version(context_.get(), wish.version);
            SSL_CTX_set_max_proto_version(context_.get(), wish.version);
        }
        if (wish.certificate != nullptr) {
            SSL_CTX_use_certificate(context_.get(), wish.certificate->get());
            SSL_CTX_use_PrivateKey(context_.get(), wish.certificate->private_key());
        }
        if (wish.authority != nullptr) {
            X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), wish.authority->get());
            SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
        }
        ssl_.reset(SSL_new(context_.get()));
        SSL_set_fd(ssl_.get(), fd);
        SSL_set_alpn_protos(ssl_.get(),
                            reinterpret_cast<const unsigned char*>(wish.protocols.data()),
                            static_cast<unsigned>(wish.protocols.size()));
        connected_ = SSL_connect(ssl_.get()) == 1;
        error_ = connected_ ? "" : reason();
    }

    bool connected() const { return connected_; }
    const std::string& error() const { return error_; }
    SSL* ssl() { return ssl_.get(); }
    std::string protocol() const {
        const unsigned char* name = nullptr;
        unsigned size = 0;
        SSL_get0_alpn_selected(ssl_.get(), &name, &size);
        return {reinterpret_cast<const char*>(name), size};
    }
    /// The subject of the server's certificate's issuer, and its serial number: which one it is.
    long serial() const {
        X509* const shown = SSL_get0_peer_certificate(ssl_.get());
        return shown == nullptr ? 0 : ASN1_INTEGER_get(X509_get_serialNumber(shown));
    }

    bool send(std::string_view bytes) override {
        ERR_clear_error();
        return connected_ && (bytes.empty() || SSL_write(ssl_.get(), bytes.data(),
                                                         static_cast<int>(bytes.size())) > 0);
    }
    Got receive(char* into, std::size_t size) override {
        ERR_clear_error();
        const int got = connected_ ? SSL_read(ssl_.get(), into, static_cast<int>(size)) : 0;
        if (got > 0) {
            return {static_cast<std::size_t>(got), false};
        }
        const int why = SSL_get_error(ssl_.get(), got);
        ended_cleanly_ = why == SSL_ERROR_ZERO_RETURN;
        if (why == SSL_ERROR_SSL) {
            error_ = reason();
        }
        return {0, why == SSL_ERROR_WANT_READ};
    }
    void end_of_input() override { SSL_shutdown(ssl_.get()); }
    /// The server has said close_notify.
    bool ended_cleanly() const { return ended_cleanly_; }

private:
    static std::string reason() {
        const auto* const text = ERR_reason_error_string(ERR_peek_error());
        ERR_clear_error();
        return text == nullptr ? "the connection broke" : text;
    }

    std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
    std::unique_ptr<SSL, void (*)(SSL*)> ssl_{nullptr, SSL_free};
    bool connected_ = false;
    bool ended_cleanly_ = false;
    std::string error_;
};

/// A connection with TLS on it.
class TlsConnection : public RawConnection {
public:
    explicit TlsConnection(std::uint16_t port, const TlsWish& wish = {},
                           int receive_buffer_bytes = 0)
        : RawConnection(port, receive_buffer_bytes, nullptr, plainly) {
        auto made = std::make_unique<TlsTransport>(fd(), wish);
        transport = made.get();
        speak(std::move(made));
    }
    TlsTransport* transport;
};

}  // namespace helios::http
