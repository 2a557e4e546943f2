#include "http/tls_client.h"

#include <cerrno>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <system_error>

#include "base/assert.h"
#include "http/proxies.h"

namespace helios::http {

Result<SslContext> open_roots(const std::string& ca_file) {
    auto context = make_context(false);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    clear_library_errors();
    if (ca_file.empty()) {
        SSL_CTX_set_default_verify_paths(context.get());
        clear_library_errors();
    } else {
        std::ifstream file(ca_file, std::ios::binary);
        const int error = errno;
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        const auto authorities = parse_certificates(text);
        if (!authorities) {
            return fail(ErrorKind::invalid,
                        fmt::format("the CA file {}: {}", ca_file,
                                    file.is_open() ? authorities.error().what
                                                   : std::generic_category().message(error)),
                        "it holds the certificate of whoever issued the server's, in PEM");
        }
        for (const auto& authority : *authorities) {
            X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), authority.get());
        }
    }
    static constexpr unsigned char protocols[] = "\x08http/1.1";
    SSL_CTX_set_alpn_protos(context.get(), protocols, sizeof protocols - 1);
    return context;
}

TlsClient::TlsClient(ssl_ctx_st& roots, int fd, std::string host)
    : host_(std::move(host)),
      wire_(std::make_unique<TlsWire>(TlsWire{.fd = fd})),
      ssl_(open_ssl(roots, *wire_)) {
    HELIOS_ASSERT(ssl_ != nullptr, "there is memory for a connection");
    SSL_set_connect_state(ssl_.get());
    auto* const wanted = SSL_get0_param(ssl_.get());
    if (parse_ip(host_)) {
        X509_VERIFY_PARAM_set1_ip_asc(wanted, host_.c_str());
    } else {
        X509_VERIFY_PARAM_set1_host(wanted, host_.data(), host_.size());
        X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host_.data());
    }
}

/// Says close_notify, as far as there is room for it.
TlsClient::~TlsClient() {
    if (!broken_ && SSL_is_init_finished(ssl_.get()) == 1) {
        SSL_shutdown(ssl_.get());
    }
    clear_library_errors();
}

TlsClient::Step TlsClient::shake_hands() {
    clear_library_errors();
    return outcome(SSL_do_handshake(ssl_.get()), true);
}

TlsClient::Step TlsClient::read(char* into, std::size_t size) {
    clear_library_errors();
    std::size_t got = 0;
    auto step = outcome(SSL_read_ex(ssl_.get(), into, size, &got), false);
    step.bytes = got;
    return step;
}

TlsClient::Step TlsClient::write(std::string_view bytes) {
    clear_library_errors();
    std::size_t taken = 0;
    auto step = outcome(SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &taken), false);
    step.bytes = taken;
    return step;
}

TlsClient::Step TlsClient::outcome(int result, bool in_handshake) {
    if (result == 1) {
        return {};
    }
    Step step;
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
            step.wait_for = POLLIN;
            return step;
        case SSL_ERROR_WANT_WRITE:
            step.wait_for = POLLOUT;
            return step;
        case SSL_ERROR_ZERO_RETURN:
            step.ended = true;
            return step;
        default:
            break;
    }
    broken_ = true;
    if (wire_->error != 0) {
        step.error = {ErrorKind::unavailable, std::generic_category().message(wire_->error), ""};
    } else if (in_handshake) {
        step.error = handshake_error();
    } else {
        const auto reason = ERR_GET_REASON(ERR_peek_error());
        const auto text = take_library_error();
        // With TLS 1.3 a server that refuses our side says so after the handshake.
        step.error = {reason >= SSL_AD_REASON_OFFSET ? ErrorKind::denied : ErrorKind::unavailable,
                      wire_->ended ? "it ended without saying so" : text, ""};
    }
    clear_library_errors();
    return step;
}

Error TlsClient::handshake_error() const {
    const long found = SSL_get_verify_result(ssl_.get());
    if (found != X509_V_OK) {
        return {ErrorKind::denied,
                fmt::format("its certificate is not to be trusted: {}",
                            X509_verify_cert_error_string(found)),
                found == X509_V_ERR_HOSTNAME_MISMATCH || found == X509_V_ERR_IP_ADDRESS_MISMATCH
                    ? fmt::format("it is for another name than {}", host_)
                    : "name the certificate of its issuer: --ca-file FILE, or HELIOS_CA_FILE"};
    }
    const auto reason = ERR_GET_REASON(ERR_peek_error());
    if (wire_->ended) {
        return {ErrorKind::unavailable, "it closed the connection in the middle of the handshake",
                ""};
    }
    if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST) {
        return {ErrorKind::corrupt, "what answers there speaks no TLS",
                "if it is plain http, write http:// in the URL"};
    }
    return {reason >= SSL_AD_REASON_OFFSET ? ErrorKind::denied : ErrorKind::corrupt,
            "no agreement on TLS: " + take_library_error(), ""};
}

}  // namespace helios::http
